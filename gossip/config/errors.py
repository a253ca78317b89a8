"""What is raised when the configuration is wrong."""

from __future__ import annotations

import re
from typing import Final

_NO_LINE: Final = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")


class ConfigError(Exception):
    """The configuration is wrong. The text is one line for the operator, and says where and why."""

    def __init__(self, text: str) -> None:
        # The text may quote a file name, which may contain any character.
        super().__init__(_NO_LINE.sub("?", text))
