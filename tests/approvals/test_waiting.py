"""Calls that wait for a person: woken by the answer, whoever gives it, and by nothing else."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from approvals import services
from approvals.models import ApprovalRequest
from approvals.waiting import Waiting, waiting
from axonportal.accounts.models import Tenant
from axonportal.common import changes
from tests.approvals.holding import QUERY, answered, seed_policy
from tests.factories import approver
from tests.gateway.calling import Api, is_a_problem

pytestmark = pytest.mark.django_db(transaction=True)
LONG_S = 20.0  # a test that has to wait for it has failed


def soon(condition: object) -> None:
    """Until `condition()` holds; it has `LONG_S`."""
    end = time.monotonic() + LONG_S
    while not condition():  # type: ignore[operator]
        assert time.monotonic() < end
        time.sleep(0.01)


def call(api: Api, wait_s: float, query: str = QUERY) -> dict[str, object]:
    try:
        return api.pre_check(query, wait_s=wait_s)
    finally:
        connection.close()


def test_a_call_that_waits_passes_as_soon_as_it_is_approved(api: Api, tenant: Tenant) -> None:
    seed_policy(tenant)
    with ThreadPoolExecutor(1) as pool:
        waits = pool.submit(call, api, LONG_S)
        soon(lambda: waiting._count)

        answered(ApprovalRequest.objects.get().pk, approver(tenant))

        answer = waits.result(timeout=LONG_S / 2)
    assert answer["approved"] is True
    assert api.pre_check(QUERY)["approved"] is False  # the call that waited used the grant


def test_a_call_that_waits_hears_of_a_denial(api: Api, tenant: Tenant) -> None:
    seed_policy(tenant)
    with ThreadPoolExecutor(1) as pool:
        waits = pool.submit(call, api, LONG_S)
        soon(lambda: waiting._count)

        answered(ApprovalRequest.objects.get().pk, approver(tenant), "deny", "Not today.")

        answer = waits.result(timeout=LONG_S / 2)
    assert (answer["approved"], answer["verdict"]) == (False, "deny")
    assert "Not today." in str(answer["block_reason"])


def test_without_an_answer_it_is_held_when_its_time_is_over(api: Api, tenant: Tenant) -> None:
    seed_policy(tenant)

    answer = api.pre_check(QUERY, wait_s=0.05)

    assert (answer["approved"], answer["verdict"]) == (False, "hold")


def test_of_calls_that_wait_for_the_same_one_passes(api: Api, tenant: Tenant) -> None:
    seed_policy(tenant)
    with ThreadPoolExecutor(5) as pool:
        calls = [pool.submit(call, api, LONG_S) for _ in range(5)]
        soon(lambda: waiting._count == 5)

        answered(ApprovalRequest.objects.get().pk, approver(tenant))
        soon(lambda: waiting._count == 0 or ApprovalRequest.objects.count() == 2)
        for request in ApprovalRequest.objects.open():
            services.answer(
                request.pk,
                tenant_ids=[tenant.pk],
                approver=approver(tenant),
                choice="deny",  # type: ignore[arg-type]
                reason="Once is enough.",
            )
        answers = [one.result(timeout=LONG_S) for one in calls]
    assert [answer["approved"] for answer in answers].count(True) == 1


def test_however_many_wait_one_question_finds_those_that_are_settled(
    api: Api, tenant: Tenant
) -> None:
    seed_policy(tenant)
    held = [api.pre_check(f"{QUERY} {n}")["approval"]["request_id"] for n in range(20)]
    own = Waiting()
    looks: list[tuple[int, int, int]] = []  # awaited, found, queries
    look = own._settled

    def counted(awaited: list[str]) -> list[str]:
        with CaptureQueriesContext(connection) as captured:
            found = look(awaited)
        looks.append((len(awaited), len(found), len(captured)))
        return found

    own._settled = counted  # type: ignore[method-assign]
    with ThreadPoolExecutor(20) as pool:
        waits = [pool.submit(own.until_settled, one, LONG_S) for one in held]
        soon(lambda: own._count == 20)
        ApprovalRequest.objects.update(status="denied", settled_at=services.database_now())
        own.note(services.TOPIC)

        assert all(one.result(timeout=LONG_S / 2) for one in waits)
    # A look that was under way at that moment may have met a part of them.
    assert sum(found for _awaited, found, _queries in looks) == 20
    assert max(found for _awaited, found, _queries in looks) >= 10
    assert {queries for _awaited, _found, queries in looks} == {1}


def test_past_the_number_that_may_wait_a_call_is_answered_at_once(settings: object) -> None:
    settings.AXON_MAX_WAITING = 0  # type: ignore[attr-defined]
    began = time.monotonic()

    assert Waiting().until_settled("apr_1", LONG_S) is False
    assert time.monotonic() - began < LONG_S / 2


def test_a_topic_of_something_else_wakes_nobody() -> None:
    own = Waiting()
    sleeper = threading.Thread(target=own.until_settled, args=("apr_1", 0.3))
    sleeper.start()
    soon(lambda: own._count and not own._look)

    own.note("policies")

    assert own._look is False
    sleeper.join()
    assert own.note not in changes._subscribers


@pytest.mark.parametrize("value", [-1, 1e9, "soon", True])
def test_a_time_that_is_none_is_refused(api: Api, value: object) -> None:
    answer = api.post("/api/policy/pre-check", {"query": QUERY, "wait_s": value})

    assert "wait_s" in is_a_problem(answer, 400)
