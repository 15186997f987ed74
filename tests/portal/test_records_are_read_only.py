"""The past is looked at; there is no form that could change it."""

from __future__ import annotations

import pytest
from django.urls import reverse

from tests.portal.people import World, browser, member, pages_of

RECORDS = ("gatewaycontext", "toolcall", "llmcall", "auditevent")


@pytest.mark.parametrize("model", RECORDS)
def test_nobody_adds_one(ours: World, model: str) -> None:
    visitor = browser(member(ours.tenant, is_superuser=True))

    assert visitor.get(reverse(f"admin:audit_{model}_add")).status_code == 403


@pytest.mark.parametrize("name", ["decision", "tool call", "audit event"])
def test_nobody_deletes_or_changes_one(ours: World, name: str) -> None:
    visitor = browser(member(ours.tenant, is_superuser=True))
    url = pages_of(ours)[name]

    page = visitor.get(url).content.decode()
    deletion = visitor.post(url.replace("/change/", "/delete/"), {"post": "yes"})

    assert deletion.status_code == 403
    assert 'name="_save"' not in page
    assert ours.decision.__class__.objects.filter(pk=ours.decision.pk).exists()


def test_an_event_leads_to_what_it_is_about(ours: World) -> None:
    visitor = browser(ours.owner)
    history = visitor.get(reverse("admin:policies_policy_history", args=[ours.policy.pk]))

    events = visitor.get(history.headers["Location"]).content.decode()

    assert "policy.create" in events
    assert ours.event.pk not in events
