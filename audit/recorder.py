"""Durable before the answer: how a record reaches the database while its caller waits.

`recorder().record(..)` returns when the row is committed and flushed, or raises. So a caller that
answers after it has answered nothing that can be lost, and a caller that gets an error must answer
as if there were no decision.

`GroupRecorder` has one thread and one connection per process. All rows that wait while a COMMIT is
under way go into the next one, so that many callers share one flush of the log. A caller who finds
nobody waiting and the connection at rest sends its row itself, which spares two changes of thread;
whatever goes wrong then is left to the recorder's thread, which waits on or tries again. What
happens when a caller's patience (`timeout_s`) ends first:

* The row still waited: it is dropped and never written.
* The row was on its way: nobody can take it back. If it is stored after all, an audit event
  `decision.unanswered` follows it, which says that its caller was refused. The same event
  follows the rows of a batch whose connection was lost twice, for which nobody knows. It is the
  first thing that the next successful batch writes; only a process killed before that leaves such
  a row without it. The row is then a decision that nobody acted on, never the other way round.
"""

from __future__ import annotations

import atexit
import logging
import os
import threading
import time
import weakref
from collections import Counter, deque
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from enum import Enum
from functools import cache
from typing import Protocol

import psycopg
from django.conf import settings
from django.db import Error as DatabaseError
from django.db import connection, transaction

from audit import ids, rows
from audit.errors import RecorderUnavailable, RecordRefused
from audit.link import Link
from audit.models import AUDIT_EVENTS, GATEWAY_CONTEXTS, AuditEvent, GatewayContext
from audit.rows import Encoded, Row

logger = logging.getLogger(__name__)

MAX_WAITING = 4096  # calls; beyond it, callers are refused at once
MAX_BATCH_BYTES = 8 * 2**20  # jsonb ends at 256 MB; a batch this big is no faster in one piece
TIMEOUT_S = 2.0
CONNECT_TIMEOUT_S = 2  # libpq's least
STATEMENT_TIMEOUT_MS = 5000
UNANSWERED = "decision.unanswered"
# A statement that took this share of a caller's patience will hardly serve the next one.
_HOPELESS = 0.9

# Codes that speak of the rows sent (data, integrity, limits of a row), so others are innocent.
_ROW_FAULTS = ("22", "23", "54")
_READ_ONLY = "25006"  # the server has become a standby: another one may be the primary
# The server ends the session (shutdown, crash of a neighbour) or does not begin one yet. It says
# so before the connection's end is seen here.
_ENDING = ("57P01", "57P02", "57P03")

# Stronger than `on` stays; weaker is raised, whatever the server's default is.
_SETUP = """
SELECT set_config('statement_timeout', %s, false),
       CASE WHEN current_setting('synchronous_commit') <> 'remote_apply'
            THEN set_config('synchronous_commit', 'on', false) END
"""


