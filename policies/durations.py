"""Durations as people write them: `90 s`, `30 min`, `1 h`, `7 d`."""

from __future__ import annotations

import re

_UNITS = {"d": 86_400, "h": 3_600, "min": 60, "s": 1}
_WRITTEN = re.compile(r"([0-9]{1,9}) ?(d|h|min|m|s|)", re.IGNORECASE)


def written(seconds: int) -> str:
    """In the largest unit that loses nothing."""
    unit = next((name for name, size in _UNITS.items() if seconds and seconds % size == 0), "s")
    return f"{seconds // _UNITS[unit]} {unit}"


def read(text: str) -> int | str:
    """The seconds of what `written` writes, a bare number included; the text itself if it is
    something else, for whoever checks it to refuse."""
    match = _WRITTEN.fullmatch(text.strip())
    if match is None:
        return text
    number, unit = match.groups()
    return int(number) * _UNITS[{"m": "min", "": "s"}.get(unit.lower(), unit.lower())]
