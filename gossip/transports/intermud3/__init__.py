"""
Intermud-3: MUDs whose mudlibs speak it use the network as their router, each as an ordinary registered game.

Imports what L{gossip.transports} may. The values and the packets do no I/O.
Begin with L{gossip.transports.intermud3.mudmode}, the values on the wire.
"""
