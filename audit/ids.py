"""Ids that carry their time: a prefix and the 32 hexadecimal digits of a UUIDv7 (RFC 9562).

A record's `created_at` is the millisecond in its id. So a lookup by id alone knows the partition
and the whole primary key, and ids sort by time, which keeps the writes on one end of the index.
"""

from __future__ import annotations

import os
import re
import time
from collections import deque
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

CONTEXT = "ctx_"
TOOL_CALL = "call_"
LLM_CALL = "llm_"
EVENT = "evt_"
APPROVAL = "apr_"
NOTIFICATION = "ntf_"

_SHAPE = re.compile(r"[a-z]+_([0-9a-f]{12})[0-9a-f]{20}\Z")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_RANDOM_BITS = 62
_VARIANT = 0b10 << _RANDOM_BITS
_NS_PER_MS = 1_000_000
_FETCHED = 256  # ids per fetch of random bits


@dataclass(frozen=True, slots=True, kw_only=True)
class Stamp:
    """An id and the moment that it carries."""

    id: str
    at: datetime


def stamp(prefix: str) -> Stamp:
    """A new id for a record made now.

    The 12 bits after the version hold the fraction of the millisecond (RFC 9562, 6.2, method 3):
    what one process records within a millisecond stays in order. The other 62 are random.
    """
    now = time.time_ns()
    ms, rest = divmod(now, _NS_PER_MS)
    fraction = (rest << 12) // _NS_PER_MS
    tail = _random_bits()
    value = ms << 80 | 7 << 76 | fraction << 64 | _VARIANT | tail
    return Stamp(id=f"{prefix}{value:032x}", at=_moment(ms))


def _random_bits() -> int:
    """62 bits of the system's randomness, fetched for many ids at once.

    Each fetch gives up the interpreter's lock, and under load the thread then queues for it.
    """
    try:
        return _random.popleft()
    except IndexError:
        fetched = os.urandom(8 * _FETCHED)
        made = [int.from_bytes(fetched[at : at + 8]) >> 2 for at in range(0, len(fetched), 8)]
        _random.extend(made[1:])
        return made[0]


_random: deque[int] = deque()
os.register_at_fork(after_in_child=_random.clear)  # no two processes make the same id


def derived(prefix: str, at: datetime, digest: bytes) -> Stamp:
    """The id that the same `digest` (at least 10 bytes) always has, carrying `at`.

    It is a UUIDv8, the version whose bits are the application's own.
    """
    ms = (at - _EPOCH) // timedelta(milliseconds=1)
    bits = int.from_bytes(digest[:10])
    head, tail = bits >> 68, bits & ((1 << _RANDOM_BITS) - 1)
    value = ms << 80 | 8 << 76 | head << 64 | _VARIANT | tail
    return Stamp(id=f"{prefix}{value:032x}", at=_moment(ms))


def time_of(record_id: str) -> datetime | None:
    """The moment in an id, to the millisecond; None if the text is no id of this shape."""
    if not (shape := _SHAPE.match(record_id)):
        return None
    try:
        return _moment(int(shape[1], 16))
    except OverflowError:  # twelve digits reach past the year 9999
        return None


def _moment(ms: int) -> datetime:
    return _EPOCH + timedelta(milliseconds=ms)
