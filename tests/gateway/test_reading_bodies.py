"""A body is read quickly where that is safe, and means the same as read thoroughly."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from axonportal.common import body
from axonportal.common.errors import PortalError

KEYS = st.sampled_from(["a", "b", "a:b", "query", 'q"', "é"]) | st.text(max_size=4)
LEAVES = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=12)


def members(pairs: list[tuple[str, str]]) -> str:
    """An object whose keys may occur twice."""
    return "{" + ", ".join(f"{json.dumps(key)} : {item}" for key, item in pairs) + "}"


DOCUMENTS = st.recursive(
    st.builds(json.dumps, LEAVES) | LEAVES.map(lambda leaf: json.dumps(leaf, ensure_ascii=False)),
    lambda inner: (
        st.lists(st.tuples(KEYS, inner), max_size=4).map(members)
        | st.lists(inner, max_size=4).map(lambda items: "[" + ",".join(items) + "]")
    ),
    max_leaves=12,
)


def outcome(read: Any, *arguments: Any, **named: Any) -> str:
    try:
        return repr(read(*arguments, **named))
    except PortalError as error:
        return f"{type(error).__name__}: {error.detail}"


def thoroughly(data: bytes) -> str:
    brackets = data.count(b"[") + data.count(b"{")
    return outcome(body._thorough, data, brackets, form=False)


@given(DOCUMENTS.map(lambda text: text.encode("utf-8", "surrogatepass")))
@example(b'{"a": 1, "a": 2}')
@example(b'{"a": "x:y", "b": 1, "b": ":"}')
@example(b'{"a": 1, "a": "\\u003a"}')
@example(b'{"a": "\\u003a\\u003A", "b": {"c": 1, "c": 2}}')
@example(b"18446744073709551616")
@example(b"-9223372036854775809")
@example(b"[1e400, -0, -0.0, 1E5, 0.1, 5e-324]")
@example(b"\xef\xbb\xbf{}")
@example(b'{"a": "\xed\xa0\x80"}')
@example(b"[" * 101 + b"]" * 101)
@example(b"NaN")
@example(b'{"a": 1,}')
def test_the_quick_reader_says_what_the_thorough_one_says(data):
    assert outcome(body.decode, data) == thoroughly(data)


@given(st.binary(min_size=1, max_size=40).filter(bytes.strip))
def test_so_it_does_for_what_is_no_json(data):
    assert outcome(body.decode, data) == thoroughly(data)


@pytest.mark.parametrize(
    ("data", "quick"),
    [
        (b'{"query": "SELECT 1", "context": {"url": "http://a:80/"}}', True),
        (b'{"query": "a", "query": "b"}', False),
        (b'{"query": "\\u0041"}', False),
    ],
    ids=["plain", "twice", "escaped"],
)
def test_plain_bodies_take_the_quick_way(data, quick, monkeypatch):
    calls = []
    thorough = body._thorough

    def noted(*arguments: Any, **named: Any) -> Any:
        calls.append(arguments)
        return thorough(*arguments, **named)

    monkeypatch.setattr(body, "_thorough", noted)

    outcome(body.decode, data)

    assert bool(calls) != quick
