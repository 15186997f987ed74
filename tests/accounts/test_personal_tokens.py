"""Personal tokens: how they are made and kept, when they end, and that they are no credential."""

from __future__ import annotations

import hashlib
import hmac
from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.test import Client as Browser
from django.test import RequestFactory
from django.utils import timezone
from pytest_django import Settings

from audit.models import AuditEvent
from axonportal.accounts import persons, services
from axonportal.accounts.models import Membership, PersonalToken, Tenant, User
from axonportal.accounts.services import MAX_TOKEN_LIFE, MAX_TOKENS, TOKEN_LIFE
from axonportal.common.errors import Conflict, Forbidden, Invalid, Unauthenticated
from tests.factories import ClientFactory, MembershipFactory, UserFactory, approver, issued
from tests.gateway.calling import HOOK, LLM_CALL, POLICIES, PRE_CHECK, TOOL_CALL, Api, basic
from tests.gateway.calling import is_a_problem as problem


@pytest.fixture
def person(tenant: Tenant) -> User:
    return approver(tenant, username="ada")


def token_of(person: User, **options: object) -> services.IssuedToken:
    values: dict[str, object] = {"name": "laptop", "actor": person.get_username()}
    return services.issue_token(person, **{**values, **options})  # type: ignore[arg-type]


def asked(method: str = "get", **headers: str) -> persons.Person | None:
    """Who a call with these headers is taken for."""
    make = getattr(RequestFactory(), method)
    return persons.person_of(make("/api/v1/hitl/queue", headers=headers))


def test_a_token_is_kept_as_a_keyed_digest_and_ends_by_itself(
    person: User, settings: Settings
) -> None:
    made = token_of(person)

    stored = PersonalToken.objects.get()
    key = settings.AXON_CREDENTIAL_KEY.encode()
    assert bytes(stored.digest) == hmac.new(key, made.secret.encode(), hashlib.sha256).digest()
    assert (stored.prefix, len(made.secret)) == (made.secret[:12], 47)
    assert made.secret.startswith("axp_")
    assert abs(stored.expires_at - timezone.now() - TOKEN_LIFE) < timedelta(minutes=1)


def test_each_of_the_three_ways_names_the_same_person(person: User) -> None:
    secret = token_of(person).secret
    beside_it = issued(ClientFactory()).secret

    seen = [
        asked(Authorization=f"Bearer {secret}"),
        asked(Authorization=basic("ada", secret)),
        asked("post", **{"Authorization": basic("c", beside_it), "X-User-Token": secret}),
    ]

    assert [one and (one.user, one.way) for one in seen] == [(person, "token")] * 3


def test_a_credential_is_no_person_whomever_it_is_bound_to(person: User, tenant: Tenant) -> None:
    secret = issued(ClientFactory(tenant=tenant, client_id="agent"), user=person).secret

    assert asked(Authorization=f"Bearer {secret}") is None
    assert asked(Authorization=basic("agent", secret)) is None
    assert asked() is None
    with pytest.raises(Unauthenticated, match="not known"):
        asked(**{"X-User-Token": secret})


@pytest.mark.parametrize("path", [PRE_CHECK, HOOK, TOOL_CALL, LLM_CALL, POLICIES])
def test_a_token_is_no_credential(person: User, path: str) -> None:
    secret = token_of(person).secret

    body = {"query": "ls", "tool_name": "Bash", "context_id": "c", "provider": "p", "model": "m"}
    for header in (f"Bearer {secret}", basic("ada", secret), basic("agent", secret)):
        answer = Api({"Authorization": header}).post(path, body)
        assert "This is a person's token" in problem(
            answer, 401, decision=path in {PRE_CHECK, HOOK}
        )
    assert Api({"X-User-Token": secret}).post(path, body).status == 401


