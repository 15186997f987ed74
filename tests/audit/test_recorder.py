"""Promise 2: answered means recorded. What a caller of the recorder may rely on."""

from __future__ import annotations

import os
import threading
import time
import warnings
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import psycopg
import pytest
from django.db import connection, transaction

from audit.errors import RecorderUnavailable, RecordRefused
from audit.link import Link
from audit.models import (
    AUDIT_EVENTS,
    GATEWAY_CONTEXTS,
    TOOL_CALLS,
    AuditEvent,
    GatewayContext,
    ToolCall,
)
from audit.recorder import (
    MAX_WAITING,
    UNANSWERED,
    GroupRecorder,
    InlineRecorder,
    open_connection,
    recorder,
)
from tests.audit.records import decision, one_of_each

PATIENCE_S = 10


class Database:
    """The way to the database, which can be closed and whose connections are counted."""

    def __init__(self) -> None:
        self.is_away = False
        self.opened: list[int] = []

    def connect(self) -> psycopg.Connection:
        if self.is_away:
            raise psycopg.OperationalError("connection refused")
        opened = open_connection()
        self.opened.append(opened.info.backend_pid)
        return opened


@pytest.fixture
def database() -> Database:
    return Database()


@pytest.fixture
def recorder_of(
    transactional_db: None, database: Database
) -> Iterator[Callable[..., GroupRecorder]]:
    made: list[GroupRecorder] = []

    def make(*, timeout_s: float = PATIENCE_S, max_waiting: int = MAX_WAITING) -> GroupRecorder:
        made.append(GroupRecorder(database.connect, timeout_s=timeout_s, max_waiting=max_waiting))
        return made[-1]

    yield make
    for each in made:
        each.close()


@pytest.fixture
def callers() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(64) as pool:
        yield pool


@contextmanager
def stalled(other: psycopg.Connection) -> Iterator[None]:
    """While it lasts, nothing can be added to the decisions."""
    with other.transaction():
        other.execute("LOCK TABLE gateway_contexts IN SHARE MODE")
        yield


def until(condition: Callable[[], bool]) -> None:
    """Wait for what another thread is about to do."""
    end = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < end, "it never happened"
        time.sleep(0.005)


def waits_for_lock(other: psycopg.Connection) -> bool:
    # pg_stat_activity would stay as it was when the transaction first looked.
    row = other.execute(
        "SELECT count(*) FROM pg_locks WHERE NOT granted "
        "AND relation = 'gateway_contexts'::regclass"
    ).fetchone()
    return row is not None and row[0] > 0


def send(
    group: GroupRecorder, other: psycopg.Connection, callers: ThreadPoolExecutor, row: dict
) -> Future:
    """Have `row` sent and stuck in the database."""
    sent = callers.submit(group.record, GATEWAY_CONTEXTS, row)
    until(lambda: waits_for_lock(other))
    return sent


def stored_ids(other: psycopg.Connection) -> set[str]:
    return {name for (name,) in other.execute("SELECT context_id FROM gateway_contexts")}


def test_a_row_is_there_for_everybody_when_record_returns(group, other):
    row = decision(query="DROP TABLE users", verdict="deny", query_sha256=b"\x01\xff")

    group.record(GATEWAY_CONTEXTS, row)

    assert stored_ids(other) == {row["context_id"]}
    kept = GatewayContext.objects.get()
    assert {name: getattr(kept, name) for name in row} == row


@pytest.mark.parametrize("default", ["off", "local", "on"])
@pytest.mark.django_db
def test_commits_wait_for_the_disk_whatever_the_servers_default_is(default, monkeypatch):
    options = connection.settings_dict["OPTIONS"]
    monkeypatch.setitem(options, "options", f"-c synchronous_commit={default}")

    with open_connection() as opened:
        assert opened.execute("SHOW synchronous_commit").fetchone() == ("on",)


@pytest.mark.django_db
def test_a_stronger_default_of_the_server_stays(monkeypatch):
    options = connection.settings_dict["OPTIONS"]
    monkeypatch.setitem(options, "options", "-c synchronous_commit=remote_apply")

    with open_connection() as opened:
        assert opened.execute("SHOW synchronous_commit").fetchone() == ("remote_apply",)


