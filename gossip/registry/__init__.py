"""
What the network knows: games, channels, accounts, filters and bans, in memory, and the changes that are kept of them.

Imports L{gossip.protocol}, the standard library and msgspec. No I/O, no clock, no Twisted.
Begin with L{gossip.registry.changes}, then read L{gossip.registry.registry}, which enacts them.
"""
