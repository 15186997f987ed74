"""Callers with rights, and a tenant with the built-in policies."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from pytest_django import Settings

from axonportal.accounts import authentication
from axonportal.accounts.models import Scope, Tenant
from axonportal.gateway import demo as demo_data
from policies.services import add_builtin_policies
from tests.factories import ClientFactory, TenantFactory, approver, issued
from tests.gateway.calling import Api


@pytest.fixture(autouse=True)
def credential_cache() -> Iterator[None]:
    """What one test's database says is not believed in the next."""
    authentication.cache.forget()
    yield
    authentication.cache.forget()


@pytest.fixture
def tenant(db: None) -> Tenant:
    """A tenant with the built-in policies, and somebody who may approve."""
    made: Tenant = TenantFactory()
    add_builtin_policies(made)
    approver(made)
    return made


@pytest.fixture
def api(tenant: Tenant) -> Api:
    """A client of `tenant` with all scopes."""
    client = ClientFactory(tenant=tenant, client_id="agent")
    return Api({"Authorization": f"Bearer {issued(client, scopes=Scope.values).secret}"})


@pytest.fixture
def hook_api(tenant: Tenant) -> Api:
    """What an agent's hook has: a credential with `decide` and `record`."""
    client = ClientFactory(tenant=tenant, client_id="hook")
    return Api({"Authorization": f"Bearer {issued(client).secret}"})


@pytest.fixture
def demo(db: None, settings: Settings) -> Api:
    """The demo, called as the integration guide does: without credentials."""
    settings.AXON_DEMO = True
    demo_data.seed("password of the tests")
    return Api()
