"""
What the network knows, in memory: games, channels, accounts, filters, mutes and bans. And the changes that are stored.

Imports L{gossip.protocol}, the standard library and msgspec. No I/O, no clock, no Twisted.
Begin with L{gossip.registry.changes}, then read L{gossip.registry.registry}, which enacts them.
"""
