"""
Intermud-3: MUDs whose mudlibs speak it use the network as their router, each as an ordinary registered game.

Imports what L{gossip.transports} may. The values, the packets and the conversation do no I/O.
Begin with L{gossip.transports.intermud3.conversation}; the values are in L{gossip.transports.intermud3.mudmode}.
"""