def test_all_that_waits_during_a_commit_goes_into_the_next_one(group, other, callers):
    with stalled(other):
        first = send(group, other, callers, decision())
        later = [callers.submit(group.record, GATEWAY_CONTEXTS, decision()) for _ in range(32)]
        until(lambda: group.stats().waiting == 32)
    for each in [first, *later]:
        each.result(PATIENCE_S)

    assert group.stats().batches == {1: 1, 32: 1}
    assert len(stored_ids(other)) == 33


def test_thirty_two_threads_lose_nothing_and_need_fewer_commits_than_rows(group, other, callers):
    rows = [decision(query=f"SELECT {number}") for number in range(640)]

    list(callers.map(lambda row: group.record(GATEWAY_CONTEXTS, row), rows))

    assert stored_ids(other) == {row["context_id"] for row in rows}
    stats = group.stats()
    assert stats.rows == 640
    assert sum(stats.batches.values()) < 640


def test_rows_of_several_tables_stand_or_fall_together(group):
    rows = one_of_each()

    group.record_all(list(rows.items()))
    with pytest.raises(RecordRefused):
        group.record_all(
            [
                (TOOL_CALLS, one_of_each()[TOOL_CALLS]),
                (GATEWAY_CONTEXTS, decision(user_id="u" * 256)),
            ]
        )

    assert group.stats().batches == {4: 1}
    assert GatewayContext.objects.count() == ToolCall.objects.count() == 1


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"user_id": "u" * 256}, "StringDataRightTruncation"),
        ({"approved": True, "verdict": "deny"}, "gateway_context_approved_iff_allow"),
        ({"duration_us": 2**63 - 1, "policy_revision": "x"}, "InvalidTextRepresentation"),
    ],
    ids=["too long", "approved and denied", "no number"],
)
def test_a_bad_row_fails_alone_and_the_reason_names_no_value(group, other, callers, fields, reason):
    good = [decision() for _ in range(3)]
    with stalled(other):
        first = send(group, other, callers, good[0])
        bad = callers.submit(group.record, GATEWAY_CONTEXTS, decision(**fields))
        rest = [callers.submit(group.record, GATEWAY_CONTEXTS, row) for row in good[1:]]
        until(lambda: group.stats().waiting == 3)

    with pytest.raises(RecordRefused, match=reason) as refused:
        bad.result(PATIENCE_S)
    for each in [first, *rest]:
        each.result(PATIENCE_S)
    assert stored_ids(other) == {row["context_id"] for row in good}
    assert "uuu" not in str(refused.value)


def test_nul_and_lone_surrogates_are_stored_as_replacement_characters(group):
    group.record(GATEWAY_CONTEXTS, decision(query="a\0b\ud800", context={"\0": "\udfff"}))

    kept = GatewayContext.objects.get()
    assert kept.query == "a\ufffdb\ufffd"
    assert kept.context == {"\ufffd": "\ufffd"}


def test_a_row_sent_twice_is_one_row(group, other):
    row = decision()

    group.record(GATEWAY_CONTEXTS, row)
    group.record(GATEWAY_CONTEXTS, row)

    assert stored_ids(other) == {row["context_id"]}


def test_a_connection_that_died_meanwhile_is_replaced_unnoticed(recorder_of, database, other):
    group = recorder_of()
    group.record(GATEWAY_CONTEXTS, decision())

    other.execute("SELECT pg_terminate_backend(%s, 5000)", database.opened)
    group.record(GATEWAY_CONTEXTS, decision())

    assert len(stored_ids(other)) == 2
    assert group.stats().reconnects == 1


def test_a_connection_that_dies_under_a_row_is_replaced_and_the_row_is_there_once(
    recorder_of, database, other, callers
):
    group, row = recorder_of(), decision()
    with stalled(other):
        sent = send(group, other, callers, row)
        other.execute("SELECT pg_terminate_backend(%s, 5000)", database.opened)
        until(lambda: len(database.opened) == 2)

    sent.result(PATIENCE_S)

    assert stored_ids(other) == {row["context_id"]}
    assert not AuditEvent.objects.exists()


