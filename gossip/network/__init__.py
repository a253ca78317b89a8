"""
The network itself: who is here, who hears what, what is allowed. Events come in as values, outputs go out as values.

Imports L{gossip.protocol} and L{gossip.registry}, the standard library and msgspec. No I/O, no clock, no Twisted.
Begin with L{gossip.network.network} and L{gossip.network.outputs}; L{gossip.network.moderation} judges mutes and bans.
"""
