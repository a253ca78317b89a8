"""
The vocabulary of the wire: the events of the Gossip protocol, their JSON, the errors, and which text may pass between
games.

Imports only the standard library and msgspec. No I/O, no clock, no Twisted.
Begin with L{gossip.protocol.events}, which opens with the whole protocol as a table.
"""
