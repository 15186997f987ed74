"""Waking the workers once something stands in the outbox.

The broker is called on a thread of its own, so that one which hangs holds up no caller; what it
was not told, the sweep finds. Many nudges while one is under way are one.
"""

from __future__ import annotations

import logging
import os
import threading

logger = logging.getLogger(__name__)

EXPIRES_S = 30  # by then the sweep has come round; a worker that was away is not flooded


class Nudger:
    """The thread that tells the broker; one per process."""

    def __init__(self) -> None:
        self.start_afresh()

    def start_afresh(self) -> None:
        """No thread runs: at first, and in the child of a fork."""
        self._wanted = threading.Event()
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._failing = False

    def nudge(self) -> None:
        """Have the workers look; returns at once."""
        self._wanted.set()
        if self._thread is None:
            with self._lock:
                if self._thread is None:
                    self._thread = threading.Thread(target=self._run, name="nudge", daemon=True)
                    self._thread.start()

    def _run(self) -> None:
        while True:
            self._wanted.wait()
            self._wanted.clear()
            self._tell()

    def _tell(self) -> None:
        from approvals.tasks import deliver

        try:
            deliver.apply_async(expires=EXPIRES_S, retry=False)
            self._failing = False
        except Exception as error:
            if not self._failing:  # one line per outage
                logger.warning(
                    "the broker was not told (%s); the sweep delivers", type(error).__name__
                )
            self._failing = True


_nudger = Nudger()
os.register_at_fork(after_in_child=_nudger.start_afresh)


def nudge() -> None:
    """Have the workers look for what is due; returns at once, whatever the broker does."""
    _nudger.nudge()
