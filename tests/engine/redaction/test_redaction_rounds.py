"""A redacted text is redacted: whatever a second look would find has gone as well."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from policies.engine.analysis import analyse
from policies.engine.findings import Finding
from policies.engine.operation import Language, Operation, Part
from policies.engine.pii.samples import SAMPLES as PERSONAL
from policies.engine.redaction import Redacted, RedactedSpan, Style
from policies.engine.redaction_rounds import (
    MAX_ROUNDS,
    Moved,
    redact_operation,
    redact_parts,
)
from policies.engine.secrets.samples import SAMPLES as SECRET

KEY = b"a key for tests"
SAMPLES = [*(sample.text for sample in PERSONAL), *(sample.text for sample in SECRET)]
TEXTS = [text for text in SAMPLES if len(text) < 400]


def found(operation: Operation) -> list[Finding]:
    return [f for f in analyse(operation).findings if f.kind.startswith(("pii.", "secret."))]


def redacted(text: str, style: Style) -> Redacted:
    part = Part(start=0, end=len(text), language=Language.TEXT)
    operation = Operation(text=text, parts=(part,))
    return redact_operation(operation, found(operation), find=found, style=style, key=KEY)


def applied(text: str, spans: tuple[RedactedSpan, ...]) -> str:
    pieces, at = [], 0
    for span in spans:
        pieces += [text[at : span.start], span.replacement]
        at = span.end
    return "".join([*pieces, text[at:]])


def test_what_dropping_brings_together_goes_too():
    text = "SSN jane@corp-mail.com, 219551234"
    operation = Operation(text=text)
    first = found(operation)

    result = redact_operation(operation, first, find=found, style=Style.DROP)

    assert [f.kind for f in first] == ["pii.email"]
    assert "219551234" not in result.text


def test_a_number_that_another_column_hid_goes_too():
    rows = (
        "INSERT INTO p (id, ssn, n) VALUES (1, '536228726', 123456789), (2, '219551234', 5)\n)\n"
        "INSERT INTO p (id, ssn, n) VALUES (1, '536228726', 123456789), (2, '219551234', 5)"
    )

    once = redacted(rows, Style.PLACEHOLDER).text

    assert "219551234" not in once
    assert redacted(once, Style.PLACEHOLDER).text == once


MIXTURES = st.lists(st.sampled_from(TEXTS) | st.text(max_size=12), min_size=1, max_size=6)
PIECES = st.lists(
    st.sampled_from(
        (
            *("536", "-22-", "8726", "536-22-8726", "jane@corp-mail.com", "SSN ", "password="),
            *("hX7kq2vb", "4111 1111", " 1111 1111", "+1 415 ", "555 2671", "born ", "1980-04-12"),
            *("a", " ", "\n"),
        )
    ),
    min_size=1,
    max_size=12,
)


@settings(max_examples=200, deadline=None)
@given(
    st.builds("\n".join, MIXTURES) | st.builds("".join, MIXTURES) | st.builds("".join, PIECES),
    st.sampled_from(list(Style)),
)
def test_a_second_redaction_changes_nothing(text, style):
    once = redacted(text, style)

    twice = redacted(once.text, style)

    assert twice.text == once.text
    assert applied(text, once.spans) == once.text
    assert all(a.end <= b.start for a, b in zip(once.spans, once.spans[1:], strict=False))


@settings(max_examples=150, deadline=None)
@given(
    st.recursive(
        st.integers() | st.sampled_from(TEXTS) | st.builds("".join, PIECES) | st.text(max_size=9),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(st.sampled_from(["ssn", "password", "note", "a"]), inner, max_size=3)
            | st.lists(inner, max_size=2).map(json.dumps)
        ),
        max_leaves=6,
    ).filter(lambda value: isinstance(value, (dict, list))),
    st.sampled_from(list(Style)),
)
def test_json_stays_json_and_a_second_redaction_changes_nothing(value, style):
    once = redacted(json.dumps(value), style).text

    assert type(json.loads(once)) is type(value)
    assert redacted(once, style).text == once


def test_the_spans_of_several_rounds_are_places_in_the_text_as_it_came():
    text = "ab XX cd XX ef"

    def find(operation: Operation) -> list[Finding]:
        at = operation.text.find("b  c")
        return [] if at < 0 else [mark(at, at + 4)]

    def mark(start: int, end: int) -> Finding:
        return Finding(kind="pii.ssn", rule="r", start=start, end=end, confidence=1.0, reason="A.")

    operation = Operation(text=text)

    result = redact_operation(
        operation, [mark(3, 5), mark(9, 11)], find=find, style={"pii.ssn": Style.DROP}
    )

    assert result.text == "ad  ef"
    assert applied(text, result.spans) == result.text
    assert [(span.start, span.end) for span in result.spans] == [(1, 7), (9, 11)]
    assert Moved(result.spans).start(12) == 4


def test_a_text_that_never_settles_goes_as_a_whole():
    text = '{"a": "xxxxxxxxxxxx", "b": 5}'
    looks = 0

    def find(operation: Operation) -> list[Finding]:
        nonlocal looks
        looks += 1
        at = operation.text.index("x")
        return [
            Finding(kind="pii.ssn", rule="r", start=at, end=at + 1, confidence=1.0, reason="A.")
        ]

    operation = Operation(text=text)

    result = redact_operation(operation, find(operation), find=find, style=Style.DROP)

    assert looks == MAX_ROUNDS + 1
    assert "x" not in result.text
    assert set(json.loads(result.text).values()) == {next(iter(json.loads(result.text)))}


@pytest.mark.parametrize("style", list(Style))
def test_nothing_to_find_leaves_the_text_as_it_is(style):
    assert redacted("nothing here", style) == Redacted(text="nothing here")


def test_parts_come_back_by_their_path():
    parts = (
        Part(start=0, end=13, path=("content", 0, "text")),
        Part(start=14, end=19, path=("title",)),
        Part(start=20, end=44, path=("note",)),
    )
    text = "x 536-22-8726\nhello\nto jane@corp-mail.com now"
    operation = Operation(text=text, parts=parts)

    changed = redact_parts(operation, found(operation), find=found)

    assert changed == {("content", 0, "text"): "x [SSN]", ("note",): "to [EMAIL] no"}


def test_an_operation_without_parts_is_one():
    operation = Operation(text='{"id":7,"ssn":"536-22-8726"}')

    (changed,) = redact_parts(operation, found(operation), find=found).items()

    assert changed == ((), '{"id":7,"ssn":"[SSN]"}')