class Recorder(Protocol):
    """Writes records durably, or raises."""

    def record(self, table: str, row: Row) -> None:
        """Store one row.

        Raises:
            RecorderUnavailable: it is not known to be stored.
            RecordRefused: the database does not accept this row.
        """

    def record_all(self, together: Sequence[tuple[str, Row]]) -> None:
        """Store rows of any tables, all or none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RecorderStats:
    """What the recorder of this process did since it started.

    `batches` counts the commits by size: the key is the power of two that the size does not
    exceed. `dropped` are calls given up before they were sent, `unanswered` those after.
    """

    rows: int
    batches: dict[int, int]
    commit_seconds: float
    refused: int
    unavailable: int
    dropped: int
    unanswered: int
    reconnects: int
    waiting: int


class _State(Enum):
    WAITING = 1
    SENT = 2
    DONE = 3


class _Entry:
    """The rows of one call, which stand or fall together, and how the call is answered."""

    __slots__ = (
        "abandoned",
        "decisions",
        "done",
        "error",
        "is_marking",
        "rows",
        "size",
        "state",
    )

    def __init__(
        self,
        encoded: list[Encoded],
        decisions: list[tuple[int, str, str]],
        *,
        is_marking: bool = False,
    ) -> None:
        self.rows = encoded
        self.is_marking = is_marking
        self.size = sum(len(row.json) for row in encoded)
        self.decisions = decisions
        self.state = _State.WAITING
        self.abandoned = False
        self.error: Exception | None = None
        # A bare lock wakes its waiter for a fraction of an Event's cost.
        self.done = threading.Lock()
        self.done.acquire()


class GroupRecorder:
    """Commits the rows of all waiting callers together, on a thread of its own."""

    def __init__(
        self,
        connect: Callable[[], psycopg.Connection] | None = None,
        *,
        timeout_s: float = TIMEOUT_S,
        max_waiting: int = MAX_WAITING,
    ) -> None:
        self._connect_anew = connect or open_connection
        self._timeout_s = timeout_s
        self._max_waiting = max_waiting
        self._link: Link | None = None
        self._inherited: Link | None = None
        self.start_afresh()
        _alive.add(self)

    def start_afresh(self) -> None:
        """Be empty and without a thread: at first, and in the child of a fork.

        A child must not touch its parent's connection, not even to close it, so it is kept.
        """
        self._inherited, self._link = self._link, None
        self._changed = threading.Condition(threading.Lock())
        self._waiting: deque[_Entry] = deque()
        self._marks: deque[tuple[int, str, str]] = deque(maxlen=MAX_WAITING)
        self._thread: threading.Thread | None = None
        self._closing = False
        self._healthy = False
        self._link_is_taken = False  # by the thread, or by the caller who sends its own row
        self._left: list[_Entry] = []  # what that caller sent and leaves to the thread
        self._in_doubt = False
        self._sent_at: float | None = None
        self._failing_since: float | None = None
        self._sizes: Counter[int] = Counter()
        self._counts: Counter[str] = Counter()
        self._commit_seconds = 0.0

    # --- The caller's side ---

    def record(self, table: str, row: Row) -> None:
        """Store one row; returns when it is durable. See `Recorder`."""
        self.record_all([(table, row)])

    def record_all(self, together: Sequence[tuple[str, Row]]) -> None:
        """Store rows of any tables, all or none; returns when they are durable."""
        entry = _Entry(
            [rows.encode(table, row) for table, row in together],
            [
                (row["tenant_id"], row.get("tenant", ""), row["context_id"])
                for table, row in together
                if table == GATEWAY_CONTEXTS
            ],
        )
        with self._changed:
            self._admit(entry)
            if sends_itself := self._is_free_for(entry):
                self._take_link()
                self._waiting.clear()
                entry.state = _State.SENT
            elif not self._link_is_taken:
                self._changed.notify()
        patience_s = self._timeout_s
        if sends_itself:
            patience_s = self._send_own(entry)
        if not entry.done.acquire(timeout=patience_s):
            self._give_up(entry)
        if entry.error is not None:
            raise entry.error

    def _is_free_for(self, entry: _Entry) -> bool:
        """Is the caller alone, and all there is to do one exchange on a sound connection?"""
        return (
            not self._link_is_taken
            and len(self._waiting) == 1
            and not self._marks
            and self._healthy
            and self._link is not None
            and self._link.knows(rows.statement(entry.rows))
        )

    def _take_link(self) -> None:
        self._link_is_taken = True
        self._begin()

    def _begin(self) -> None:
        self._in_doubt = False
        self._sent_at = time.monotonic()

    def _send_own(self, entry: _Entry) -> float:
        """Send the row from its caller's thread; how long that caller still has patience.

        What is not stored by then is left to the recorder's thread.
        """
        end = time.monotonic() + self._timeout_s
        link = self._link
        assert link is not None  # noqa: S101 (`_is_free_for` said so)
        is_stored = False
        try:
            link.send(*rows.insert(entry.rows))
            is_stored = link.wait(self._timeout_s)
        except psycopg.Error:
            pass  # the link says the same again to the thread, which knows what to do
        except Exception:
            logger.exception("the recorder failed")
        with self._changed:
            if is_stored:
                self._settle([entry])
            else:
                self._left = [entry]
            self._link_is_taken = False
            if self._has_work() or self._closing:
                self._changed.notify()
        return max(0.0, end - time.monotonic())

    def _admit(self, entry: _Entry) -> None:
        if self._closing:
            raise RecorderUnavailable("The portal is stopping; nothing was recorded.")
        if len(self._waiting) >= self._max_waiting:
            self._counts["unavailable"] += 1
            raise RecorderUnavailable(
                f"{self._max_waiting} records already wait for the database; nothing was recorded."
            )
        # Whoever came later would wait in vain as well, and hold a thread of the server.
        hopeless_s = self._timeout_s * _HOPELESS
        if self._sent_at is not None and time.monotonic() - self._sent_at > hopeless_s:
            self._counts["unavailable"] += 1
            raise RecorderUnavailable(
                f"The database has not answered for {hopeless_s:g} s; nothing was recorded."
            )
        self._waiting.append(entry)
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="recorder", daemon=True)
            self._thread.start()
            atexit.register(self.close)

    def _give_up(self, entry: _Entry) -> None:
        with self._changed:
            if entry.state is _State.DONE:
                return
            if entry.state is _State.WAITING:
                self._waiting.remove(entry)
                self._counts["dropped"] += 1
                outcome = "nothing was recorded"
            else:
                entry.abandoned = True
                self._counts["unanswered"] += 1
                outcome = "if it is recorded later, it is marked as not answered"
        raise RecorderUnavailable(
            f"The database did not store the record within {self._timeout_s:g} s; {outcome}."
        )

    def stats(self) -> RecorderStats:
        """The figures of this process."""
        with self._changed:
            return RecorderStats(
                rows=self._counts["rows"],
                batches=dict(sorted(self._sizes.items())),
                commit_seconds=self._commit_seconds,
                refused=self._counts["refused"],
                unavailable=self._counts["unavailable"],
                dropped=self._counts["dropped"],
                unanswered=self._counts["unanswered"],
                reconnects=self._counts["reconnects"],
                waiting=len(self._waiting),
            )

    def close(self, timeout_s: float = 5.0) -> None:
        """Write what waits, take nothing more, and close the connection."""
        with self._changed:
            self._closing = True
            self._changed.notify()
        if self._thread is not None:
            self._thread.join(timeout_s)
            atexit.unregister(self.close)

    # --- The writer's side ---

    def _run(self) -> None:
        while batch := self._take():
            is_under_way, self._left = bool(self._left), []
            try:
                self._write(batch, is_under_way=is_under_way)
            except Exception:
                # Whatever it was, nobody may be left waiting, and the next batch is tried.
                logger.exception("the recorder failed")
                self._finish(batch, _unavailable, in_doubt=True)
        if self._link is not None:
            self._link.close()

    def _take(self) -> list[_Entry]:
        """All that waits, up to the bound in bytes; empty: the end.

        First of all what a caller sent by itself and could not see through.
        """
        with self._changed:
            self._link_is_taken = False  # the last batch is through
            while self._link_is_taken or not (self._has_work() or self._closing):
                self._changed.wait()
            if not self._has_work():
                return []
            self._take_link()
            if self._left:
                return self._left
            batch = [self._marking()] if self._marks else []
            size = 0
            while self._waiting and size < MAX_BATCH_BYTES:
                entry = self._waiting.popleft()
                entry.state = _State.SENT
                size += entry.size
                batch.append(entry)
            return batch

    def _has_work(self) -> bool:
        return bool(self._left or self._waiting or (self._marks and self._healthy))

    def _marking(self) -> _Entry:
        """The audit events that say whose callers were refused."""
        encoded = []
        for tenant_id, tenant, context_id in self._marks:
            stamp = ids.stamp(ids.EVENT)
            row = {
                "event_id": stamp.id,
                "created_at": stamp.at,
                "tenant_id": tenant_id,
                "tenant": tenant,
                "kind": UNANSWERED,
                "actor": "recorder",
                "actor_kind": AuditEvent.ActorKind.SYSTEM,
                "target_type": GatewayContext._meta.label_lower,
                "target_id": context_id,
            }
            encoded.append(rows.encode(AUDIT_EVENTS, row))
        marking = _Entry(encoded, list(self._marks), is_marking=True)
        marking.state = _State.SENT
        self._marks.clear()
        return marking

    def _write(self, batch: list[_Entry], *, is_under_way: bool = False) -> None:
        try:
            self._send(batch, is_under_way=is_under_way)
        except psycopg.Error as error:
            fault = _fault(error)
            if not fault.startswith(_ROW_FAULTS):
                self._note_failure(error)
                self._finish(batch, _unavailable, in_doubt=self._in_doubt)
            elif len(batch) > 1:
                for entry in batch:
                    self._write([entry])
            else:
                refusal = _refused(error)
                logger.error("a record is refused: %s", _description(error))
                self._finish(batch, lambda: refusal)
        else:
            self._note_success()
            self._finish(batch)

    def _note_failure(self, error: psycopg.Error) -> None:
        """One line per outage: every refused call would be one otherwise."""
        if self._failing_since is None:
            self._failing_since = time.monotonic()
            logger.error("recording fails: %s %s", type(error).__name__, _fault(error))

    def _note_success(self) -> None:
        if self._failing_since is not None:
            away_s = time.monotonic() - self._failing_since
            self._failing_since = None
            logger.warning("recording works again after %.1f s", away_s)

    def _send(self, batch: list[_Entry], *, is_under_way: bool) -> None:
        """Commit the batch; once more, on a new connection, if the first was lost.

        `is_under_way`: it was sent already, and only its answer is missing.
        """
        insert = rows.insert([row for entry in batch for row in entry.rows])
        if not is_under_way:
            self._begin()
        for last in (False, True):
            if self._link is None:
                self._link = Link(self._connect_anew())
            try:
                if not is_under_way:
                    self._link.send(*insert)
                self._link.wait()
            except psycopg.Error as error:
                lost = self._link.is_lost or _fault(error) in _ENDING
                if not lost and _fault(error) != _READ_ONLY:
                    raise
                self._in_doubt |= lost
                self._link.close()
                self._link = None
                if last:
                    raise
                is_under_way = False
                self._counts["reconnects"] += 1
            else:
                return

    def _finish(
        self,
        batch: list[_Entry],
        failure: Callable[[], Exception] | None = None,
        *,
        in_doubt: bool = False,
    ) -> None:
        """Tell the callers; `failure` makes the error for each, None is success."""
        with self._changed:
            self._settle(batch, failure, in_doubt=in_doubt)

    def _settle(
        self,
        batch: list[_Entry],
        failure: Callable[[], Exception] | None = None,
        *,
        in_doubt: bool = False,
    ) -> None:
        if self._sent_at is not None:
            self._commit_seconds += time.monotonic() - self._sent_at
        self._sent_at = None
        self._healthy = failure is not _unavailable
        for entry in batch:
            if entry.state is _State.DONE:
                continue
            entry.state = _State.DONE
            entry.error = failure() if failure else None
            late = entry.abandoned and failure is None
            unmarked = failure is not None if entry.is_marking else late or in_doubt
            if unmarked:
                self._marks.extend(entry.decisions)
            entry.done.release()
        self._count(batch, failure)

    def _count(self, batch: list[_Entry], failure: Callable[[], Exception] | None) -> None:
        size = sum(len(entry.rows) for entry in batch)
        if failure is None:
            self._counts["rows"] += size
            self._sizes[1 << (size - 1).bit_length()] += 1
        else:
            self._counts["unavailable" if failure is _unavailable else "refused"] += len(batch)


class InlineRecorder:
    """Writes on Django's connection, in the caller's transaction if there is one."""

    def record(self, table: str, row: Row) -> None:
        """Store one row; durable with the caller's transaction, or at once without one."""
        self.record_all([(table, row)])

    def record_all(self, together: Sequence[tuple[str, Row]]) -> None:
        """Store rows of any tables, all or none."""
        insert = rows.insert([rows.encode(table, row) for table, row in together])
        # A savepoint, so that a refused row does not spoil the caller's transaction.
        inside = transaction.atomic() if connection.in_atomic_block else nullcontext()
        try:
            with inside, connection.cursor() as cursor:
                cursor.execute(*insert.for_django())
        except DatabaseError as error:
            cause = error.__cause__
            if isinstance(cause, psycopg.Error) and _fault(cause).startswith(_ROW_FAULTS):
                raise _refused(cause) from error
            raise _unavailable() from error