def test_without_a_database_a_caller_is_refused_at_once_and_served_when_it_is_back(
    recorder_of, database, other
):
    group, lost, kept = recorder_of(), decision(), decision()
    database.is_away = True

    start = time.monotonic()
    with pytest.raises(RecorderUnavailable, match="database is away"):
        group.record(GATEWAY_CONTEXTS, lost)
    assert time.monotonic() - start < 1
    database.is_away = False
    group.record(GATEWAY_CONTEXTS, kept)

    assert stored_ids(other) == {kept["context_id"]}
    assert not AuditEvent.objects.exists()


def test_an_outage_is_two_lines_in_the_log_however_many_are_refused(recorder_of, database, caplog):
    group = recorder_of()
    database.is_away = True
    for _ in range(5):
        with pytest.raises(RecorderUnavailable):
            group.record(GATEWAY_CONTEXTS, decision())
    database.is_away = False

    group.record(GATEWAY_CONTEXTS, decision())

    assert [record.message[:22] for record in caplog.records] == [
        "recording fails: Opera",
        "recording works again ",
    ]


def test_a_row_whose_fate_nobody_knows_is_marked_as_soon_as_the_database_is_back(
    recorder_of, database, other, callers
):
    group, doubtful = recorder_of(), decision()
    with stalled(other):
        sent = send(group, other, callers, doubtful)
        database.is_away = True
        other.execute("SELECT pg_terminate_backend(%s, 5000)", database.opened)
        with pytest.raises(RecorderUnavailable):
            sent.result(PATIENCE_S)
        with pytest.raises(RecorderUnavailable):  # the mark outlives a failed try of its own
            group.record(GATEWAY_CONTEXTS, decision())
        database.is_away = False
    assert not AuditEvent.objects.exists()

    group.record(GATEWAY_CONTEXTS, decision())

    event = AuditEvent.objects.get()
    assert (event.kind, event.target_id) == (UNANSWERED, doubtful["context_id"])
    assert (event.actor_kind, event.tenant_id) == ("system", doubtful["tenant_id"])


def test_a_caller_who_gives_up_while_waiting_has_no_row_and_one_already_sent_a_marked_row(
    recorder_of, other, callers
):
    group, sent, waiting = recorder_of(timeout_s=0.3), decision(), decision()
    with stalled(other):
        first = send(group, other, callers, sent)
        second = callers.submit(group.record, GATEWAY_CONTEXTS, waiting)
        with pytest.raises(RecorderUnavailable, match="if it is recorded later, it is marked"):
            first.result(PATIENCE_S)
        with pytest.raises(RecorderUnavailable, match="nothing was recorded"):
            second.result(PATIENCE_S)

    until(AuditEvent.objects.exists)

    assert stored_ids(other) == {sent["context_id"]}
    event = AuditEvent.objects.get()
    assert (event.kind, event.target_id) == (UNANSWERED, sent["context_id"])
    stats = group.stats()
    assert (stats.dropped, stats.unanswered, stats.waiting) == (1, 1, 0)


def test_while_the_database_does_not_answer_newcomers_are_refused_without_waiting(
    recorder_of, other, callers
):
    group = recorder_of(timeout_s=0.2)
    with stalled(other):
        first = send(group, other, callers, decision())
        with pytest.raises(RecorderUnavailable):
            first.result(PATIENCE_S)

        start = time.monotonic()
        with pytest.raises(RecorderUnavailable, match="has not answered for"):
            group.record(GATEWAY_CONTEXTS, decision())
        assert time.monotonic() - start < 0.1


