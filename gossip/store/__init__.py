"""
What the network remembers, on SQLite or PostgreSQL with the same code.

Imports L{gossip.registry} and L{gossip.protocol}, SQLAlchemy and Alembic. It knows nothing of the network.
Begin with L{gossip.store.store}; L{gossip.store.writer} writes changes to disk in a thread of its own.
"""
