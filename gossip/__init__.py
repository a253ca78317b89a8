"""gossip: the network that MUDs join, so that players can talk across games."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    __version__: str
else:

    def __getattr__(name: str) -> str:
        # Read when it is needed: importlib.metadata takes longer to import than most commands of gossipctl to run.
        if name != "__version__":
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        from importlib.metadata import PackageNotFoundError, version

        try:
            return version("gossip-mud")
        except PackageNotFoundError:  # a bare checkout
            return "0+unknown"
