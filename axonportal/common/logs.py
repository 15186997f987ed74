"""Log lines of a busy process, written together.

A line per decision is a system call per decision, in which the thread gives up the interpreter's
lock and then queues for it behind every other caller. Lines that only inform wait for each other
for a moment instead; a warning or an error is written at once, behind what waits.
"""

from __future__ import annotations

import logging
import os
import threading
import time
import weakref
from collections import deque
from contextlib import suppress
from multiprocessing.util import Finalize

PAUSE_S = 0.05  # the longest that a line waits
MAX_WAITING = 10_000  # lines; the one that fills it writes them itself


class BatchingHandler(logging.StreamHandler):
    """A `StreamHandler` (of standard error) that writes lines below WARNING in batches.

    What waits when the process ends is written by `logging.shutdown`, as for every handler. A
    web server's worker is a child of `multiprocessing`, which ends without that; there, a
    finalizer of its own writes it.
    """

    def __init__(self) -> None:
        super().__init__()
        self._lines: deque[str] = deque()
        self._thread: threading.Thread | None = None
        self._awake = threading.Event()
        self._write_at_the_end()
        _alive.add(self)

    def _write_at_the_end(self) -> None:
        # Without an object: it lasts as long as the process, as the handler does.
        Finalize(None, self._flush_last, exitpriority=0)

    def _flush_last(self) -> None:
        # As `logging.shutdown` does: the stream may be gone before its handler.
        with suppress(OSError, ValueError):
            self.flush()

    def emit(self, record: logging.LogRecord) -> None:
        """Take the record's line; see the class."""
        try:
            self._lines.append(self.format(record) + self.terminator)
        except Exception:  # as every handler of `logging`: a bad line never fails its caller
            self.handleError(record)
            return
        if record.levelno >= logging.WARNING or len(self._lines) >= MAX_WAITING:
            self.flush()
        elif self._thread is None:
            self._start()
        elif not self._awake.is_set():
            self._awake.set()

    def flush(self) -> None:
        """Write what waits."""
        if not self.lock:
            return  # so early or late that `logging` has no locks
        with self.lock:
            lines = []
            while self._lines:
                lines.append(self._lines.popleft())
            if lines and self.stream:
                self.stream.write("".join(lines))
            super().flush()

    def start_afresh(self) -> None:
        """In the child of a fork, which has no such thread and leaves its parent's lines alone."""
        self._lines.clear()
        self._thread = None
        self._awake = threading.Event()
        self._write_at_the_end()

    def _start(self) -> None:
        # `emit` has the handler's lock, so there is one.
        self._thread = threading.Thread(target=self._write, name="log", daemon=True)
        self._awake.set()
        self._thread.start()

    def _write(self) -> None:
        awake = self._awake
        while True:
            awake.wait()
            awake.clear()  # before writing: a line that comes meanwhile sets it again
            time.sleep(PAUSE_S)
            try:
                self.flush()
            except OSError:
                continue  # a full disk or a closed pipe must not end the log for good


_alive: weakref.WeakSet[BatchingHandler] = weakref.WeakSet()


def _after_fork() -> None:
    for each in _alive:
        each.start_afresh()


os.register_at_fork(after_in_child=_after_fork)