def open_connection() -> psycopg.Connection:
    """A connection to Django's default database, outside Django's pool, whose commits are durable.

    Raises:
        psycopg.Error: there is none to be had within two seconds.
    """
    parameters = connection.get_connection_params()
    for of_django in ("context", "cursor_factory", "prepare_threshold"):
        parameters.pop(of_django, None)
    parameters.setdefault("connect_timeout", CONNECT_TIMEOUT_S)
    parameters.setdefault("tcp_user_timeout", STATEMENT_TIMEOUT_MS)
    parameters.setdefault("application_name", "axonportal recorder")
    opened = psycopg.connect(**parameters, autocommit=True)
    try:
        opened.execute(_SETUP, [f"{STATEMENT_TIMEOUT_MS}ms"])
    except psycopg.Error:
        opened.close()
        raise
    return opened


def _fault(error: psycopg.Error) -> str:
    return error.sqlstate or ""


def _description(error: psycopg.Error) -> str:
    """What is wrong with a row, without its values: PostgreSQL's own message may quote them."""
    place = error.diag.constraint_name or error.diag.column_name or error.diag.table_name or ""
    return f"{type(error).__name__} {place}".strip()


def _unavailable() -> Exception:
    return RecorderUnavailable(
        "The database is away, so the record could not be stored. Try again in a moment."
    )


def _refused(error: psycopg.Error) -> Exception:
    return RecordRefused(f"The database does not accept the record: {_description(error)}.")


# The recorders of this process, so that a fork can start afresh.
_alive: weakref.WeakSet[GroupRecorder] = weakref.WeakSet()


def _after_fork() -> None:
    for each in _alive:
        each.start_afresh()


os.register_at_fork(after_in_child=_after_fork)

_inline = InlineRecorder()


@cache
def _group() -> GroupRecorder:
    return GroupRecorder(timeout_s=settings.AXON_DECISION_TIMEOUT_MS / 1000)


def recorder() -> Recorder:
    """The recorder that `AXON_RECORDER` names: `group` or `inline`."""
    return _group() if settings.AXON_RECORDER == "group" else _inline
