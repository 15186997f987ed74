"""Rows that tests begin with, with what a test does not care about filled in."""

from __future__ import annotations

from typing import Any

import factory
from django.contrib.auth.models import Group
from factory.django import DjangoModelFactory

from axonportal.accounts.models import Client, Membership, Team, Tenant, User
from axonportal.accounts.services import Issued, issue_credential
from policies import services
from policies.models import Policy

BLOCK_PRODUCTION = {
    "name": "no-production",
    "conditions": [{"field": "query", "operator": "contains", "value": "production"}],
    "actions": [{"type": "block", "message": "Production access blocked"}],
}


class TenantFactory(DjangoModelFactory):
    class Meta:
        model = Tenant

    slug = factory.Sequence(lambda number: f"tenant-{number}")
    name = factory.LazyAttribute(lambda tenant: tenant.slug.title())


class UserFactory(DjangoModelFactory):
    class Meta:
        model = User
        skip_postgeneration_save = True

    username = factory.Sequence(lambda number: f"user-{number}")
    email = factory.LazyAttribute(lambda user: f"{user.username}@example.com")


class MembershipFactory(DjangoModelFactory):
    class Meta:
        model = Membership

    user = factory.SubFactory(UserFactory)
    tenant = factory.SubFactory(TenantFactory)
    role = Membership.Role.EDITOR


class TeamFactory(DjangoModelFactory):
    class Meta:
        model = Team

    tenant = factory.SubFactory(TenantFactory)
    name = factory.Sequence(lambda number: f"team-{number}")


class ClientFactory(DjangoModelFactory):
    class Meta:
        model = Client

    tenant = factory.SubFactory(TenantFactory)
    client_id = factory.Sequence(lambda number: f"client-{number}")


def issued(client: Client | None = None, **options: Any) -> Issued:
    """A credential of `client` (default: a new one) and its secret."""
    options = {"name": "test", "actor": "ada"} | options
    return issue_credential(client or ClientFactory(), **options)


def saved_policy(tenant: Tenant, **values: Any) -> Policy:
    """A policy in force; unless told otherwise it blocks `production`."""
    policy, _ = services.create_policy(tenant, {**BLOCK_PRODUCTION, **values}, actor="ada")
    return policy


def approver(tenant: Tenant, *groups: str, **values: Any) -> User:
    """A person who may answer for the groups (default: the deployment's own), made if needed."""
    person: User = UserFactory(**values)
    MembershipFactory(user=person, tenant=tenant, role=Membership.Role.APPROVER)
    for name in groups or ("security-team",):
        person.groups.add(Group.objects.get_or_create(name=name)[0])
    return person