def test_digests_are_compared_in_constant_time(
    person: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    secret = token_of(person).secret
    compared: list[bytes] = []
    compare = hmac.compare_digest

    def recorded(left: bytes, right: bytes) -> bool:
        compared.append(left)
        return compare(left, right)

    monkeypatch.setattr("axonportal.accounts.credentials.hmac.compare_digest", recorded)

    assert asked(Authorization=f"Bearer {secret}") is not None
    assert len(compared) == 1


@pytest.mark.parametrize("way", ["revoked", "expired", "inactive", "left", "deleted"])
def test_a_token_ends_with_the_very_next_call(person: User, way: str) -> None:
    made = token_of(person)
    headers = {"Authorization": f"Bearer {made.secret}"}
    assert asked(**headers) is not None

    if way == "revoked":
        services.revoke_token(made.token, actor="owner")
    elif way == "expired":
        PersonalToken.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    elif way == "inactive":
        User.objects.filter(pk=person.pk).update(is_active=False)
    elif way == "left":
        Membership.objects.filter(user=person).delete()
    else:
        person.delete()

    with pytest.raises(Unauthenticated, match="not known, expired or revoked"):
        asked(**headers)


@pytest.mark.parametrize(
    "header",
    ["Bearer axp_wrong", "Bearer axp_", basic("ada", "axp_wrong"), "Bearer axp_a\0b"],
    ids=["wrong", "the mark alone", "wrong pair", "NUL"],
)
def test_a_wrong_token_is_nobody(person: User, header: str) -> None:
    token_of(person)

    with pytest.raises(Unauthenticated):
        asked(Authorization=header)


def test_a_token_does_not_serve_another_name(person: User, tenant: Tenant) -> None:
    approver(tenant, username="eve")

    with pytest.raises(Unauthenticated):
        asked(Authorization=basic("eve", token_of(person).secret))


def test_a_use_is_noted(person: User) -> None:
    made = token_of(person)

    asked(Authorization=f"Bearer {made.secret}")

    made.token.refresh_from_db()
    assert made.token.last_used_at is not None


def test_making_and_revoking_are_on_record_in_each_of_her_tenants(
    person: User, tenant: Tenant
) -> None:
    second = MembershipFactory(user=person).tenant
    made = token_of(person, address="192.0.2.1")

    services.revoke_token(made.token, actor="owner")
    services.revoke_token(made.token, actor="owner")

    events = AuditEvent.objects.filter(kind__startswith="token.")
    assert sorted((one.kind, one.tenant_id, one.actor) for one in events) == sorted(
        (kind, tenant_id, actor)
        for kind, actor in (("token.issue", "ada"), ("token.revoke", "owner"))
        for tenant_id in (tenant.pk, second.pk)
    )
    assert all(made.secret not in str(vars(one)) for one in events)


@pytest.mark.parametrize(
    "options",
    [
        {"name": ""},
        {"name": "  "},
        {"name": "x" * 101},
        {"name": "a\0b"},
        {"expires_at": timezone.now() - timedelta(seconds=1)},
        {"expires_at": timezone.now() + MAX_TOKEN_LIFE + timedelta(days=1)},
    ],
    ids=["none", "blank", "long", "NUL", "the past", "too long a life"],
)
def test_a_token_has_a_name_and_a_bounded_life(person: User, options: dict[str, object]) -> None:
    with pytest.raises(Invalid, match="token"):
        token_of(person, **options)

    assert not PersonalToken.objects.exists()


def test_who_could_not_sign_in_gets_none(db: None) -> None:
    with pytest.raises(Invalid, match="no active member"):
        token_of(UserFactory())
    with pytest.raises(Invalid, match="no active member"):
        token_of(MembershipFactory(user=UserFactory(is_active=False)).user)


def test_a_person_has_a_bounded_number(person: User) -> None:
    made = [token_of(person) for _ in range(MAX_TOKENS)]

    with pytest.raises(Conflict, match="revoke one first"):
        token_of(person)
    services.revoke_token(made[0].token, actor="ada")
    token_of(person)


def test_the_command_prints_a_token_once(person: User) -> None:
    out, said = StringIO(), StringIO()

    call_command("create_token", "ada", "--name", "ci", "--days", "7", stdout=out, stderr=said)

    token = PersonalToken.objects.get()
    secret = out.getvalue().strip()
    seen = asked(Authorization=f"Bearer {secret}")
    assert seen is not None
    assert seen.user == person
    assert secret not in said.getvalue()
    assert (token.name, token.expires_at.date()) == (
        "ci",
        (timezone.now() + timedelta(days=7)).date(),
    )
    assert AuditEvent.objects.get(kind="token.issue").actor_kind == "system"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["nobody"], "There is no user 'nobody'"),
        (["ada", "--days", "0"], "lives from 1 to 365 days"),
        (["ada", "--days", "99999999999"], "lives from 1 to 365 days"),
        (["ada", "--name", ""], "Name the token"),
    ],
)
def test_the_command_says_what_is_wrong(person: User, arguments: list[str], said: str) -> None:
    with pytest.raises(CommandError, match=said):
        call_command("create_token", *arguments)


