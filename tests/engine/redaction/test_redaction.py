"""Redaction takes every finding out by its span, and leaves a text that still works."""

import json
import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from policies.engine.findings import Finding, Report, View
from policies.engine.pii import PersonalData
from policies.engine.pii.samples import SAMPLES as PERSONAL
from policies.engine.redaction import Style, redact, stricter
from policies.engine.redaction_json import MAX_NESTED
from policies.engine.secrets import Secrets
from policies.engine.secrets.samples import SAMPLES as SECRET
from policies.engine.signs import SignScanner

FAMILIES = (PersonalData(), Secrets())
SCANNER = SignScanner((family.name, sign) for family in FAMILIES for sign in family.signs)
KEY = b"a key for tests"


def examine(text: str) -> list[Finding]:
    report = Report()
    view = View(text=text, offset=0, language="auto")
    signs = SCANNER.scan(text)
    for family in FAMILIES:
        family.examine(view, frozenset(signs.get(family.name, ())), report)
    return report.findings


def finding(text: str, value: str, kind: str = "pii.ssn", *, start: int = 0) -> Finding:
    at = text.index(value, start)
    return Finding(
        kind=kind, rule="r", start=at, end=at + len(value), confidence=1.0, reason="A sentence."
    )


@pytest.mark.parametrize(
    ("kind", "value", "style", "stands"),
    [
        ("pii.ssn", "536-22-8726", Style.PLACEHOLDER, "[SSN]"),
        ("pii.date_of_birth", "1980-04-12", Style.PLACEHOLDER, "[DATE_OF_BIRTH]"),
        ("secret.github_token", "abcdefghijkl", Style.PLACEHOLDER, "[SECRET:github_token]"),
        ("pii.ssn", "536-22-8726", Style.KEEP_LAST_FOUR, "***-**-8726"),
        ("pii.credit_card", "4111 1111 1111 1111", Style.KEEP_LAST_FOUR, "**** **** **** 1111"),
        ("pii.phone", "+1 415 555 2671", Style.KEEP_LAST_FOUR, "+* *** *** 2671"),
        ("pii.phone", "555-123", Style.KEEP_LAST_FOUR, "[PHONE]"),
        ("pii.email", "jane@corp-mail.com", Style.KEEP_LAST_FOUR, "[EMAIL]"),
        ("secret.jwt", "abcdefghijkl", Style.KEEP_LAST_FOUR, "[SECRET:jwt]"),
        ("pii.ssn", "536-22-8726", Style.DROP, ""),
        ("pii.national_id.de", "36 574 261 809", Style.PLACEHOLDER, "[NATIONAL_ID_DE]"),
        ("pii.national_id.de", "36 574 261 809", Style.KEEP_LAST_FOUR, "** *** **1 809"),
        ("pii.email", "jane@corp-mail.com", Style.TOKEN, "email_cgffjekbokdpcica"),
        ("secret.jwt", "abcdefghijkl", Style.TOKEN, "secret_cmimclodpcfbecng"),
    ],
)
def test_each_style_leaves_what_it_promises(kind, value, style, stands):
    text = f"before {value} after"

    redacted = redact(text, [finding(text, value, kind)], style=style, key=KEY)

    assert redacted.text == f"before {stands} after"
    assert [span.replacement for span in redacted.spans] == [stands]


def test_styles_may_differ_by_kind_and_family():
    text = "536-22-8726 jane@corp-mail.com hunter22"
    findings = [
        finding(text, "536-22-8726"),
        finding(text, "jane@corp-mail.com", "pii.email"),
        finding(text, "hunter22", "secret.password_assignment"),
    ]

    redacted = redact(text, findings, style={"pii": Style.KEEP_LAST_FOUR, "pii.email": Style.DROP})

    assert redacted.text == "***-**-8726  [SECRET:password_assignment]"


def test_a_hash_is_the_same_for_the_same_person_and_another_under_another_key():
    text = "4111 1111 1111 1111 4111-1111-1111-1111 5555555555554444"
    values = text[:19], text[20:39], text[40:]
    findings = [finding(text, value, "pii.credit_card") for value in values]

    first, second, third = redact(text, findings, style=Style.HASH, key=KEY).spans
    other = redact(text, findings, style=Style.HASH, key=b"another").spans[0]

    assert first.replacement == second.replacement != third.replacement
    assert first.replacement != other.replacement
    assert not any(map(str.isdigit, first.replacement))


@pytest.mark.parametrize("style", [Style.HASH, Style.TOKEN])
def test_a_digest_without_a_key_is_refused(style):
    text = "536-22-8726"

    with pytest.raises(ValueError, match="needs a key"):
        redact(text, [finding(text, text)], style=style)


def test_the_most_specific_style_counts():
    text = "36574261809 AB123456C 536-22-8726"
    findings = [
        finding(text, "36574261809", "pii.national_id.de"),
        finding(text, "AB123456C", "pii.national_id.gb"),
        finding(text, "536-22-8726"),
    ]
    style = {
        "pii": Style.DROP,
        "pii.national_id": Style.PLACEHOLDER,
        "pii.national_id.gb": Style.DROP,
    }

    assert redact(text, findings, style=style).text == "[NATIONAL_ID_DE]  "


