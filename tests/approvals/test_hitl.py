"""`/api/v1/hitl`: programs ask and look, people answer, tenants never meet."""

from __future__ import annotations

import threading
from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import Client
from django.utils import timezone
from guardian.shortcuts import assign_perm

from approvals import services as approvals
from approvals.models import ApprovalRequest, Grant
from approvals.waiting import waiting
from audit.models import AuditEvent
from axonportal.accounts import services
from axonportal.accounts.models import Membership, PersonalToken, Scope, Tenant, User
from tests.approvals.holding import QUERY, answered, seed_policy
from tests.approvals.test_waiting import LONG_S, soon
from tests.factories import (
    ClientFactory,
    MembershipFactory,
    TenantFactory,
    UserFactory,
    approver,
    issued,
)
from tests.gateway.calling import HITL, QUEUE, Api, basic, is_a_problem

BODY: dict[str, Any] = {
    "client_id": "agent",
    "original_query": "transfer the customer table",
    "request_type": "tool",
    "triggered_policy_id": "p-1",
    "triggered_policy_name": "exports",
    "trigger_reason": "Exports need a person",
}


def token_of(person: User, **options: Any) -> str:
    return services.issue_token(person, name="test", actor="ada", **options).secret


def person_api(person: User) -> Api:
    return Api({"Authorization": f"Bearer {token_of(person)}"})


@pytest.fixture
def held(api: Api, tenant: Tenant) -> str:
    seed_policy(tenant)
    return str(api.pre_check(QUERY, user_token="dev")["approval"]["request_id"])


# --- Answering ----------------------------------------------------------------------------


@pytest.mark.parametrize("way", ["bearer", "basic", "header", "header beside a client"])
def test_a_person_answers_with_her_token(api: Api, tenant: Tenant, held: str, way: str) -> None:
    person = approver(tenant)
    secret = token_of(person)
    headers = {
        "bearer": {"Authorization": f"Bearer {secret}"},
        "basic": {"Authorization": basic(person.username, secret)},
        "header": {"X-User-Token": secret},
        "header beside a client": {**api.headers, "X-User-Token": secret},
    }[way]

    answer = Api(headers).post(
        f"{QUEUE}/{held}/approve",
        {"reviewer_id": "root", "reviewer_email": "root@example.com", "comment": "Fine."},
    )

    assert (answer.status, answer.body["success"]) == (200, True)
    assert answer.body["data"]["status"] == "approved"
    assert answer.body["data"]["reviewer_id"] == person.username  # whatever the body claims
    given = ApprovalRequest.objects.get().answers.get()
    assert (given.approver, given.reason, given.way) == (person, "Fine.", "token")
    assert api.pre_check(QUERY, user_token="dev")["approved"] is True


@pytest.mark.parametrize("verb", ["approve", "reject"])
@pytest.mark.parametrize("who", ["all scopes", "bound to an approver", "demo", "nobody"])
def test_no_client_answers_over_any_route(
    tenant: Tenant, held: str, verb: str, who: str, request: pytest.FixtureRequest
) -> None:
    client = ClientFactory(tenant=tenant)
    if who == "demo":
        caller, status = request.getfixturevalue("demo"), 401
    elif who == "nobody":
        caller, status = Api(), 401
    else:
        user = approver(tenant) if who.startswith("bound") else None
        secret = issued(client, user=user, scopes=Scope.values).secret
        caller, status = Api({"Authorization": f"Bearer {secret}"}), 403

    answer = caller.post(f"{QUEUE}/{held}/{verb}", {"comment": "Me."})

    assert "person" in is_a_problem(answer, status, decision=False)
    assert ApprovalRequest.objects.get(pk=held).status == "pending"


