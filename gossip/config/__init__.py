"""
The configuration: gossip.toml, typed, every setting with its default.

Imports msgspec and the settings of the wings below it. It opens no file but gossip.toml.
Begin with L{gossip.config.config}.
"""
