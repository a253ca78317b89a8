"""
Games by websocket: Autobahn does the unusual, our own code does the frequent.

Imports what L{gossip.transports} may, and Autobahn in one module.
Begin with L{gossip.transports.websocket.connection}.
"""