@pytest.mark.parametrize("spoilt", ["revoked", "expired", "wrong", "inactive", "left", "not hers"])
def test_a_token_that_is_no_good_is_refused(tenant: Tenant, held: str, spoilt: str) -> None:
    person = approver(tenant)
    secret = token_of(person)
    token = PersonalToken.objects.get()
    headers = {"Authorization": f"Bearer {secret}"}
    if spoilt == "revoked":
        services.revoke_token(token, actor="ada")
    elif spoilt == "expired":
        PersonalToken.objects.update(expires_at=timezone.now())
    elif spoilt == "wrong":
        headers = {"X-User-Token": secret[:-1] + ("A" if secret[-1] != "A" else "B")}
    elif spoilt == "inactive":
        User.objects.filter(pk=person.pk).update(is_active=False)
    elif spoilt == "left":
        Membership.objects.filter(user=person).delete()
    else:
        headers = {"Authorization": basic("somebody", secret)}

    answer = Api(headers).post(f"{QUEUE}/{held}/approve", {})

    is_a_problem(answer, 401, decision=False)
    assert ApprovalRequest.objects.get().status == "pending"


def test_a_token_decides_and_records_nothing(tenant: Tenant) -> None:
    caller = person_api(approver(tenant))

    assert "a person's token" in is_a_problem(
        caller.post("/api/policy/pre-check", {"query": "ls"}), 401
    )


def test_a_session_answers_with_its_own_page_behind_it_only(tenant: Tenant, held: str) -> None:
    person = approver(tenant)
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(person)
    sent = "application/json"
    url = f"{QUEUE}/{held}/approve"

    forged = browser.post(url, {}, sent)
    browser.get("/admin/login/")
    browser.get(f"/admin/approvals/approvalrequest/{held}/change/")
    proof = browser.cookies["axon_csrf"].value
    given = browser.post(url, {"comment": "Seen."}, sent, headers={"X-CSRFToken": proof})

    assert forged.status_code == 403
    assert "CSRF" in forged.json()["detail"]
    assert given.json()["data"]["status"] == "approved"
    assert ApprovalRequest.objects.get().answers.get().way == "portal"


def test_who_is_signed_in_is_nobody_beside_a_clients_credential(
    api: Api, tenant: Tenant, held: str
) -> None:
    browser = Client()
    browser.force_login(approver(tenant))

    answer = browser.post(
        f"{QUEUE}/{held}/approve", {}, content_type="application/json", headers=api.headers
    )

    assert answer.status_code == 403


def test_a_rejection_needs_a_comment_and_late_answers_are_409(tenant: Tenant, held: str) -> None:
    caller, other = person_api(approver(tenant)), person_api(approver(tenant))

    bare = caller.post(f"{QUEUE}/{held}/reject", {})
    given = caller.post(f"{QUEUE}/{held}/reject", {"comment": "Not today."})
    again = caller.post(f"{QUEUE}/{held}/reject", {"comment": "Not today."})
    late = other.post(f"{QUEUE}/{held}/approve", {})

    assert "requester is told" in is_a_problem(bare, 400, decision=False)
    assert given.body["data"]["status"] == "rejected"
    assert given.body["data"]["review_comment"] == "Not today."
    assert again.status == 200
    assert "Denied by" in is_a_problem(late, 409, decision=False)


# --- Looking ------------------------------------------------------------------------------


def test_a_client_sees_what_it_asked_for_itself(tenant: Tenant, api: Api, held: str) -> None:
    colleague = Api({"Authorization": f"Bearer {issued(ClientFactory(tenant=tenant)).secret}"})

    assert api.get(f"{QUEUE}/{held}").body["data"]["request_id"] == held
    assert [row["request_id"] for row in api.get(QUEUE).body["data"]] == [held]
    is_a_problem(colleague.get(f"{QUEUE}/{held}"), 404, decision=False)
    assert colleague.get(QUEUE).body["data"] == []
    assert colleague.get(f"{HITL}/stats").body["data"]["total_pending"] == 0


def test_a_credential_that_is_bound_sees_its_persons_requests(tenant: Tenant) -> None:
    seed_policy(tenant)
    client = ClientFactory(tenant=tenant, client_id="shared")
    first, second = (
        Api({"Authorization": f"Bearer {issued(client, user=UserFactory()).secret}"})
        for _ in range(2)
    )
    held = first.pre_check(QUERY)["approval"]["request_id"]

    assert first.get(f"{QUEUE}/{held}").status == 200
    assert second.get(f"{QUEUE}/{held}").status == 404