# --- Sessions -----------------------------------------------------------------------------


@pytest.fixture
def cookies(person: User) -> dict[str, str]:
    """What the browser of somebody who has signed in sends, and her CSRF token."""
    browser = Browser()
    browser.force_login(person, backend="django.contrib.auth.backends.ModelBackend")
    browser.get("/admin/")
    return {name: morsel.value for name, morsel in browser.cookies.items()}


def by_session(
    cookies: dict[str, str], method: str = "post", **headers: str
) -> persons.Person | None:
    request = getattr(RequestFactory(), method)("/api/v1/hitl/queue", headers=headers)
    request.COOKIES.update(cookies)
    return persons.person_of(request)


def test_a_session_reads_and_with_its_csrf_token_changes(
    person: User, cookies: dict[str, str]
) -> None:
    read = by_session(cookies, "get")
    changed = by_session(cookies, **{"X-CSRFToken": cookies["axon_csrf"]})

    assert [one and (one.user, one.way) for one in (read, changed)] == [(person, "session")] * 2


@pytest.mark.parametrize("method", ["post", "put", "patch", "delete"])
@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"X-CSRFToken": ""},
        {"X-CSRFToken": "x" * 32},
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
    ],
    ids=["none", "empty", "wrong", "another site", "no origin"],
)
def test_a_page_of_another_site_changes_nothing(
    cookies: dict[str, str], method: str, headers: dict[str, str]
) -> None:
    right = {"X-CSRFToken": cookies["axon_csrf"]} if "Origin" in headers else {}

    with pytest.raises(Forbidden, match="X-CSRFToken"):
        by_session(cookies, method, **{**right, **headers})


def test_without_the_csrf_cookie_a_session_changes_nothing(cookies: dict[str, str]) -> None:
    token = cookies.pop("axon_csrf")

    with pytest.raises(Forbidden, match="CSRF cookie"):
        by_session(cookies, **{"X-CSRFToken": token})


def test_beside_a_credential_a_session_counts_for_nothing(
    cookies: dict[str, str], tenant: Tenant
) -> None:
    secret = issued(ClientFactory(tenant=tenant)).secret

    assert by_session(cookies, "get", Authorization=f"Bearer {secret}") is None


@pytest.mark.parametrize("way", ["signed out", "inactive", "left", "password", "made up"])
def test_a_session_that_ended_is_nobodys(person: User, cookies: dict[str, str], way: str) -> None:
    if way == "signed out":
        browser = Browser()
        browser.cookies.load(cookies)
        browser.post("/admin/logout/")
    elif way == "inactive":
        User.objects.filter(pk=person.pk).update(is_active=False)
    elif way == "left":
        Membership.objects.filter(user=person).delete()
    elif way == "password":
        person.set_password("another one, which ends every session")
        person.save()
    else:
        cookies["axon_session"] = "x" * 32

    assert by_session(cookies, "get") is None
