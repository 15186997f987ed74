"""The list of decisions and the page that says why."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client as Browser
from django.urls import reverse
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from audit import admin as audit_admin
from audit.bounded import bounded
from audit.errors import TooMuchToRead
from audit.models import GatewayContext
from tests.audit.records import stored
from tests.portal.people import World, pages_of, read

URL = "/admin/audit/gatewaycontext/"


def _shown(page: Any) -> list[str]:
    links = read(page.content.decode()).attributes("href")
    return [link.split("/")[-3] for link in links if link.startswith(f"{URL}ctx_")]


def _rows(ours: World, count: int, **fields: Any) -> list[str]:
    return [
        stored(tenant_id=ours.tenant.pk, query=f"echo {number}", **fields).pk
        for number in range(count)
    ]


def test_pages_follow_each_other_without_gap_or_overlap(
    owner: Browser, ours: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(audit_admin, "PAGE_ROWS", 3)
    ids = [ours.decision.pk, *_rows(ours, 7)][::-1]

    first = owner.get(URL)
    pages = [first]
    while "›" in pages[-1].content.decode().split("paginator")[1]:
        link = [
            url for url in read(pages[-1].content.decode()).attributes("href") if "before=" in url
        ]
        pages.append(owner.get(URL + link[-1]))

    assert [_shown(page) for page in pages] == [ids[0:3], ids[3:6], ids[6:8]]


def test_the_list_counts_nothing_and_asks_little(
    owner: Browser, ours: World, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    _rows(ours, 5)

    with django_assert_max_num_queries(22) as asked:
        owner.get(URL)

    # The menu counts open approvals, up to a bound; of the trail nothing is counted.
    counted = [query["sql"] for query in asked.captured_queries if "COUNT(" in query["sql"].upper()]
    assert not [sql for sql in counted if "gateway_contexts" in sql]
    assert all("LIMIT" in sql for sql in counted)


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({"verdict": "deny"}, "deny"),
        ({"verdict": "hold"}, "hold"),
        ({"verdict": "nonsense"}, ""),
        ({"tool": "Write"}, "hold"),
        ({"client": "ci"}, "allow"),
        ({"phase": "after"}, "allow"),
        ({"user": "lin"}, "deny"),
        ({"session": "s1"}, "hold"),
        ({"policy": "no-rm"}, "deny"),
        ({"redacted": "1"}, "allow"),
        ({"q": "REMOVE everything"}, "deny"),
        ({"q": "remov*"}, "deny"),
        ({"q": "nowhere"}, ""),
        ({"q": "x\0y"}, ""),
    ],
    ids=str,
)
def test_filters_and_words_narrow_the_list(
    owner: Browser, ours: World, query: dict[str, str], found: str
) -> None:
    tenant = ours.tenant.pk
    rows = {
        "deny": stored(
            tenant_id=tenant,
            query="remove everything",
            verdict="deny",
            user_id="lin",
            triggered_policies=["no-rm"],
        ),
        "hold": stored(tenant_id=tenant, verdict="hold", tool="Write", session_id="s1"),
        "allow": stored(tenant_id=tenant, client_id="ci", phase="after", requires_redaction=True),
    }

    shown = set(_shown(owner.get(URL, query))) - {ours.decision.pk}

    assert shown == ({rows[found].pk} if found else set())


def test_the_window_is_a_week_unless_another_is_chosen(owner: Browser, ours: World) -> None:
    old = stored(tenant_id=ours.tenant.pk, at=timezone.now() - timedelta(days=8))

    assert old.pk not in _shown(owner.get(URL))
    assert old.pk in _shown(owner.get(URL, {"window": "30d"}))
    assert old.pk in _shown(owner.get(URL, {"window": "all"}))


def test_a_question_that_takes_too_long_is_answered_with_a_sentence(
    owner: Browser, ours: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    def slow(self: Any, *args: Any) -> list[Any]:
        raise TooMuchToRead("There is too much to read for that question.")

    monkeypatch.setattr(type(GatewayContext.objects.all()), "newest", slow)

    assert "too much to read" in owner.get(URL).content.decode()
    assert "too much to read" in owner.get("/admin/").content.decode()


def test_a_bounded_statement_ends(db: None) -> None:
    from django.db import connection

    with pytest.raises(TooMuchToRead), bounded(50), connection.cursor() as cursor:
        cursor.execute("SELECT pg_sleep(5)")


def test_the_page_says_why(owner: Browser, ours: World) -> None:
    row = stored(
        tenant_id=ours.tenant.pk,
        client_id="claude-code",
        user_id="ada",
        verified_user="ada.king",
        credential="axn_12345678",
        tool="Bash",
        query="rm -rf / and 123",
        verdict="deny",
        action="block",
        block_reason="Dangerous command",
        triggered_policies=["no-rm", "pii"],
        policy_revision=42,
        engine_version="7",
        context={"cwd": "/srv"},
        snapshot={
            "facts": {"shell.command": ["rm"]},
            "findings": [
                {
                    "kind": "shell.dangerous",
                    "rule": "broad_delete",
                    "start": 0,
                    "end": 8,
                    "confidence": 0.9,
                    "reason": "Deletes a whole tree.",
                }
            ],
            "matches": [
                {
                    "policy": "no-rm",
                    "policy_id": str(ours.policy.pk),
                    "version": 3,
                    "severity": "critical",
                    "action": "block",
                    "written_action": "block",
                    "decided_by": "policy",
                    "message": "Dangerous command",
                    "evidence": [
                        {"path": "conditions.0", "start": 0, "end": 8, "kind": "shell.dangerous"}
                    ],
                },
                {
                    "policy": "pii",
                    "policy_id": str(ours.policy.pk),
                    "version": 1,
                    "severity": "low",
                    "action": "log",
                    "written_action": "redact",
                    "decided_by": "PII_ACTION",
                    "message": "Personal data",
                    "evidence": [{"path": "conditions.0", "start": 13, "end": 16, "kind": ""}],
                },
            ],
        },
    )

    page = owner.get(reverse("admin:audit_gatewaycontext_change", args=[row.pk]))

    text, html = read(page.content.decode()).text, page.content.decode()
    for part in (
        "Denied",
        "Dangerous command",
        "As the policy says.",
        "The setting PII_ACTION of this deployment. The policy itself says: redact.",
        "Deletes a whole tree.",
        "ada.king",
        "axn_12345678…",
        "revision 42",
        "/srv",
        "conditions.0",
    ):
        assert part in text
    assert '<mark class="found shell" title="1: shell.dangerous" data-n="1">rm -rf /</mark>' in html
    assert '<mark class="found policy" title="2: pattern of pii" data-n="2">123</mark>' in html
    assert f"/admin/policies/policy/{ours.policy.pk}/versions/#v3" in html


def test_the_page_shows_the_session_around_it_and_what_followed(
    owner: Browser, ours: World
) -> None:
    session: dict[str, Any] = {"session_id": "ours-session", "tenant_id": ours.tenant.pk}
    later = [stored(query=f"echo {number}", **session).pk for number in range(7)]

    page = owner.get(pages_of(ours)["decision"])

    assert _shown(page) == [ours.decision.pk, *later[:5]]
    assert reverse("admin:audit_toolcall_change", args=[ours.tool_call.pk]) in page.content.decode()


def test_an_old_snapshot_without_parts_is_shown_all_the_same(owner: Browser, ours: World) -> None:
    row = stored(tenant_id=ours.tenant.pk, snapshot={})

    page = owner.get(reverse("admin:audit_gatewaycontext_change", args=[row.pk]))

    assert "No policy matched" in page.content.decode()
