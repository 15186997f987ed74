"""Reasons for which a start cannot go on, each told in one sentence."""

from __future__ import annotations

import errno
from pathlib import Path

NO_SPACE = "No space left on device"


class Fault(Exception):
    """The start ends here; the text is the sentence for the person who started it."""


class Stopped(Exception):
    """Somebody asked the launcher to stop while a step was still under way."""


def disk_full(folder: Path) -> Fault:
    """The disk of `folder` is full."""
    return Fault(f"The disk that holds {folder} is full; free some space and start again.")


def unwritable(folder: Path, error: OSError) -> Fault:
    """What keeps us from writing to `folder`, and what to do about it."""
    if error.errno in {errno.ENOSPC, errno.EDQUOT}:
        return disk_full(folder)
    return Fault(
        f"The data directory {folder} cannot be written ({error.strerror}); "
        "set AXON_DATA_DIR to a folder that you may write to."
    )