def test_the_stricter_of_two_styles_leaves_less():
    assert stricter(Style.KEEP_LAST_FOUR, Style.PLACEHOLDER) is Style.PLACEHOLDER
    assert stricter(Style.DROP, Style.HASH) is Style.DROP
    assert stricter(Style.HASH, Style.TOKEN) is Style.TOKEN


def test_a_finding_outside_the_text_is_refused():
    with pytest.raises(ValueError, match="outside"):
        redact("short", [finding("much longer 536-22-8726", "536-22-8726")])


def test_overlapping_findings_become_one_named_by_the_most_sensitive():
    text = "x 0123456789 y"
    findings = [
        finding(text, "01234567", "pii.phone"),
        finding(text, "3456", "pii.ssn"),
        finding(text, "56789", "pii.ip"),
    ]

    assert redact(text, findings).text == "x [SSN] y"


def test_findings_of_other_families_are_no_reason_to_redact():
    text = "DROP TABLE people"

    assert redact(text, [finding(text, text, "sql.destructive")]).text == text


def test_no_occurrence_is_too_many():
    text = "536-22-8726 jane@corp-mail.com\n" * 2_000

    redacted = redact(text, examine(text))

    assert redacted.text == "[SSN] [EMAIL]\n" * 2_000


@pytest.mark.parametrize(
    ("text", "value", "whole"),
    [
        ("a 1e\u0301 b", "1e", "1e\u0301"),
        ("a e\u03011 b", "\u03011", "e\u03011"),
        ("a 1\U0001f469\u200d\U0001f4bb b", "1\U0001f469", "1\U0001f469\u200d\U0001f4bb"),
        ("a 1\ud83d\ude00 b", "1\ud83d", "1\ud83d\ude00"),
        ("a 1\U0001f44d\U0001f3fd b", "1\U0001f44d", "1\U0001f44d\U0001f3fd"),
        (
            "a \U0001f1e9\U0001f1ea\U0001f1eb\U0001f1f71 b",
            "\U0001f1f71",
            "\U0001f1eb\U0001f1f71",
        ),
        ("a 1\u1112\u1161\u11ab b", "1\u1112", "1\u1112\u1161\u11ab"),
        ("a 11\ufe0f\u20e3 b", "11", "11\ufe0f\u20e3"),
    ],
    ids=["mark after", "mark before", "joined", "half a pair", "skin", "flag", "hangul", "keycap"],
)
def test_characters_stay_whole(text, value, whole):
    (span,) = redact(text, [finding(text, value)]).spans

    assert text[span.start : span.end] == whole


@pytest.mark.parametrize(
    ("text", "value", "redacted"),
    [
        ('{"ssn": 536228726}', "536228726", {"ssn": "[SSN]"}),
        ('{"ssn": [1, 536228726.0]}', "536228726", {"ssn": [1, "[SSN]"]}),
        ('{"a": "x\\n536-22-8726"}', "n536-22-8726", {"a": "x\n[SSN]"}),
        ('{"a": "536-22-8726\\u00e9"}', "536-22-8726\\u0", {"a": "[SSN]"}),
        ('{"a": "1\\\\", "b": "2"}', '1\\\\", "b": "2', {"a": "[SSN]", "[SSN]": "[SSN]"}),
        ('["536-22-8726"]', '"536-22-8726"', ["[SSN]"]),
        ('{"536-22-8726": 5}', "536-22-8726", {"[SSN]": 5}),
        ('{"a": -536228726.5e3}', "536228726", {"a": "[SSN]"}),
    ],
    ids=[
        "number",
        "decimal",
        "escape before",
        "escape behind",
        "two strings",
        "quotes",
        "key",
        "part of a number",
    ],
)
@pytest.mark.parametrize("style", [Style.PLACEHOLDER, Style.HASH, Style.TOKEN, Style.DROP])
def test_json_stays_json(text, value, redacted, style):
    result = redact(text, [finding(text, value)], style=style, key=KEY)

    parsed = json.loads(result.text)
    assert type(parsed) is type(redacted)
    if style == Style.PLACEHOLDER:
        assert parsed == redacted


@pytest.mark.parametrize("depth", [1, 2, 3])
@pytest.mark.parametrize("style", [Style.PLACEHOLDER, Style.TOKEN, Style.DROP])
def test_json_inside_strings_stays_json(depth, style):
    text = json.dumps({"note": "é\n\U0001f600", "ssn": 536228726, "also": ["536-22-8726"]})
    for _ in range(depth):
        text = json.dumps({"content": text, "n": 1})
    findings = [finding(text, "536228726"), finding(text, "536-22-8726")]

    inner = redact(text, findings, style=style, key=KEY).text
    for _ in range(depth):
        inner = json.loads(inner)["content"]

    redacted = json.loads(inner)
    assert redacted["note"] == "é\n\U0001f600"
    assert isinstance(redacted["ssn"], str)
    assert isinstance(redacted["also"][0], str)
    if style is Style.PLACEHOLDER:
        assert redacted["ssn"] == redacted["also"][0] == "[SSN]"


