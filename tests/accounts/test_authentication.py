"""Who a call is taken for: credentials, their ends, and what never counts."""

from __future__ import annotations

import hashlib
import hmac
from datetime import timedelta

import pytest
from django.test import RequestFactory
from django.utils import timezone
from pytest_django import Settings

from audit.models import GatewayContext
from axonportal.accounts import authentication, services
from axonportal.accounts.models import Client, Credential, Scope, Tenant
from tests.factories import ClientFactory, TeamFactory, TenantFactory, UserFactory, issued
from tests.gateway.calling import POLICIES, PRE_CHECK, Api, basic, is_a_problem

BODY = {"query": "ls"}


@pytest.fixture
def client(tenant: Tenant) -> Client:
    made: Client = ClientFactory(tenant=tenant, client_id="agent")
    return made


def test_a_bearer_secret_and_a_basic_pair_are_the_same_client(client: Client) -> None:
    secret = issued(client).secret

    by_bearer = Api({"Authorization": f"Bearer {secret}"}).pre_check("ls")
    by_basic = Api({"Authorization": basic("agent", secret)}).pre_check("ls", client_id="agent")

    rows = GatewayContext.objects.filter(
        context_id__in=[by_bearer["context_id"], by_basic["context_id"]]
    )
    assert [row.client_id for row in rows] == ["agent", "agent"]
    assert {row.credential for row in rows} == {secret[:12]}


def test_the_secret_is_kept_as_a_keyed_digest_only(client: Client, settings: Settings) -> None:
    made = issued(client)

    stored = Credential.objects.get(pk=made.credential.pk)

    key = settings.AXON_CREDENTIAL_KEY.encode()
    expected = hmac.new(key, made.secret.encode(), hashlib.sha256).digest()
    assert bytes(stored.digest) == expected
    assert stored.prefix == made.secret[:12]
    assert made.secret.startswith("axn_")
    assert len(made.secret) == 47


