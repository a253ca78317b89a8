"""
gossipctl: what an admin does from a terminal, and C{gossipctl talk}.

Imports L{gossip.config}, L{gossip.operations}, L{gossip.store} and the client's side of the protocol.
Begin with L{gossip.cli.ctl}.
"""