def test_json_nested_deeper_than_any_tool_does_stays_json_outside():
    text = "[536228726]"
    for _ in range(MAX_NESTED + 3):
        text = json.dumps([text])

    assert isinstance(json.loads(redact(text, [finding(text, "536228726")]).text), list)


def test_lines_of_json_stay_json():
    text = '{"ssn": 536228726}\n{"ssn": 219551234}\n'

    lines = redact(text, examine(text)).text.splitlines()

    assert [json.loads(line) for line in lines] == [{"ssn": "[SSN]"}] * 2


@pytest.mark.parametrize("style", list(Style))
@pytest.mark.parametrize("sample", [*PERSONAL, *SECRET], ids=lambda sample: sample.name)
def test_a_second_run_changes_nothing(sample, style):
    once = redact(sample.text, examine(sample.text), style=style, key=KEY).text

    twice = redact(once, examine(once), style=style, key=KEY).text

    assert twice == once


@given(
    st.text(max_size=80),
    st.lists(st.tuples(st.integers(0, 80), st.integers(0, 80)), max_size=8),
    st.sampled_from([Style.PLACEHOLDER, Style.KEEP_LAST_FOUR, Style.DROP]),
)
def test_nothing_but_the_findings_is_lost(text, places, style):
    findings = [
        Finding(
            kind="pii.ssn",
            rule="r",
            start=min(first, last, len(text)),
            end=min(max(first, last), len(text)),
            confidence=1.0,
            reason="A sentence.",
        )
        for first, last in places
    ]

    redacted = redact(text, findings, style=style)

    kept, position = [], 0
    for span in redacted.spans:
        kept += [text[position : span.start], span.replacement]
        position = span.end
    assert "".join([*kept, text[position:]]) == redacted.text
    assert all(a.end <= b.start for a, b in zip(redacted.spans, redacted.spans[1:], strict=False))
    assert not any(
        unicodedata.combining(text[span.end]) for span in redacted.spans if span.end < len(text)
    )


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=20),
        lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner),
        max_leaves=12,
    ).filter(lambda value: isinstance(value, (dict, list))),
    st.integers(0, 200),
    st.integers(1, 30),
    st.booleans(),
)
def test_json_stays_json_wherever_a_finding_stands(value, start, length, ascii_only):
    text = json.dumps(value, ensure_ascii=ascii_only)
    first = min(start, len(text) - 1)
    last = min(first + length, len(text))
    found = Finding(
        kind="pii.ssn", rule="r", start=first, end=last, confidence=1.0, reason="A sentence."
    )

    parsed = json.loads(redact(text, [found]).text)

    assert type(parsed) is type(value)


@settings(max_examples=200, deadline=None)
@given(
    st.recursive(
        st.integers()
        | st.floats(allow_nan=False, allow_infinity=False)
        | st.text(max_size=12)
        | st.sampled_from(["536-22-8726", "x\\", '"', "\U0001f600"]),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(st.text(max_size=4), inner, max_size=3)
            | st.lists(inner, max_size=2).map(json.dumps)
        ),
        max_leaves=8,
    ).filter(lambda value: isinstance(value, (dict, list))),
    st.lists(st.tuples(st.integers(0, 200), st.integers(1, 30)), min_size=1, max_size=4),
    st.sampled_from(list(Style)),
    st.booleans(),
)
def test_json_in_json_stays_json_wherever_findings_stand(value, places, style, ascii_only):
    text = json.dumps(value, ensure_ascii=ascii_only)
    found = [
        Finding(
            kind="pii.ssn",
            rule="r",
            start=min(start, len(text) - 1),
            end=min(start + length, len(text)),
            confidence=1.0,
            reason="A sentence.",
        )
        for start, length in places
        if start < len(text)
    ]

    parsed = json.loads(redact(text, found, style=style, key=KEY).text)

    assert _shape(parsed) == _shape(value)


def _shape(value, depth=0):
    """Lists and objects, also those inside strings; what is redacted may be a string then."""
    if isinstance(value, dict):
        return {"object"}
    if isinstance(value, list):
        return [_shape(each, depth + 1) for each in value if isinstance(each, list)]
    return None


@pytest.mark.parametrize(
    ("result", "redacted"),
    [
        (
            '{"id":123,"email":"jane.roe@example.com","ssn":"536-22-8726"}',
            '{"id":123,"email":"[EMAIL]","ssn":"[SSN]"}',
        ),
        (
            "ran: select 1\nid | email | ssn\n123 | jane.roe@example.com | 536-22-8726",
            "ran: select 1\nid | email | ssn\n123 | [EMAIL] | [SSN]",
        ),
    ],
    ids=["a record as JSON", "a table of psql"],
)
def test_what_a_database_tool_answers_is_redacted(result, redacted):
    assert redact(result, examine(result)).text == redacted
