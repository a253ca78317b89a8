"""The tests: one package for each wing, C{system} for what starts processes, C{support} for what they share."""

from tests.support import properties

properties.load()
