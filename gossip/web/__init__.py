"""
The web: pages for people, the public and the admin API, the documents, health and metrics.

Imports L{gossip.operations} and everything below it, but no transport.
Begin with L{gossip.web.site}, which puts all of it together.
"""
