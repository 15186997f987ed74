"""Texts that PostgreSQL can store."""

from __future__ import annotations

import re

REPLACEMENT = "\N{REPLACEMENT CHARACTER}"

_SURROGATE = re.compile("[\ud800-\udfff]")


def storable(text: str) -> str:
    """The text with U+FFFD for each NUL and lone surrogate, so that offsets into it stay right.

    What is looked up has to go through this as what is stored did.
    """
    return _SURROGATE.sub(REPLACEMENT, text.replace("\0", REPLACEMENT))
