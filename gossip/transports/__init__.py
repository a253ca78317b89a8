"""
How a game reaches the network: one folder for each transport, and what all transports share.

Imports L{gossip.service} and everything below it, but not the store. Transports do not import each other.
Begin with L{gossip.transports.interfaces}, which says what a transport is, then choose a folder;
L{gossip.transports.registered} lists them.
"""
