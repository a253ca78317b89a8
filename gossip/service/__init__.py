"""
The running daemon: it takes events to the network and carries the network's outputs to connections and to the writer.

Imports L{gossip.network}, L{gossip.store} and what is below them. It owns the clock.
Begin with L{gossip.service.service}, then read L{gossip.service.dispatcher}, which carries out what the network wants.
L{gossip.service.interfaces} is what transports meet.
"""
