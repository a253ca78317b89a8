"""
What an admin, an owner or a page can have done: each operation is one struct, and one executor carries them all out.

Imports L{gossip.service} and everything below it. gossipctl, the admin API and the pages import this wing.
Begin with L{gossip.operations.operation} and L{gossip.operations.catalogue}.
"""
