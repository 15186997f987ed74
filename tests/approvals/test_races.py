"""What happens at the same moment, each caller with a connection of its own."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.db import connection

from approvals.errors import ApprovalClosed
from approvals.models import Answer, ApprovalRequest, Grant
from axonportal.accounts.models import Tenant
from tests.approvals.holding import QUERY, answered, seed_policy
from tests.factories import approver
from tests.gateway.calling import Api

pytestmark = pytest.mark.django_db(transaction=True)
CALLERS = 8


def at_once(*calls: Callable[[], Any]) -> list[Any]:
    """What the calls gave or raised, all begun at one moment."""
    gate = threading.Barrier(len(calls))

    def run(call: Callable[[], Any]) -> Any:
        try:
            gate.wait()
            return call()
        except Exception as error:  # compared by the test
            return error
        finally:
            connection.close()

    with ThreadPoolExecutor(len(calls)) as pool:
        return list(pool.map(run, calls))


@pytest.fixture
def held(api: Api, tenant: Tenant) -> str:
    seed_policy(tenant)
    return str(api.pre_check(QUERY)["approval"]["request_id"])


def test_of_callers_at_once_one_uses_the_grant(api: Api, tenant: Tenant, held: str) -> None:
    answered(held, approver(tenant))

    answers = at_once(*[lambda: api.pre_check(QUERY)] * CALLERS)

    assert sorted(answer["approved"] for answer in answers) == [False] * (CALLERS - 1) + [True]
    [used] = [answer for answer in answers if answer["approved"]]
    assert Grant.objects.get().context_id == used["context_id"]
    # The others wait for another approval, all for the same.
    assert ApprovalRequest.objects.filter(status="pending").count() == 1


def test_calls_at_once_open_one_request(api: Api, tenant: Tenant) -> None:
    seed_policy(tenant)

    answers = at_once(*[lambda: api.pre_check(QUERY)] * CALLERS)

    assert len({answer["approval"]["request_id"] for answer in answers}) == 1
    assert ApprovalRequest.objects.get().asked == CALLERS


def test_of_two_answers_at_once_one_settles_and_the_other_is_told(
    tenant: Tenant, held: str
) -> None:
    yes, no = approver(tenant), approver(tenant)

    answers = at_once(lambda: answered(held, yes), lambda: answered(held, no, "deny"))

    [late] = [answer for answer in answers if isinstance(answer, Exception)]
    assert isinstance(late, ApprovalClosed)
    request = ApprovalRequest.objects.get()
    assert Answer.objects.count() == 1
    assert Grant.objects.count() == (request.status == "approved")


def test_of_two_approvals_at_once_that_make_the_quorum_there_is_one_grant(
    api: Api, tenant: Tenant
) -> None:
    first, second = approver(tenant), approver(tenant)
    seed_policy(tenant, quorum=2)
    held = api.pre_check(QUERY)["approval"]["request_id"]

    at_once(lambda: answered(held, first), lambda: answered(held, second))

    assert ApprovalRequest.objects.get().status == "approved"
    assert Grant.objects.count() == 1


def test_a_double_click_is_one_answer(tenant: Tenant, held: str) -> None:
    person = approver(tenant)

    answers = at_once(*[lambda: answered(held, person)] * 2)

    assert [answer.status for answer in answers] == ["approved"] * 2
    assert Answer.objects.count() == Grant.objects.count() == 1
