"""
The client's side of the network's protocol: what C{gossipctl talk} and gateways to other networks are built on.

Imports L{gossip.protocol} and L{gossip.registry}; only L{gossip.client.websocket} knows Twisted.
Begin with L{gossip.client.session}.
"""
