"""Waiting for an answer without asking the database over and over.

A caller sleeps on a lock of its own. One thread per process wakes when some request was settled
(`common.changes` tells), looks with one query which of the awaited ones it was, and wakes their
callers. Nothing is polled while nothing is settled, however many wait.
"""

from __future__ import annotations

import logging
import os
import threading
import time

from django.conf import settings
from django.db import Error as DatabaseError
from django.db import connection

from approvals.models import ApprovalRequest
from approvals.services import TOPIC
from axonportal.common import changes

logger = logging.getLogger(__name__)

RESUMED_AT_ONCE = 4  # callers that go on after one answer; a crowd would hold up everybody else
_AGAIN_S = 0.5  # after the database could not be asked


class Waiting:
    """The callers of this process that wait, by request."""

    def __init__(self) -> None:
        self.start_afresh()

    def start_afresh(self) -> None:
        """Nobody waits: at first, and in the child of a fork."""
        self._waiting: dict[str, list[threading.Lock]] = {}
        self._count = 0
        self._something = threading.Condition(threading.Lock())
        self._look = False
        self._thread: threading.Thread | None = None
        self.turn = threading.BoundedSemaphore(RESUMED_AT_ONCE)  # for what follows an answer

    def until_settled(self, request_id: str, timeout_s: float) -> bool:
        """Sleep until the request is settled; False if it is not after that time.

        Returns False at once where `AXON_MAX_WAITING` callers wait already. Gives the thread's
        connection back to the pool first: a sleeper needs none.
        """
        if timeout_s <= 0:
            return False
        gate = threading.Lock()
        gate.acquire()
        with self._something:
            if self._count >= settings.AXON_MAX_WAITING:
                return False
            self._count += 1
            self._waiting.setdefault(request_id, []).append(gate)
            self._ensure_running()
            # It may have been settled between the caller's look and now.
            self._look = True
            self._something.notify()
        if not connection.in_atomic_block:
            connection.close()
        try:
            return gate.acquire(timeout=timeout_s)
        finally:
            with self._something:
                self._count -= 1
                gates = self._waiting.get(request_id, [])
                if gate in gates:
                    gates.remove(gate)
                if not gates:
                    self._waiting.pop(request_id, None)

    def note(self, topic: str) -> None:
        """Somebody settled a request, here or elsewhere; "" stands for anything."""
        if topic in {"", TOPIC} and self._count:
            with self._something:
                self._look = True
                self._something.notify()

    def _ensure_running(self) -> None:
        changes.check()  # starts the listener, by which other processes' answers are heard
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="approvals", daemon=True)
            self._thread.start()

    def _run(self) -> None:
        failing = False
        while True:
            with self._something:
                while not (self._look and self._waiting):
                    self._something.wait()
                self._look = False
                awaited = list(self._waiting)
            try:
                self._wake(self._settled(awaited))
                failing = False
            except DatabaseError as error:
                if not failing:  # one line per outage
                    logger.warning("cannot look for answers: %s", type(error).__name__)
                failing = True
                time.sleep(_AGAIN_S)
                self.note("")
            finally:
                connection.close()

    def _settled(self, awaited: list[str]) -> list[str]:
        requests = ApprovalRequest.objects.filter(pk__in=awaited).exclude(status="pending")
        return list(requests.values_list("pk", flat=True))

    def _wake(self, settled: list[str]) -> None:
        with self._something:
            for request_id in settled:
                for gate in self._waiting.pop(request_id, ()):
                    gate.release()


waiting = Waiting()
changes.subscribe(waiting.note)
os.register_at_fork(after_in_child=waiting.start_afresh)
