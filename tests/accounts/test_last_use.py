"""When a credential was last used, to the minute, and when it ends with its person."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from axonportal.accounts import authentication
from axonportal.accounts.models import Credential
from tests.factories import ClientFactory, UserFactory, issued
from tests.gateway.calling import PRE_CHECK, Api

pytestmark = pytest.mark.django_db


def _call(secret: str) -> int:
    authentication.cache.forget()  # as after its five seconds
    answer = Api({"Authorization": f"Bearer {secret}"}).post(PRE_CHECK, {"query": "ls"})
    return answer.status


def test_uses_within_a_minute_are_noted_once():
    made = issued(ClientFactory())

    _call(made.secret)
    made.credential.refresh_from_db()
    first = made.credential.last_used_at
    _call(made.secret)

    made.credential.refresh_from_db()
    assert first is not None
    assert timezone.now() - first < timedelta(minutes=1)
    assert made.credential.last_used_at == first


def test_a_later_use_replaces_an_earlier_one():
    made = issued(ClientFactory())
    long_ago = timezone.now() - timedelta(days=3)
    Credential.objects.filter(pk=made.credential.pk).update(last_used_at=long_ago)

    _call(made.secret)

    made.credential.refresh_from_db()
    assert made.credential.last_used_at is not None
    assert made.credential.last_used_at > long_ago


def test_switching_a_person_off_ends_her_credential_at_once():
    ada = UserFactory()
    made = issued(ClientFactory(), user=ada)
    api = Api({"Authorization": f"Bearer {made.secret}"})
    assert api.post(PRE_CHECK, {"query": "ls"}).status == 200

    ada.is_active = False
    ada.save()

    assert api.post(PRE_CHECK, {"query": "ls"}).status == 401