def test_a_person_sees_what_the_portal_shows_her(api: Api, tenant: Tenant, held: str) -> None:
    auditor = MembershipFactory(tenant=tenant, role="auditor").user
    bystander = approver(tenant, "others")

    assert [row["request_id"] for row in person_api(auditor).get(QUEUE).body["data"]] == [held]
    assert person_api(approver(tenant)).get(f"{QUEUE}/{held}").status == 200
    assert person_api(bystander).get(f"{QUEUE}/{held}").status == 404


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", ""),
        ("GET", "/history"),
        ("POST", "/approve"),
        ("POST", "/reject"),
        ("POST", "/override"),
    ],
)
@pytest.mark.parametrize("who", ["person", "client"])
def test_another_tenants_request_does_not_exist(
    held: str, who: str, method: str, path: str
) -> None:
    other: Tenant = TenantFactory()
    if who == "person":
        caller = person_api(approver(other))
    else:
        secret = issued(ClientFactory(tenant=other), scopes=Scope.values).secret
        caller = Api({"Authorization": f"Bearer {secret}"})

    answer = caller.call(method, f"{QUEUE}/{held}{path}", {"comment": "x"})

    assert answer.status == (403 if who == "client" and path in {"/approve", "/reject"} else 404)
    assert QUERY not in str(answer.body)


def test_the_list_is_filtered_sorted_and_paged_in_both_styles(api: Api, tenant: Tenant) -> None:
    seed_policy(tenant)
    ids = [api.pre_check(f"{QUERY} {n}")["approval"]["request_id"] for n in range(5)]
    answered(ids[0], approver(tenant))
    answered(ids[1], approver(tenant), "deny")
    ApprovalRequest.objects.filter(pk=ids[2]).update(expires_at=timezone.now())

    def listed(**query: str) -> list[str]:
        parameters = "&".join(f"{key}={value}" for key, value in query.items())
        return [row["request_id"] for row in api.get(f"{QUEUE}?{parameters}").body["data"]]

    assert listed(status="approved") == [ids[0]]
    assert listed(status="rejected") == [ids[1]]
    assert listed(status="expired") == [ids[2]]
    assert listed(status="pending", order_by="created_at", order_dir="asc") == ids[3:]
    assert listed(status="approved,rejected", sort_by="created_at") == ids[:2]
    assert listed(limit="2", offset="1") == [ids[3], ids[2]]
    assert listed(page="2", page_size="2") == [ids[2], ids[1]]
    assert listed(policy_id="production-approval-required", client_id="agent") == ids[::-1]
    assert listed(user_id="nobody") == []
    meta = api.get(f"{QUEUE}?limit=2").body["meta"]
    assert (meta["total"], meta["limit"], meta["offset"]) == (5, 2, 0)
    assert "status: of pending" in is_a_problem(api.get(f"{QUEUE}?status=x"), 400, decision=False)


def test_what_the_sdk_needs_is_there_and_nothing_is_null(api: Api, held: str) -> None:
    shown = api.get(f"{QUEUE}/{held}").body["data"]

    assert {"request_id", "org_id", "tenant_id", "client_id", "original_query", "request_type",
            "triggered_policy_id", "triggered_policy_name", "trigger_reason", "severity",
            "status", "expires_at", "created_at", "updated_at"} <= shown.keys()  # fmt: skip
    assert None not in shown.values()
    assert shown["created_at"].endswith("Z")


def test_the_stats_count_what_waits(api: Api, tenant: Tenant, held: str) -> None:
    ApprovalRequest.objects.update(created_at=timezone.now() - timedelta(hours=3))
    api.post(QUEUE, {**BODY, "severity": "critical"})

    stats = api.get(f"{HITL}/stats").body["data"]

    assert stats["total_pending"] == 2
    assert stats["critical_priority"] == 1
    assert stats["oldest_pending_hours"] == pytest.approx(3, abs=0.1)


def test_the_history_tells_every_step(tenant: Tenant, api: Api, held: str) -> None:
    answered(held, approver(tenant), "deny", "No need.")

    steps = api.get(f"{QUEUE}/{held}/history").body["data"]

    assert [step["action"] for step in steps] == ["created", "rejected", "settle"]
    assert steps[1]["comment"] == "No need."


# --- Asking -------------------------------------------------------------------------------


