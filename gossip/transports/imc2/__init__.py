"""
Games by IMC2, whose clients are compiled into ROM, SMAUG, Circle and Merc MUDs.

Imports what L{gossip.transports} may. The packets, the texts and the dialect do no I/O.
Begin with L{gossip.transports.imc2.packets}.
"""
