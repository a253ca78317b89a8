"""
The wire's vocabulary: the events of the Gossip protocol, their JSON, the errors, and what text may cross between games.

Imports only the standard library and msgspec. No I/O, no clock, no Twisted.
Begin with L{gossip.protocol.events}, which opens with the whole protocol as a table.
"""
