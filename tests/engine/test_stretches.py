"""A slow pattern is tried only round the words that stand in all it matches."""

import re

from hypothesis import given
from hypothesis import strategies as st

from policies.engine.pii.addresses import _IPV4, _written_addresses
from policies.engine.stretches import matches, stretches


def test_stretches_that_overlap_are_one():
    text = "a" * 20 + "xx" + "a" * 4 + "xx" + "a" * 50 + "y"

    assert list(stretches(text, ("xx", "y"), 10)) == [(10, 36), (68, 88)]


def test_a_text_without_the_words_has_none():
    assert list(stretches("a" * 100, ("b", "c"), 10)) == []


@given(st.text(alphabet="ab xc", max_size=80))
def test_what_matches_is_what_the_pattern_alone_finds(text: str):
    pattern = re.compile(r"a{0,3}xb{0,3}")

    found = [match.span() for match in matches(pattern, text, ("x",), 8)]

    assert found == [match.span() for match in pattern.finditer(text)]


@given(st.text(alphabet="12.", max_size=60))
def test_addresses_found_by_their_marks_are_those_found_by_their_digits(text: str):
    found = list(_written_addresses(text, six=False))

    assert found == [match.span() for match in _IPV4.finditer(text)]


@given(st.text(alphabet="1f:g-", max_size=60))
def test_the_same_holds_for_version_six(text: str):
    pattern = re.compile(
        r"[0-9a-fA-F](?<![0-9A-Za-z]{2})[0-9a-fA-F]{0,3}(?::[0-9a-fA-F]{0,4}){3,7}"
    )

    found = list(_written_addresses(text, six=True))

    assert found == [match.span() for match in pattern.finditer(text)]
