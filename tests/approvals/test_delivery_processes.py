"""Deliveries beside each other, and by processes that are killed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.db.models.functions import Now
from pytest_django import Settings

from approvals import tasks
from approvals.notifications import delivery, egress, nudge, workers
from approvals.notifications.models import WebhookTarget
from axonportal.accounts.models import Tenant
from tests.approvals.holding import QUERY, seed_policy
from tests.approvals.receiving import Hooks, Mailbox, hooks, until
from tests.approvals.test_mails import mail_rows, only_approver, pass_time
from tests.approvals.test_webhooks import rows, target
from tests.gateway.calling import Api

pytestmark = pytest.mark.django_db(transaction=True)
PROJECT = Path(__file__).resolve().parents[2]

DELIVER = """
import django
django.setup()
from django.conf import settings
settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", {port}
settings.DEFAULT_FROM_EMAIL = "portal@example.com"
from approvals.notifications import delivery
delivery.drain("mail")
"""


def test_a_worker_killed_between_sending_and_marking_loses_and_doubles_nothing(
    api: Api, tenant: Tenant, box: Mailbox
) -> None:
    only_approver(tenant)
    seed_policy(tenant)
    api.pre_check(QUERY)
    database = connection.get_connection_params()
    process: subprocess.Popen[bytes] | None = None

    def kill() -> None:
        assert process is not None
        os.kill(process.pid, signal.SIGKILL)

    box.on_data = kill  # the server has the mail; the worker never hears so
    environment = os.environ | {
        "DJANGO_SETTINGS_MODULE": "tests.settings",
        "AXON_DATABASE_URL": f"postgresql://{database['user']}@/{database['dbname']}"
        f"?host={database['host']}"
        + (f"&passfile={database['passfile']}" if "passfile" in database else ""),
    }
    process = subprocess.Popen(
        [sys.executable, "-c", DELIVER.format(port=box.port)], cwd=PROJECT, env=environment
    )
    assert process.wait(60) == -signal.SIGKILL
    box.on_data = None
    row = mail_rows().get()
    assert (row.status, row.attempts) == ("pending", 1)
    assert delivery.drain("mail") == 0  # the dead worker's lease still holds

    pass_time(seconds=delivery.LEASE.total_seconds())
    delivery.drain("mail")

    first, second = box.mails
    assert first["Message-ID"] == second["Message-ID"]  # by which a mailbox knows a repeat
    assert mail_rows().get().status == "sent"
    assert delivery.drain("mail") == 0


def test_a_receiver_that_hangs_holds_up_nobody(
    api: Api, tenant: Tenant, box: Mailbox, receiver: Hooks, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(egress, "TIMEOUT_S", 4.0)
    only_approver(tenant)
    seed_policy(tenant)
    with hooks("127.0.0.2") as hanging:
        hanging.hang = threading.Event()
        target(tenant, hanging.url, name="hangs")
        target(tenant, receiver.url, name="works")
        for number in range(10):
            api.pre_check(f"{QUERY} {number}")
        began = time.monotonic()

        workers.wake()

        until(lambda: len(receiver.posts) == 10 and box.mails)
        assert time.monotonic() - began < egress.TIMEOUT_S
        assert len(hanging.posts) == delivery.LANE_AT_ONCE
        assert rows().filter(recipient="hangs", leased_until__gt=Now()).count() == 2
        hanging.hang.set()
        until(lambda: not rows().filter(status="pending").exists())
    until(_idle)


def test_one_that_never_answers_is_left_after_its_time_and_tried_later(
    api: Api, tenant: Tenant, receiver: Hooks, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(egress, "TIMEOUT_S", 0.3)
    receiver.hang = threading.Event()
    target(tenant, receiver.url)
    seed_policy(tenant)
    api.pre_check(QUERY)

    delivery.drain("webhook")

    row = rows().get()
    assert (row.status, row.last_error) == ("pending", "No answer within 0.3 s.")
    assert row.next_try_at > row.claimed_at + timedelta(seconds=delivery.BACKOFF_S[0] - 1)


@pytest.mark.parametrize(
    ("hosts", "at_once"),
    [(1, delivery.LANE_AT_ONCE), (12, delivery.TENANT_AT_ONCE)],
    ids=["one host", "twelve hosts"],
)
def test_one_host_and_one_tenant_leave_room_for_others(
    api: Api,
    tenant: Tenant,
    receiver: Hooks,
    resolver: dict[str, list[str]],
    hosts: int,
    at_once: int,
) -> None:
    receiver.hang = threading.Event()
    for number in range(12):
        host = f"host-{number % hosts}.test"
        resolver[host] = ["127.0.0.1"]
        target(tenant, f"http://{host}:{receiver.port}/{number}", name=f"t{number}")
    seed_policy(tenant)
    api.pre_check(QUERY)

    for _ in range(at_once):  # by themselves, as one after the other would
        assert delivery.claim("webhook")
    assert delivery.claim("webhook") == []
    pass_time(seconds=delivery.LEASE.total_seconds())

    workers.wake()
    until(lambda: len(receiver.posts) >= at_once)
    receiver.hang.set()
    until(lambda: len(receiver.posts) == 12)
    until(_idle)
    assert set(rows().values_list("status", flat=True)) == {"sent"}


def test_two_workers_at_once_send_everything_once(
    api: Api, tenant: Tenant, receiver: Hooks
) -> None:
    target(tenant, receiver.url)
    seed_policy(tenant)
    for number in range(12):
        api.pre_check(f"{QUERY} {number}")

    def work() -> None:
        try:
            delivery.drain("webhook")
        finally:
            connection.close()

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    delivery.drain("webhook")

    ids = [post.headers["X-Axon-Delivery-Id"] for post in receiver.posts]
    assert len(ids) == len(set(ids)) == 12


def test_after_a_commit_the_workers_are_nudged_and_a_broker_that_is_down_harms_nobody(
    api: Api, tenant: Tenant, box: Mailbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    only_approver(tenant)
    seed_policy(tenant)
    tried = threading.Event()

    def down(**options: Any) -> None:
        tried.set()
        raise ConnectionRefusedError

    monkeypatch.setattr(tasks.deliver, "apply_async", down)
    monkeypatch.setattr(nudge, "_nudger", nudge.Nudger())

    answer = api.pre_check(QUERY)

    assert answer["verdict"] == "hold"
    assert tried.wait(5)
    tasks.deliver()  # the sweep, which beat sends every ten seconds
    until(lambda: box.mails)
    until(_idle)


def test_the_nudge_makes_the_workers_deliver(
    api: Api, tenant: Tenant, box: Mailbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    only_approver(tenant)
    seed_policy(tenant)
    monkeypatch.setattr(tasks.deliver, "apply_async", lambda **options: tasks.deliver())
    monkeypatch.setattr(nudge, "_nudger", nudge.Nudger())

    api.pre_check(QUERY)

    until(lambda: box.mails)
    until(_idle)


def _idle() -> bool:
    return all(crew._busy == 0 for crew in workers.crews)


def test_what_crashes_its_worker_again_and_again_is_given_up(
    api: Api, tenant: Tenant, receiver: Hooks, settings: Settings
) -> None:
    target(tenant, receiver.url)
    seed_policy(tenant)
    api.pre_check(QUERY)
    delivery.claim("webhook")  # and nobody comes back
    pass_time(seconds=delivery.GIVE_UP_AFTER.total_seconds())

    delivery.drain("webhook")

    assert rows().get().status == "failed"
    assert receiver.posts == []
    assert WebhookTarget.objects.count() == 1