def test_digests_are_compared_in_constant_time(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    secret = issued(client).secret
    compared: list[tuple[bytes, bytes]] = []
    compare = hmac.compare_digest

    def recorded(left: bytes, right: bytes) -> bool:
        compared.append((left, right))
        return compare(left, right)

    monkeypatch.setattr("axonportal.accounts.credentials.hmac.compare_digest", recorded)

    assert Api({"Authorization": f"Bearer {secret}"}).pre_check("ls")["approved"]
    assert len(compared) == 1


def test_credentials_that_share_a_prefix_are_told_apart_by_their_digests(tenant: Tenant) -> None:
    first, second = ClientFactory(tenant=tenant), ClientFactory(tenant=tenant)
    issued(first, secret="axn_sameprefix-one")
    issued(second, secret="axn_sameprefix-two")

    answer = Api({"Authorization": "Bearer axn_sameprefix-two"}).pre_check("ls")
    neither = Api({"Authorization": "Bearer axn_sameprefix-six"}).post(PRE_CHECK, BODY)

    row = GatewayContext.objects.get(context_id=answer["context_id"])
    assert row.client_id == second.client_id
    is_a_problem(neither, 401)


@pytest.mark.parametrize(
    "header",
    [
        pytest.param("Bearer wrong", id="wrong secret"),
        pytest.param("Bearer", id="nothing after Bearer"),
        pytest.param("Bearer ", id="blank after Bearer"),
        pytest.param("Basic", id="nothing after Basic"),
        pytest.param("Basic !!!", id="no base64"),
        pytest.param("Basic \xff\xfe", id="not ASCII"),
        pytest.param("Basic /w==", id="not UTF-8"),
        pytest.param(basic("agent", ""), id="empty secret"),
        pytest.param(basic("agent", "wrong"), id="wrong pair"),
        pytest.param(basic("community", ""), id="what the SDK sends unconfigured"),
        pytest.param(basic("agent", "a\0b"), id="NUL"),
        pytest.param("Digest username=agent", id="another scheme"),
        pytest.param("x" * 5000, id="long"),
    ],
)
def test_a_header_that_proves_nothing_is_refused_with_how_to_do_it(
    client: Client, header: str
) -> None:
    answer = Api({"Authorization": header}).post(PRE_CHECK, BODY)

    assert is_a_problem(answer, 401)
    assert answer.headers["WWW-Authenticate"].startswith("Basic realm=")


def test_without_the_demo_no_credential_is_no_entry(tenant: Tenant) -> None:
    answer = Api().post(PRE_CHECK, {"query": "ls", "client_id": "claude-code"})

    assert "Authorization: Basic" in is_a_problem(answer, 401)


def test_the_secret_of_one_client_does_not_serve_the_name_of_another(tenant: Tenant) -> None:
    ClientFactory(tenant=tenant, client_id="other")
    secret = issued(ClientFactory(tenant=tenant, client_id="agent")).secret

    by_header = Api({"Authorization": basic("other", secret)}).post(PRE_CHECK, BODY)
    by_body = Api({"Authorization": f"Bearer {secret}"}).post(
        PRE_CHECK, {"query": "ls", "client_id": "other"}
    )

    is_a_problem(by_header, 401)
    assert "belongs to client 'agent'" in is_a_problem(by_body, 403)


def test_an_expired_credential_is_refused(client: Client) -> None:
    made = issued(client, expires_at=timezone.now() + timedelta(hours=1))
    api = Api({"Authorization": f"Bearer {made.secret}"})
    assert api.pre_check("ls")["approved"]

    Credential.objects.filter(pk=made.credential.pk).update(
        expires_at=timezone.now() - timedelta(seconds=1)
    )
    authentication.cache.forget()

    assert "expired" in is_a_problem(api.post(PRE_CHECK, BODY), 401)


def test_a_revoked_credential_is_refused_with_the_next_call(client: Client) -> None:
    made = issued(client)
    api = Api({"Authorization": f"Bearer {made.secret}"})
    assert api.pre_check("ls")["approved"]

    services.revoke_credential(made.credential, actor="ada")

    assert "revoked" in is_a_problem(api.post(PRE_CHECK, BODY), 401)


def test_a_second_credential_survives_the_revocation_of_the_first(client: Client) -> None:
    first, second = issued(client), issued(client)

    services.revoke_credential(first.credential, actor="ada")

    assert Api({"Authorization": f"Bearer {second.secret}"}).pre_check("ls")["approved"]


def test_a_client_that_is_switched_off_is_refused_with_the_next_call(client: Client) -> None:
    api = Api({"Authorization": f"Bearer {issued(client).secret}"})
    assert api.pre_check("ls")["approved"]

    client.is_active = False
    services.save_client(client, actor="ada", created=False)

    assert "switched off" in is_a_problem(api.post(PRE_CHECK, BODY), 401)


def test_a_credential_bound_to_a_person_who_left_is_refused(client: Client) -> None:
    person = UserFactory(is_active=False)
    secret = issued(client, user=person).secret

    answer = Api({"Authorization": f"Bearer {secret}"}).post(PRE_CHECK, BODY)

    is_a_problem(answer, 401)


def test_a_bound_credential_says_who_it_is_and_a_claim_stays_a_claim(client: Client) -> None:
    secret = issued(client, user=UserFactory(username="ada")).secret

    answer = Api({"Authorization": f"Bearer {secret}"}).pre_check("ls", user_token="eve")

    row = GatewayContext.objects.get(context_id=answer["context_id"])
    assert (row.user_id, row.verified_user) == ("eve", "ada")


def test_a_header_never_widens_rights(client: Client, tenant: Tenant) -> None:
    other = TenantFactory()
    headers = {
        "Authorization": f"Bearer {issued(client).secret}",
        "X-Tenant-ID": other.slug,
        "X-Org-ID": other.slug,
        "X-Client-ID": "admin",
        "X-User-ID": "root",
    }

    answer = Api(headers).pre_check("ls")
    policies = Api(headers).get(POLICIES)

    row = GatewayContext.objects.get(context_id=answer["context_id"])
    assert (row.tenant_id, row.client_id) == (tenant.pk, "agent")
    assert is_a_problem(policies, 403, decision=False)


def test_the_principal_knows_region_and_team(tenant: Tenant, rf: RequestFactory) -> None:
    client = ClientFactory(tenant=tenant, region="eu", team=TeamFactory(tenant=tenant, name="ops"))
    secret = issued(client, scopes=[Scope.DECIDE]).secret

    principal = authentication.authenticate(
        rf.post("/", headers={"Authorization": f"Bearer {secret}"})
    )

    assert (principal.region, principal.team) == ("eu", "ops")
    assert principal.scopes == frozenset(["decide"])


def test_a_verified_header_is_looked_up_once(
    client: Client, django_assert_num_queries: object
) -> None:
    api = Api({"Authorization": f"Bearer {issued(client, scopes=[Scope.RECORD]).secret}"})
    refused = api.post(PRE_CHECK, BODY)

    with django_assert_num_queries(0):  # type: ignore[operator]
        again = api.post(PRE_CHECK, BODY)

    assert refused.status == again.status == 403


def test_a_lookup_that_a_revocation_overtakes_is_not_remembered(client: Client) -> None:
    made = issued(client)
    cache = authentication.cache
    principal = authentication.Principal(
        tenant_id=1, tenant="t", client_id="agent", client_pk=1, scopes=frozenset()
    )
    before = cache.generation

    services.revoke_credential(made.credential, actor="ada")
    cache.put(b"key", principal, before)

    assert cache.get(b"key") is None
