"""gossip: the network that MUDs join, so that players can talk across games."""

from importlib.metadata import PackageNotFoundError, version

try:
    __version__ = version("gossip-mud")
except PackageNotFoundError:  # a bare checkout
    __version__ = "0+unknown"