def test_a_program_opens_a_request_and_the_same_again_is_that_one(api: Api, tenant: Tenant) -> None:
    first, second = api.post(QUEUE, BODY), api.post(QUEUE, BODY)

    assert (first.status, first.body["data"]["status"]) == (201, "pending")
    assert first.body["data"]["triggered_policy_name"] == "exports"
    assert second.body["data"]["request_id"] == first.body["data"]["request_id"]
    settled = answered(first.body["data"]["request_id"], approver(tenant))
    assert api.get(f"{QUEUE}/{settled.pk}").body["data"]["status"] == "approved"
    assert api.pre_check(BODY["original_query"])["approved"] is True  # no policy minds it
    assert Grant.objects.get().consumed_at is None


def test_a_policys_own_terms_count_where_it_is_named(api: Api, tenant: Tenant) -> None:
    approver(tenant, "ops"), approver(tenant, "ops")
    seed_policy(tenant, approvers=["ops"], quorum=2)

    api.post(QUEUE, {**BODY, "triggered_policy_name": "production-approval-required",
                     "triggered_policy_id": None})  # fmt: skip

    [asking] = ApprovalRequest.objects.get().policies
    assert (asking["approvers"], asking["quorum"]) == (["ops"], 2)


def test_what_a_pre_check_opened_is_joined(api: Api, held: str) -> None:
    made = api.post(QUEUE, {**BODY, "original_query": QUERY, "user_id": "dev"})

    assert made.body["data"]["request_id"] == held


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"original_query": " "}, "original_query"),
        ({"request_type": ""}, "request_type"),
        ({"severity": "urgent"}, "severity"),
        ({"expires_in_seconds": 1}, "expires_in_seconds"),
        ({"notify_url": "ftp://x"}, "notify_url"),
        ({"request_context": []}, "request_context"),
        ({"original_query": None}, "original_query"),
    ],
)
def test_what_is_wrong_is_named(api: Api, changed: dict[str, Any], field: str) -> None:
    answer = api.post(QUEUE, {**BODY, **changed})

    assert field in is_a_problem(answer, 400, decision=False)


def test_what_is_asked_for_holds_no_personal_data(api: Api) -> None:
    mail = "ada@lovelace-engines.com"

    api.post(QUEUE, {**BODY, "original_query": f"mail {mail}", "trigger_reason": f"to {mail}",
                     "request_context": {"to": mail}})  # fmt: skip

    kept = ApprovalRequest.objects.values().get()
    assert {key for key, value in kept.items() if mail in str(value)} == set()


@pytest.mark.django_db(transaction=True)
def test_a_long_poll_ends_with_the_answer(api: Api, tenant: Tenant, held: str) -> None:
    got: list[Any] = []

    def poll() -> None:
        got.append(api.get(f"{QUEUE}/{held}?wait={LONG_S}"))
        connection.close()

    thread = threading.Thread(target=poll)
    thread.start()
    soon(lambda: waiting._count)
    answered(held, approver(tenant))
    thread.join(LONG_S / 2)

    assert got[0].body["data"]["status"] == "approved"
    assert "wait: seconds" in is_a_problem(api.get(f"{QUEUE}/{held}?wait=x"), 400, decision=False)


# --- Tokens -------------------------------------------------------------------------------


def test_a_token_is_made_from_a_shell_and_printed_once(tenant: Tenant, held: str) -> None:
    person = approver(tenant, username="grace")
    out = StringIO()

    call_command("create_token", "grace", "--days", "7", stdout=out)

    secret = out.getvalue().strip()
    caller = Api({"Authorization": f"Bearer {secret}"})
    assert caller.post(f"{QUEUE}/{held}/approve", {}).body["data"]["status"] == "approved"
    token = PersonalToken.objects.get(user=person)
    assert token.expires_at - timezone.now() < timedelta(days=7, minutes=1)
    assert secret not in str(list(AuditEvent.objects.values()))
    assert AuditEvent.objects.filter(kind="token.issue", tenant_id=tenant.pk).count() == 1


