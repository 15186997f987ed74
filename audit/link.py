"""A connection whose statement may be sent by one thread and awaited by another.

psycopg's own `execute` waits until the answer is there. A caller of the recorder has a deadline,
and past it somebody else must go on waiting on the same connection. So the exchange is psycopg's
generator, driven here step by step; it can be put down and taken up again.
"""

from __future__ import annotations

import select
import time
from collections.abc import Sequence
from contextlib import suppress

import psycopg
from psycopg import generators, pq
from psycopg.abc import PQGen
from psycopg.errors import error_from_result
from psycopg.waiting import Ready, Wait

_DONE = frozenset([pq.ExecStatus.COMMAND_OK, pq.ExecStatus.TUPLES_OK])
# What ends a connection shows as an error of the socket, which the next step then reports.
_READABLE = select.POLLIN | select.POLLHUP | select.POLLERR


class Link:
    """One connection in autocommit, with one statement under way at a time.

    Not for two threads at once: who uses it has to have it to itself until it is handed over.
    """

    def __init__(self, connection: psycopg.Connection) -> None:
        self._connection = connection
        self._libpq = connection.pgconn
        self._names: dict[bytes, bytes] = {}
        self._exchange: PQGen[list[pq.abc.PGresult]] | None = None
        self._awaits = Wait.RW
        self._error: psycopg.Error | None = None

    @property
    def is_lost(self) -> bool:
        """Did the connection end, whoever ended it?"""
        return self._connection.closed

    def knows(self, statement: bytes) -> bool:
        """Is it prepared, so that sending it is all there is to do?"""
        return statement in self._names

    def send(self, statement: bytes, parameters: Sequence[bytes | None]) -> None:
        """Send it, prepared; a new one is prepared first, which waits for the server.

        Raises:
            psycopg.Error: it could not be sent, or not be prepared.
        """
        # Until it is sent, whoever asks for its answer must not be told of an earlier success.
        self._error = psycopg.OperationalError("The statement was not sent.")
        try:
            if (name := self._names.get(statement)) is None:
                name = f"axon_{len(self._names)}".encode()
                self._libpq.send_prepare(name, statement)
                self._begin()
                self.wait()
                self._names[statement] = name
            self._libpq.send_query_prepared(name, parameters)
        except psycopg.Error as error:
            self._error = error
            raise
        self._begin()

    def _begin(self) -> None:
        self._error = None
        self._exchange = generators.execute(self._libpq)
        self._step(None)

    def wait(self, timeout_s: float | None = None) -> bool:
        """Wait until the server has answered what was sent; False if it has not in that time.

        Raises:
            psycopg.Error: the server refused the statement, or the connection broke; again for
                whoever asks again.
        """
        end = None if timeout_s is None else time.monotonic() + timeout_s
        while self._exchange is not None:
            if (ready := self._ready(end)) is None:
                return False
            self._step(ready)
        if self._error is not None:
            raise self._error
        return True

    def close(self) -> None:
        """End the connection; what the server thinks of that is no matter any more."""
        with suppress(psycopg.Error):
            self._connection.close()

    def _step(self, ready: Ready | None) -> None:
        """Go on with the exchange, until it has to wait again or is over."""
        assert self._exchange is not None  # noqa: S101 (only called while there is one)
        try:
            self._awaits = next(self._exchange) if ready is None else self._exchange.send(ready)
        except StopIteration as over:
            self._exchange = None
            for result in over.value:
                if result.status not in _DONE:
                    self._error = error_from_result(result)
        except psycopg.Error as error:
            self._exchange = None
            self._error = error

    def _ready(self, end: float | None) -> Ready | None:
        """What the socket is ready for; None: nothing until `end`."""
        poll = select.poll()
        poll.register(
            self._libpq.socket,
            (_READABLE if self._awaits & Wait.R else 0)
            | (select.POLLOUT if self._awaits & Wait.W else 0),
        )
        left_ms = None if end is None else max(0.0, (end - time.monotonic()) * 1000)
        if not (events := poll.poll(left_ms)):
            return None
        happened = events[0][1]
        readable, writable = happened & _READABLE, happened & select.POLLOUT
        return Ready((Ready.R if readable else 0) | (Ready.W if writable else 0))
