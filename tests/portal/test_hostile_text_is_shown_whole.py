"""Text from operations is data: escaped, whole, and nothing in it stays unseen."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client as Browser
from django.urls import reverse

from audit.services import record_event, record_tool_call
from axonportal.common.display import Span, marked, one_line, visible
from tests.audit.records import stored
from tests.portal.people import HOSTILE, World, read

SHOWN = ("U+202E", "U+202C", "U+200B", "U+001B", "U+E0041", "\N{REPLACEMENT CHARACTER}end")


def _is_harmless(html: str) -> str:
    page = read(html)
    assert "alert(1)" not in "".join(page.inline)
    assert "onerror" not in {name for _tag, found in page.elements for name in found}
    assert "x" not in page.attributes("src")
    assert not set("\u202e\u202c\u200b\x1b\U000e0041\0") & set(html)
    return page.text


def _decision(ours: World, **fields: Any) -> Any:
    return stored(tenant_id=ours.tenant.pk, **{"query": HOSTILE} | fields)


def test_on_the_page_that_says_why(owner: Browser, ours: World) -> None:
    row = _decision(
        ours,
        tool=HOSTILE.replace("\0", "")[:200],
        user_id="<b>ada</b>",
        session_id="s<script>",
        context={"<i>key": HOSTILE},
        block_reason=HOSTILE,
        triggered_policies=["<b>policy</b>"],
        verdict="deny",
        snapshot={
            "facts": {"shell.command": [HOSTILE]},
            "findings": [
                {"kind": "pii.<b>", "start": 0, "end": 8, "reason": HOSTILE, "confidence": 1}
            ],
            "matches": [
                {"policy": "<b>p</b>", "policy_id": "x", "action": "block", "message": HOSTILE}
            ],
        },
    )

    answer = owner.get(reverse("admin:audit_gatewaycontext_change", args=[row.pk]))

    text = _is_harmless(answer.content.decode())
    assert "<script>alert(1)</script>" in text
    assert "{{ 7|add:7 }}" in text
    assert "second line" in text
    assert all(sign in text for sign in SHOWN)


def test_on_lists_and_the_overview(owner: Browser, ours: World) -> None:
    _decision(ours, user_id="<b>ada</b>", triggered_policies=["<b>policy</b>"])

    for url in (reverse("admin:index"), reverse("admin:audit_gatewaycontext_changelist")):
        text = _is_harmless(owner.get(url).content.decode())

        assert "<script>alert(1)</script>" in text
        assert "U+202E" in text


def test_on_the_pages_of_tool_calls_and_events(owner: Browser, ours: World) -> None:
    call = record_tool_call(
        tenant_id=ours.tenant.pk,
        client_id="<b>c</b>",
        tool_name="<b>t</b>",
        input={"command": HOSTILE},
        output=HOSTILE,
    )
    event = record_event(
        "policy.update",
        actor="<script>alert(1)</script>",
        tenant_id=ours.tenant.pk,
        detail={"note": HOSTILE},
    )

    for url in (
        reverse("admin:audit_toolcall_change", args=[call.pk]),
        reverse("admin:audit_toolcall_changelist"),
        reverse("admin:audit_auditevent_change", args=[event.pk]),
        reverse("admin:audit_auditevent_changelist"),
    ):
        assert "<script>alert(1)</script>" in _is_harmless(owner.get(url).content.decode())


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a<b>&\"'", "a&lt;b&gt;&amp;&quot;&#x27;"),
        ("tab\tline\nend", "tab\tline\nend"),
        ("naïve שלום 漢字 😀", "naïve שלום 漢字 😀"),
        ("a\u00a0b", "U+00A0"),
        ("a\u2066b", "U+2066"),
        ("a\ufeffb", "U+FEFF"),
        ("a\u3164b", "U+3164"),
        ("a\rb", "U+000D"),
        ("a\U000e0061b", "U+E0061"),
    ],
    ids=[
        "markup",
        "layout stays",
        "scripts stay",
        "no-break space",
        "isolate",
        "mark",
        "filler",
        "return",
        "tag",
    ],
)
def test_what_is_unseen_is_named(text: str, shown: str) -> None:
    assert shown in visible(text)


def test_spans_may_overlap_nest_and_reach_beyond_the_text() -> None:
    spans = [
        Span(number=1, start=0, end=5, name="pii.a", family="pii"),
        Span(number=2, start=3, end=8, name="sql.b", family="sql"),
        Span(number=3, start=4, end=4, name="empty"),
        Span(number=4, start=7, end=99, name="late"),
        Span(number=5, start=-3, end=1, name="early"),
    ]

    html = marked("<b>45678>", spans)

    assert read(html).text == "<b>45678>"
    assert 'data-n="1 5"' in html
    assert 'data-n="2"' in html
    assert 'title="1: pii.a, 2: sql.b"' in html


def test_a_preview_says_that_there_is_more() -> None:
    assert one_line("a\r\nb\n" + "x" * 400).startswith("a ⏎ b ⏎ x")
    assert one_line("x" * 400).endswith(" …")
