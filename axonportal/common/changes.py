"""How a change that one process saved takes effect in every other, at once.

Three ways, each for what the others cannot do:

* `publish` counts the topic's revision up and notifies in the same transaction; each process
  LISTENs and hears of it some milliseconds after the commit.
* LISTEN goes silent when its connection dies, so the listener also reads the revisions once a
  second: the promised bound.
* Whoever waited for a save to return must never meet the old state. Processes on one machine
  share an 8-byte word in the data directory, raised before the save returns; `is_stale` compares
  it (0.3 us) before every decision.
"""

from __future__ import annotations

import fcntl
import logging
import mmap
import os
import struct
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg
from django.conf import settings
from django.db import connection, transaction

logger = logging.getLogger(__name__)

CHANNEL = "axon_changes"
POLL_S = 1.0  # the bound on staleness that the design promises
_RECONNECT_S = 0.5
_WORD = struct.Struct("=Q")

Subscriber = Callable[[str], None]
_subscribers: list[Subscriber] = []


def subscribe(callback: Subscriber) -> None:
    """Have `callback(topic)` called when a topic changed; "" means: anything may have.

    It runs on the listener's thread or on the publisher's, so it only marks what is stale.
    """
    _subscribers.append(callback)


def publish(topic: str) -> None:
    """Announce a change of `topic` made in the current transaction."""
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO common_revision (topic, number) VALUES (%s, 1) "
            "ON CONFLICT (topic) DO UPDATE SET number = common_revision.number + 1",
            [topic],
        )
        cursor.execute("SELECT pg_notify(%s, %s)", [CHANNEL, topic])
    # Now, for readers inside this transaction, and again for everybody once it is committed.
    _tell(topic)
    transaction.on_commit(lambda: _committed(topic))


def _committed(topic: str) -> None:
    _tell(topic)
    word().raise_()


def _tell(topic: str) -> None:
    for callback in _subscribers:
        callback(topic)


class SharedWord:
    """A counter in a memory-mapped file, shared by the processes of one machine."""

    def __init__(self, path: Path) -> None:
        self._map: mmap.mmap | None = None
        self._lock = threading.Lock()
        self.seen = 0
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            # Open as long as the process lives.
            self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            if os.fstat(self._file).st_size < _WORD.size:
                os.ftruncate(self._file, _WORD.size)
            self._map = mmap.mmap(self._file, _WORD.size)
            self.seen = self.value()
        except OSError as error:
            # Another machine's save is announced by NOTIFY alone, too; so this is no fault.
            logger.warning("no shared word at %s (%s); changes arrive by NOTIFY", path, error)

    def value(self) -> int:
        return int(_WORD.unpack_from(self._map)[0]) if self._map is not None else 0

    def raise_(self) -> None:
        """Count up, one process and one thread at a time: a lost count is a change not seen."""
        if self._map is None:
            return
        with self._lock:
            fcntl.flock(self._file, fcntl.LOCK_EX)
            try:
                _WORD.pack_into(self._map, 0, self.value() + 1)
            finally:
                fcntl.flock(self._file, fcntl.LOCK_UN)


_word: SharedWord | None = None
_word_lock = threading.Lock()


def word() -> SharedWord:
    """This process's view of the shared word."""
    global _word
    if _word is None:
        with _word_lock:
            _word = _word or SharedWord(Path(settings.AXON_DATA_DIR) / "revision")
    return _word


def check() -> None:
    """Before a decision: if some process saved something, look what it was."""
    if settings.AXON_RECORDER == "group":
        # `inline`: one thread sees its own transaction, nobody works beside it.
        listener.ensure_running()
    shared = word()
    value = shared.value()
    if value != shared.seen:
        _tell("")  # first, so that no other thread takes the old state for checked meanwhile
        shared.seen = value


class Listener:
    """The thread that hears of other processes' changes; one per process that decides."""

    def __init__(self) -> None:
        self._known: dict[str, int] | None = None
        self._thread: threading.Thread | None = None
        self._pid = 0
        self._failing = False
        self._lock = threading.Lock()

    def ensure_running(self) -> None:
        """Start the thread, once per process (a fork has none)."""
        if self._pid == os.getpid():
            return
        with self._lock:
            if self._pid != os.getpid():
                self._pid = os.getpid()
                self._thread = threading.Thread(target=self._run, name="changes", daemon=True)
                self._thread.start()

    def _run(self) -> None:
        while True:
            try:
                with psycopg.connect(**connection_parameters(), autocommit=True) as listening:
                    listening.execute(f"LISTEN {CHANNEL}")
                    self._failing = False
                    _tell("")  # whatever changed while nobody listened
                    while True:
                        for notice in listening.notifies(timeout=POLL_S, stop_after=1):
                            _tell(notice.payload)
                        self._poll(listening)
            except psycopg.Error as error:
                if not self._failing:  # one line per outage, not two a second
                    logger.warning("listening for changes: %s; trying again", type(error).__name__)
                self._failing = True
                time.sleep(_RECONNECT_S)

    def _poll(self, listening: psycopg.Connection) -> None:
        rows = listening.execute("SELECT topic, number FROM common_revision").fetchall()
        numbers = {str(topic): int(number) for topic, number in rows}
        if self._known is not None:
            for topic, number in numbers.items():
                if self._known.get(topic) != number:
                    _tell(topic)
        self._known = numbers


listener = Listener()


def connection_parameters() -> dict[str, Any]:
    """What psycopg needs to connect to Django's default database outside Django's pool."""
    # Left out is what is Django's own; all else (password files, certificates) counts.
    of_django = {"context", "cursor_factory", "prepare_threshold"}
    parameters = connection.get_connection_params()
    return {key: value for key, value in parameters.items() if key not in of_django}