@pytest.fixture
def senders(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the threads that sent something, in order."""
    names: list[str] = []
    send_it = Link.send

    def send(self: Link, *insert: Any) -> None:
        names.append(threading.current_thread().name)
        send_it(self, *insert)

    monkeypatch.setattr(Link, "send", send)
    return names


def test_a_caller_who_is_alone_sends_its_own_row_once_the_way_is_known(recorder_of, senders, other):
    group, mine = recorder_of(), threading.current_thread().name

    for _ in range(3):
        group.record(GATEWAY_CONTEXTS, decision())
        until(lambda: not group._link_is_taken)
    group.record(TOOL_CALLS, one_of_each()[TOOL_CALLS])  # prepared by the thread first

    assert senders == ["recorder", mine, mine, "recorder"]
    assert len(stored_ids(other)) == 3
    assert group.stats().batches == {1: 4}


def alone(group: GroupRecorder) -> None:
    """Have the next caller of `group` send its own row."""
    group.record(GATEWAY_CONTEXTS, decision())
    until(lambda: not group._link_is_taken)


def test_those_who_come_while_a_caller_sends_its_own_row_go_together_behind_it(
    recorder_of, senders, other, callers
):
    group = recorder_of()
    alone(group)
    with stalled(other):
        first = send(group, other, callers, decision())
        later = [callers.submit(group.record, GATEWAY_CONTEXTS, decision()) for _ in range(8)]
        until(lambda: group.stats().waiting == 8)
    for each in [first, *later]:
        each.result(PATIENCE_S)

    assert group.stats().batches == {1: 2, 8: 1}
    assert [name == "recorder" for name in senders] == [True, False, True]


def test_a_caller_who_gives_up_on_its_own_row_leaves_it_to_the_thread_and_it_is_marked(
    recorder_of, other, callers
):
    group, row = recorder_of(timeout_s=0.3), decision()
    alone(group)
    with stalled(other):
        sent = send(group, other, callers, row)
        with pytest.raises(RecorderUnavailable, match="if it is recorded later, it is marked"):
            sent.result(PATIENCE_S)

    until(AuditEvent.objects.exists)

    assert row["context_id"] in stored_ids(other)
    assert (AuditEvent.objects.get().kind, group.stats().unanswered) == (UNANSWERED, 1)


def test_a_connection_that_dies_under_a_callers_own_row_is_replaced_and_the_row_is_there_once(
    recorder_of, database, other, callers
):
    group, row = recorder_of(), decision()
    alone(group)
    with stalled(other):
        sent = send(group, other, callers, row)
        other.execute("SELECT pg_terminate_backend(%s, 5000)", database.opened)
        until(lambda: len(database.opened) == 2)

    sent.result(PATIENCE_S)

    assert row["context_id"] in stored_ids(other)
    assert not AuditEvent.objects.exists()


def test_a_session_that_the_server_ends_is_lost_before_its_end_is_seen(
    recorder_of, database, other, monkeypatch
):
    group, row = recorder_of(), decision()
    alone(group)
    monkeypatch.setattr(Link, "is_lost", False)  # as long as only the server's word has arrived
    other.execute("SELECT pg_terminate_backend(%s, 5000)", database.opened)

    group.record(GATEWAY_CONTEXTS, row)

    assert row["context_id"] in stored_ids(other)
    assert group.stats().unavailable == 0


def test_a_callers_own_row_that_cannot_even_be_sent_is_never_taken_for_stored(
    recorder_of, database, other
):
    group, row = recorder_of(), decision()
    alone(group)
    database.is_away = True
    assert group._link is not None
    group._link.close()

    with pytest.raises(RecorderUnavailable, match="database is away"):
        group.record(GATEWAY_CONTEXTS, row)
    assert row["context_id"] not in stored_ids(other)
    database.is_away = False
    group.record(GATEWAY_CONTEXTS, row)

    assert row["context_id"] in stored_ids(other)


def test_a_callers_own_bad_row_is_refused_and_the_next_one_stored(recorder_of, other):
    group, good = recorder_of(), decision()
    alone(group)

    with pytest.raises(RecordRefused, match="gateway_context_approved_iff_allow"):
        group.record(GATEWAY_CONTEXTS, decision(approved=True, verdict="deny"))
    group.record(GATEWAY_CONTEXTS, good)

    assert good["context_id"] in stored_ids(other)
    assert group.stats().refused == 1


@pytest.mark.parametrize("together", [1, 2], ids=["one row", "several rows"])
def test_every_value_arrives_as_it_was_whether_a_row_goes_alone_or_not(group, other, together):
    rows = [
        decision(
            query='it\'s \\ a "line"\n{,}',
            query_sha256=b"\x00\\'\xff",
            context={"deep": [{"a": None, "b": 1.5, "c": "\\u0041"}], "big": 2**70},
            data_sources=["", 'say "hi"', "back\\slash", "{a,b}", "NULL", "two\nlines", "ä"],
            triggered_policies=[],
            duration_us=2**40,
            requires_redaction=True,
            expires_at=None,
        )
        for _ in range(together)
    ]

    group.record_all([(GATEWAY_CONTEXTS, row) for row in rows])

    for row in rows:
        kept = GatewayContext.objects.get(pk=row["context_id"])
        expected = row | {"context": {**row["context"], "big": str(2**70)}}
        assert {name: getattr(kept, name) for name in row} == expected


def test_a_full_queue_refuses_at_once(recorder_of, other, callers):
    group = recorder_of(max_waiting=2)
    with stalled(other):
        sent = send(group, other, callers, decision())
        waiting = [callers.submit(group.record, GATEWAY_CONTEXTS, decision()) for _ in range(2)]
        until(lambda: group.stats().waiting == 2)

        with pytest.raises(RecorderUnavailable, match="2 records already wait"):
            group.record(GATEWAY_CONTEXTS, decision())
    for each in [sent, *waiting]:
        each.result(PATIENCE_S)

    assert len(stored_ids(other)) == 3


def test_closing_writes_what_waits_and_takes_nothing_more(recorder_of, other, callers):
    group = recorder_of()
    with stalled(other):
        sent = send(group, other, callers, decision())
        waiting = callers.submit(group.record, GATEWAY_CONTEXTS, decision())
        until(lambda: group.stats().waiting == 1)
        closing = callers.submit(group.close)
    closing.result(PATIENCE_S)
    sent.result(PATIENCE_S)
    waiting.result(PATIENCE_S)

    with pytest.raises(RecorderUnavailable, match="stopping"):
        group.record(GATEWAY_CONTEXTS, decision())

    assert len(stored_ids(other)) == 2
    assert "recorder" not in {thread.name for thread in threading.enumerate()}


def test_a_fork_has_a_writer_of_its_own_and_leaves_its_parents_alone(recorder_of, database, other):
    group, childs = recorder_of(), decision(query="child")
    group.record(GATEWAY_CONTEXTS, decision())

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # of forking with threads, in 3.12
        child = os.fork()
    if child == 0:
        try:
            group.record(GATEWAY_CONTEXTS, childs)
            group.close()
        finally:
            os._exit(0)
    os.waitpid(child, 0)
    group.record(GATEWAY_CONTEXTS, decision())

    assert childs["context_id"] in stored_ids(other)
    assert len(stored_ids(other)) == 3
    assert (group.stats().reconnects, len(database.opened)) == (0, 1)


def test_a_recorder_writes_in_its_own_transaction_not_in_the_callers(group, other):
    row = decision()

    with transaction.atomic():
        group.record(GATEWAY_CONTEXTS, row)
        transaction.set_rollback(True)

    assert stored_ids(other) == {row["context_id"]}


@pytest.mark.parametrize(("name", "kind"), [("group", GroupRecorder), ("inline", InlineRecorder)])
def test_the_setting_names_the_recorder(settings, name, kind):
    settings.AXON_RECORDER = name

    assert isinstance(recorder(), kind)
    assert recorder() is recorder()


@pytest.mark.django_db
def test_the_inline_recorder_stores_the_same_rows():
    rows = one_of_each()

    InlineRecorder().record_all(list(rows.items()))

    assert GatewayContext.objects.get().context_id == rows[GATEWAY_CONTEXTS]["context_id"]
    assert AuditEvent.objects.get().event_id == rows[AUDIT_EVENTS]["event_id"]