@pytest.mark.parametrize(
    ("arguments", "message"),
    [(["nobody"], "no user"), (["grace", "--days", "0"], "1 to 365"), (["lone"], "no active")],
)
def test_a_token_that_cannot_be_is_refused(
    tenant: Tenant, arguments: list[str], message: str
) -> None:
    approver(tenant, username="grace")
    UserFactory(username="lone")

    with pytest.raises(CommandError, match=message):
        call_command("create_token", *arguments)


# --- What must not slip -------------------------------------------------------------------


def test_a_credential_of_nobody_sees_no_known_persons_requests(tenant: Tenant) -> None:
    seed_policy(tenant)
    client = ClientFactory(tenant=tenant, client_id="shared")
    bound, free = (
        Api({"Authorization": f"Bearer {issued(client, user=user).secret}"})
        for user in (UserFactory(username="ada"), None)
    )
    hers = bound.pre_check(QUERY)["approval"]["request_id"]
    nobodys = free.pre_check(QUERY, user_token="ada")["approval"]["request_id"]

    assert [row["request_id"] for row in bound.get(QUEUE).body["data"]] == [hers]
    assert [row["request_id"] for row in free.get(QUEUE).body["data"]] == [nobodys]
    for path in ("", "/history"):
        assert free.get(f"{QUEUE}/{hers}{path}").status == 404
    joined = free.post(QUEUE, {**BODY, "client_id": "shared", "original_query": QUERY,
                               "user_id": "ada"})  # fmt: skip
    assert joined.body["data"]["request_id"] == nobodys


@pytest.mark.parametrize("opened_by", ["pre-check", "program"])
def test_two_texts_that_differ_in_what_is_masked_are_two_requests(
    api: Api, tenant: Tenant, opened_by: str
) -> None:
    seed_policy(tenant)
    first, second = (f"{QUERY} for {name}@lovelace-engines.com" for name in ("ada", "eve"))
    if opened_by == "pre-check":
        held = api.pre_check(first, user_token="dev")["approval"]["request_id"]
    else:
        held = api.post(QUEUE, {**BODY, "original_query": first, "user_id": "dev"}).body["data"][
            "request_id"
        ]

    same = api.post(QUEUE, {**BODY, "original_query": first, "user_id": "dev"}).body["data"]
    other = api.post(QUEUE, {**BODY, "original_query": second, "user_id": "dev"}).body["data"]

    assert same["request_id"] == held
    assert other["original_query"] == same["original_query"]
    assert other["request_id"] != held


def test_joining_counts_as_asking_again(api: Api, held: str) -> None:
    api.post(QUEUE, {**BODY, "original_query": QUERY, "user_id": "dev"})

    assert ApprovalRequest.objects.get().asked == 2
    assert AuditEvent.objects.filter(kind="approval.join").count() == 1


@pytest.mark.parametrize("changed", [
    {"user_id": "eve"}, {"request_type": "chat"}, {"request_context": {"a": 1}},
    {"trigger_reason": "another"}, {"triggered_policy_name": "another"}, {"severity": "low"},
], ids=lambda changed: next(iter(changed)))  # fmt: skip
def test_what_else_is_asked_for_is_another_request(
    api: Api, tenant: Tenant, changed: dict[str, Any]
) -> None:
    first = api.post(QUEUE, BODY).body["data"]["request_id"]

    second = api.post(QUEUE, {**BODY, **changed}).body["data"]["request_id"]

    assert (second == first) is (changed == {"severity": "low"})


def test_a_program_asks_for_less_time_and_more_urgency_only(api: Api, tenant: Tenant) -> None:
    seed_policy(tenant, expires_in_s=3_600)
    named = {**BODY, "triggered_policy_name": "production-approval-required"}

    short, long = (
        api.post(QUEUE, {**named, "original_query": f"export {life}", "expires_in_seconds": life,
                         "severity": "low"}).body["data"]
        for life in (60, 86_400)
    )  # fmt: skip

    lives = {
        one.pk: one.expires_at - one.created_at
        for one in ApprovalRequest.objects.filter(pk__in=[short["request_id"], long["request_id"]])
    }
    assert lives[short["request_id"]] == timedelta(seconds=60)
    assert lives[long["request_id"]] == timedelta(hours=1)
    assert short["severity"] == "medium"  # the policy's


