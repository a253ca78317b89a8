"""
Games by telnet: a codec, lines, and two dialects (text and JSON), each of which makes the events of the websocket.

Imports what L{gossip.transports} may. The codec and the dialects do no I/O.
Begin with L{gossip.transports.telnet.connection}; L{gossip.transports.telnet.text_dialect} turns a line into an event.
"""
