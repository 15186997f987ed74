"""The demo's open door: programs on the same machine, called directly, and nobody else."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import Group
from django.test import RequestFactory
from pytest_django import Settings

from axonportal.accounts.models import Credential, Membership, Scope, Tenant, User
from axonportal.gateway import demo as demo_data
from policies.builtin import BUILTINS
from policies.models import Policy
from tests.approvals.holding import QUERY, answered, seed_policy
from tests.factories import ClientFactory, TenantFactory, issued
from tests.gateway.calling import HOOK, POLICIES, PRE_CHECK, Api, basic, is_a_problem

BODY = {"query": "ls", "client_id": "claude-code"}


def caller_at(monkeypatch: pytest.MonkeyPatch, address: str) -> None:
    """Let all calls come from that address."""
    name = "_base_environ"
    original = getattr(RequestFactory, name)

    def environ(self: RequestFactory, **request: object) -> dict[str, object]:
        return {**original(self, **request), "REMOTE_ADDR": address}

    monkeypatch.setattr(RequestFactory, name, environ)


def test_the_guides_calls_need_no_credentials(demo: Api) -> None:
    assert demo.post(PRE_CHECK, BODY).status == 200
    assert demo.get(POLICIES).status == 200
    assert demo.hook({"hook_event_name": "Stop"}) == {}


@pytest.mark.parametrize(
    ("header", "client_id"),
    [
        pytest.param(basic("claude-code", "your-secret"), "claude-code", id="the guide's SDK"),
        pytest.param(basic("client-id", "client-secret"), "client-id", id="the guide's curl"),
        pytest.param("Bearer your-secret", "claude-code", id="as Bearer"),
        pytest.param(basic("community", ""), "claude-code", id="the SDK unconfigured"),
        pytest.param(basic("claude-code", ""), "claude-code", id="a client without a secret"),
    ],
)
def test_the_printed_credentials_count(demo: Api, header: str, client_id: str) -> None:
    answer = demo.post(PRE_CHECK, {"query": "ls", "client_id": client_id}, Authorization=header)

    assert answer.status == 200, answer.body
    assert demo.get(POLICIES, Authorization=header).status == 200


@pytest.mark.parametrize(
    "headers",
    [
        pytest.param({"X-Forwarded-For": "203.0.113.9"}, id="X-Forwarded-For"),
        pytest.param({"X-Forwarded-For": "127.0.0.1"}, id="X-Forwarded-For of loopback"),
        pytest.param({"Forwarded": "for=203.0.113.9"}, id="Forwarded"),
        pytest.param({"X-Real-IP": "203.0.113.9"}, id="X-Real-IP"),
        pytest.param({"Via": "1.1 proxy"}, id="Via"),
        pytest.param({"Origin": "https://evil.example"}, id="another site's page"),
        pytest.param({"Origin": "null"}, id="a page without an origin"),
        pytest.param({"Sec-Fetch-Site": "cross-site"}, id="Sec-Fetch-Site: cross-site"),
        pytest.param({"Sec-Fetch-Site": "same-site"}, id="Sec-Fetch-Site: same-site"),
        pytest.param({"Host": "evil.example"}, id="a name that was made to point here"),
    ],
)
@pytest.mark.parametrize(
    "header", [None, basic("claude-code", "your-secret"), basic("community", "")]
)
def test_what_came_over_a_proxy_or_from_a_page_is_refused(
    demo: Api, headers: dict[str, str], header: str | None
) -> None:
    if header:
        headers = {**headers, "Authorization": header}

    decided = demo.post(PRE_CHECK, BODY, **headers)
    hooked = demo.post(HOOK, {"hook_event_name": "PreToolUse"}, **headers)
    listed = demo.get(POLICIES, **headers)

    is_a_problem(decided, 401)
    is_a_problem(hooked, 401)
    is_a_problem(listed, 401, decision=False)


@pytest.mark.parametrize("address", ["203.0.113.9", "10.0.0.5", "::ffff:10.0.0.5", "", "localhost"])
def test_another_machine_is_refused(
    demo: Api, address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    caller_at(monkeypatch, address)

    answer = demo.post(PRE_CHECK, BODY)
    printed = demo.post(PRE_CHECK, BODY, Authorization=basic("claude-code", "your-secret"))

    assert "only to programs on its own machine" in is_a_problem(answer, 401)
    is_a_problem(printed, 401)


@pytest.mark.parametrize("address", ["127.0.0.1", "127.8.8.8", "::1"])
def test_loopback_is_any_address_of_it(
    demo: Api, address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    caller_at(monkeypatch, address)

    assert demo.post(PRE_CHECK, BODY).status == 200


def test_a_wrong_secret_is_wrong_in_the_demo_too(demo: Api) -> None:
    answer = demo.post(PRE_CHECK, BODY, Authorization=basic("claude-code", "my-secret"))

    is_a_problem(answer, 401)


def test_an_unknown_client_is_refused_by_name(demo: Api) -> None:
    answer = demo.post(PRE_CHECK, {"query": "ls", "client_id": "cursor\0"})

    assert "There is no client 'cursor\\x00'" in is_a_problem(answer, 401)


def test_a_missing_client_is_asked_for(demo: Api) -> None:
    answer = demo.post(PRE_CHECK, {"query": "ls"})

    assert "client_id field is required" in is_a_problem(answer, 400)


def test_a_client_of_another_tenant_is_no_client_of_the_demo(demo: Api) -> None:
    ClientFactory(client_id="theirs")

    is_a_problem(demo.post(PRE_CHECK, {"query": "ls", "client_id": "theirs"}), 401)


def test_a_real_credential_works_in_the_demo_from_anywhere(demo: Api) -> None:
    secret = issued(ClientFactory(tenant=TenantFactory())).secret
    headers = {"Authorization": f"Bearer {secret}", "X-Forwarded-For": "203.0.113.9"}

    assert demo.post(PRE_CHECK, {"query": "ls"}, **headers).status == 200


def test_outside_the_demo_the_printed_credentials_count_for_nothing(
    demo: Api, settings: Settings
) -> None:
    settings.AXON_DEMO = False

    answer = demo.post(PRE_CHECK, BODY, Authorization=basic("claude-code", "your-secret"))

    is_a_problem(answer, 401)


def test_the_demo_has_what_the_guide_needs(demo: Api) -> None:
    assert Policy.objects.count() == len(BUILTINS)
    assert all(
        sorted(credential.scopes) == sorted(Scope.values) and credential.loopback_only
        for credential in Credential.objects.all()
    )
    admin = User.objects.get(username="admin")
    assert admin.check_password("password of the tests")
    assert admin.memberships.get().role == Membership.Role.OWNER


def test_a_second_start_changes_nothing(demo: Api) -> None:
    before = (Policy.objects.count(), Credential.objects.count(), User.objects.count())

    seeded = demo_data.seed()

    assert seeded.admin_password is None
    assert before == (Policy.objects.count(), Credential.objects.count(), User.objects.count())


def test_the_admins_password_is_random_unless_given(db: None) -> None:
    seeded = demo_data.seed()

    assert seeded.admin_password is not None
    assert len(seeded.admin_password) >= 16
    assert User.objects.get(username="admin").check_password(seeded.admin_password)


def test_the_demos_admin_can_answer_what_the_guides_policy_holds(demo: Api) -> None:
    seed_policy(Tenant.objects.get(slug="demo"))

    held = demo.pre_check(QUERY, client_id="claude-code", user_token="developer")
    answered(held["approval"]["request_id"], User.objects.get(username="admin"))

    assert demo.pre_check(QUERY, client_id="claude-code", user_token="developer")["approved"]


def test_a_demo_of_before_there_were_approvals_gets_its_approver(demo: Api) -> None:
    Group.objects.all().delete()

    demo_data.seed()

    names = Group.objects.get(name="security-team").user_set.values_list("username", flat=True)
    assert list(names) == ["admin"]


def test_who_was_taken_out_of_the_demos_approvers_stays_out(demo: Api) -> None:
    Group.objects.get(name="security-team").user_set.clear()

    demo_data.seed()

    assert not Group.objects.get(name="security-team").user_set.exists()