def test_another_tenants_policy_gives_no_terms(api: Api, tenant: Tenant) -> None:
    other: Tenant = TenantFactory()
    approver(other, "ops")
    theirs = seed_policy(other, approvers=["ops"])

    made = api.post(QUEUE, {**BODY, "triggered_policy_id": str(theirs.pk)})

    [asking] = ApprovalRequest.objects.get().policies
    assert made.status == 201
    assert (asking["policy"], asking["approvers"]) == ("exports", ["security-team"])


def test_what_a_program_declares_is_told_back(api: Api) -> None:
    said = {
        "eu_ai_act_article": "Article 14",
        "compliance_framework": "GDPR",
        "risk_classification": "high",
        "notify_url": "https://hooks.example.com/done",
    }

    made = api.post(QUEUE, {**BODY, **said, "request_context": {"session_id": "s"}}).body["data"]

    shown = api.get(f"{QUEUE}/{made['request_id']}").body["data"]
    assert shown.items() >= (said | {"request_type": "tool"}).items()
    assert ApprovalRequest.objects.get().session_id == "s"


def test_names_that_a_program_gives_hold_no_personal_data_either(api: Api) -> None:
    mail = "ada@lovelace-engines.com"

    api.post(QUEUE, {**BODY, "triggered_policy_name": f"of {mail}", "triggered_policy_id": mail,
                     "risk_classification": mail})  # fmt: skip

    assert mail not in str(ApprovalRequest.objects.values().get())
    assert mail not in str(list(AuditEvent.objects.values()))


@pytest.mark.parametrize(
    "url",
    [
        "https://",
        "https:///path",
        "https://user:secret@example.com/",
        "https://[1",
        "https://example.com:port/",
        "https://example.com/" + "x" * 2_000,
        "https://example.com/\n",
        "file:///etc/passwd",
        "//example.com",
    ],
)
def test_an_address_that_could_not_be_told_is_refused(api: Api, url: str) -> None:
    answer = api.post(QUEUE, {**BODY, "notify_url": url})

    assert "notify_url: An http or https address" in is_a_problem(answer, 400, decision=False)


def test_every_mistake_is_named_at_once(api: Api) -> None:
    answer = api.post(QUEUE, {**BODY, "original_query": "", "severity": "x", "user_id": "x" * 201})

    assert {one["field"] for one in answer.body["errors"]} == {
        "original_query",
        "severity",
        "user_id",
    }


def test_severities_are_sorted_by_how_bad_they_are(api: Api) -> None:
    for severity in ("medium", "critical", "low", "high"):
        api.post(QUEUE, {**BODY, "original_query": severity, "severity": severity})

    def listed(query: str) -> list[str]:
        return [row["severity"] for row in api.get(f"{QUEUE}?{query}").body["data"]]

    assert listed("order_by=severity&order_dir=desc") == ["critical", "high", "medium", "low"]
    assert listed("sort_by=severity") == ["low", "medium", "high", "critical"]
    assert listed("sort_by=updated_at&sort_dir=desc") == ["high", "low", "critical", "medium"]
    assert set(listed("severity=high,low")) == {"high", "low"}
    assert "severity: of low" in is_a_problem(api.get(f"{QUEUE}?severity=bad"), 400, decision=False)


