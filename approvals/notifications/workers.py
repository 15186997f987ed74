"""The threads that deliver, apart from those that run tasks.

Mails and webhooks have threads of their own, so a server that hangs holds up neither the other
channel nor any task; within the webhooks, `delivery` leaves room for the other hosts.
"""

from __future__ import annotations

import logging
import os
import threading
from concurrent.futures import ThreadPoolExecutor

from django.db import Error as DatabaseError
from django.db import connection

from approvals.notifications import delivery
from approvals.notifications.models import Notification

logger = logging.getLogger(__name__)

THREADS = {Notification.Channel.MAIL: 4, Notification.Channel.WEBHOOK: 16}


class Crew:
    """The threads of one channel; as many are busy as there is work, up to their number."""

    def __init__(self, channel: str, threads: int) -> None:
        self.channel = channel
        self.threads = threads
        self.start_afresh()

    def start_afresh(self) -> None:
        """Nobody works: at first, and in the child of a fork."""
        self._pool = ThreadPoolExecutor(self.threads, thread_name_prefix=f"deliver-{self.channel}")
        self._lock = threading.Lock()
        self._busy = 0
        self._calls = 0

    def wake(self) -> None:
        """Let one more thread look for work, if one is free; a busy one looks again anyway."""
        with self._lock:
            self._calls += 1
            if self._busy >= self.threads:
                return
            self._busy += 1
        self._submit()

    def _submit(self) -> None:
        try:
            self._pool.submit(self._turn)
        except RuntimeError:  # the process ends; what is left, another one finds
            with self._lock:
                self._busy -= 1

    def _turn(self) -> None:
        calls = self._calls
        found = False
        try:
            if rows := delivery.claim(self.channel):
                found = True
                self.wake()  # there may be more
                delivery.deliver(rows)
        except DatabaseError as error:
            found = False  # the lease ends, the sweep comes round
            logger.warning("cannot deliver: %s", type(error).__name__)
        except Exception:
            found = False
            logger.exception("cannot deliver")
        finally:
            connection.close()
        with self._lock:
            if not found and calls == self._calls:
                self._busy -= 1
                return
        self._submit()


crews = [Crew(channel, threads) for channel, threads in THREADS.items()]


def wake() -> None:
    """Deliver what is due; returns at once."""
    for crew in crews:
        crew.wake()


def _start_afresh() -> None:
    for crew in crews:
        crew.start_afresh()


os.register_at_fork(after_in_child=_start_afresh)
