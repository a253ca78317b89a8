"""
How a game reaches the network: one folder for each transport, and what all transports share.

Imports L{gossip.service} and everything below it, but not the store. Transports do not import each other.
Begin with L{gossip.transports.outlet}, the gate for all that is sent, then choose a folder.
"""