def test_too_many_that_wait_are_429(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("approvals.services.MAX_PENDING", 1)
    api.post(QUEUE, BODY)

    answer = api.post(QUEUE, {**BODY, "original_query": "another"})

    assert "wait for approval already" in is_a_problem(answer, 429, decision=False)


def test_nobody_who_could_answer_is_told_at_once(api: Api, settings: Any) -> None:
    settings.AXON_APPROVERS = ("nobody-is-here",)

    answer = api.post(QUEUE, BODY)

    assert "There is no group 'nobody-is-here'" in is_a_problem(answer, 409, decision=False)
    assert not ApprovalRequest.objects.exists()


def test_a_broken_glass_is_told_as_overridden(api: Api, tenant: Tenant, held: str) -> None:
    person = approver(tenant, username="grace")
    assign_perm("accounts.break_glass", person, tenant)
    approvals.break_glass(held, tenant_ids=[tenant.pk], person=person, reason="Outage.")

    shown = api.get(f"{QUEUE}/{held}").body["data"]
    listed = api.get(f"{QUEUE}?status=overridden").body["data"]
    steps = api.get(f"{QUEUE}/{held}/history").body["data"]

    assert (shown["status"], shown["reviewer_id"]) == ("overridden", "grace")
    assert shown["review_comment"] == "Outage."
    assert [row["request_id"] for row in listed] == [held]
    assert api.get(f"{QUEUE}?status=approved").body["data"] == []
    assert [step["justification"] for step in steps if step["action"] == "overridden"] == [
        "Outage."
    ]
    assert steps[-1]["new_status"] == "overridden"


def test_the_history_speaks_the_wires_words(tenant: Tenant, api: Api, held: str) -> None:
    answered(held, approver(tenant), "deny", "No need.")

    steps = api.get(f"{QUEUE}/{held}/history").body["data"]

    assert [(one["previous_status"], one["new_status"]) for one in steps] == [
        ("", "pending"),
        ("pending", "pending"),
        ("pending", "rejected"),
    ]
    assert None not in [value for one in steps for value in one.values()]


@pytest.mark.parametrize("who", ["client", "person"])
def test_an_override_says_where_the_glass_is_broken(
    api: Api, tenant: Tenant, held: str, who: str
) -> None:
    caller = api if who == "client" else person_api(approver(tenant))

    answer = caller.post(f"{QUEUE}/{held}/override", {"justification": "Now."})

    detail = is_a_problem(answer, 403, decision=False)
    assert f"/admin/approvals/approvalrequest/{held}/" in detail
    assert ApprovalRequest.objects.get().status == "pending"


def test_nobody_answers_her_own_request(tenant: Tenant, api: Api) -> None:
    seed_policy(tenant)
    person = approver(tenant, username="dev")
    held = api.pre_check(QUERY, user_token="dev")["approval"]["request_id"]

    answer = person_api(person).post(f"{QUEUE}/{held}/approve", {})

    assert "her own request" in is_a_problem(answer, 403, decision=False)
    assert person_api(person).get(f"{QUEUE}/{held}").status == 200


@pytest.mark.parametrize(
    "body",
    [b"{", b"[]", b'{"comment": 7}', b'{"comment": "%s"}' % (b"x" * 2_001)],
    ids=["no JSON", "no object", "no text", "long"],
)
def test_an_answer_that_cannot_be_read_answers_nothing(
    tenant: Tenant, held: str, body: bytes
) -> None:
    answer = person_api(approver(tenant)).call("POST", f"{QUEUE}/{held}/approve", body)

    is_a_problem(answer, 400, decision=False)
    assert ApprovalRequest.objects.get().status == "pending"


@pytest.mark.parametrize("kind", ["application/x-www-form-urlencoded", "multipart/form-data"])
def test_a_form_of_any_size_is_refused_before_a_session_is_looked_at(
    tenant: Tenant, held: str, settings: Any, kind: str
) -> None:
    settings.AXON_MAX_BODY_BYTES = settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 1_024
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(approver(tenant))

    answer = browser.generic("POST", f"{QUEUE}/{held}/approve", b"a=" + b"x" * 2_000, kind)

    assert answer.status_code == 413
    assert answer.headers["Content-Type"] == "application/problem+json"


@pytest.mark.parametrize(
    "path",
    ["/queue", "/queue/{id}", "/queue/{id}/history", "/stats", "/status"],
)
def test_a_path_answers_with_and_without_its_slash(api: Api, held: str, path: str) -> None:
    url = HITL + path.format(id=held)

    assert api.get(url).status == api.get(url + "/").status == 200


def test_expiring_by_hand_changes_nothing(api: Api, held: str) -> None:
    assert api.post(f"{HITL}/expire", {}).body["data"] == {"expired": 0}
    assert ApprovalRequest.objects.get().status == "pending"


@pytest.mark.parametrize("path", ["/queue/%00", "/queue?client_id=%00", "/queue?policy_id=%00"])
def test_a_nul_is_no_error_of_ours(api: Api, path: str) -> None:
    assert api.get(HITL + path).status in {400, 404}
