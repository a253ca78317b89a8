"""
The gateway: the network joins a live network of Intermud-3 as one MUD, so that its games and the MUDs there talk.

Imports what L{gossip.transports} may. L{gossip.transports.intermud3.gateway.service} has the socket, and
L{gossip.transports.intermud3.gateway.sessions} joins the network; everything else does no I/O.
Begin with L{gossip.transports.intermud3.gateway.talk}: what becomes of packets and of events. The link to the router is
in L{gossip.transports.intermud3.gateway.link}.
"""
