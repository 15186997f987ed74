"""Long bounded repeats of any character are compiled without their bounds; RE2 minds them."""

from __future__ import annotations

import pytest

from policies.engine import prefilter
from policies.engine.patterns import compile_pattern
from policies.engine.prefilter import Prefilter, widened


@pytest.mark.parametrize(
    ("pattern", "compiled"),
    [
        pytest.param(r"send.{1,40}key", r"send.*key", id="a range"),
        pytest.param(r"send.{3,}key", r"send.*key", id="without an upper bound"),
        pytest.param(r"send.{100}?key", r"send.*?key", id="exact and lazy"),
        pytest.param(r"(?-s)a.{1,40}b|[.]c", r"(?-s)a.*b|[.]c", id="beside flags and sets"),
        pytest.param(r"send.{1,4}key", r"send.{1,4}key", id="short ones stay"),
        pytest.param(r"send\.{1,40}key", r"send\.{1,40}key", id="a dot as such"),
        pytest.param(r"[.{1,40}]x", r"[.{1,40}]x", id="a set of these characters"),
        pytest.param(r"a.\{1,40}", r"a.\{1,40}", id="braces as such"),
        pytest.param(r"[a-z]{1,40}", r"[a-z]{1,40}", id="other repeats"),
    ],
)
def test_only_long_repeats_of_a_bare_dot_lose_their_bounds(pattern: str, compiled: str):
    assert widened(pattern) == compiled


@pytest.mark.parametrize("gap", [0, 1, 39, 40, 41, 200])
@pytest.mark.parametrize("fill", ["x", "\n", "é"], ids=["letter", "line break", "two bytes"])
def test_whatever_re2_finds_over_a_gap_is_still_a_candidate(gap: int, fill: str):
    pattern = r"send.{1,40}key"
    text = f"please SEND{fill * gap}KEY now".encode()

    found = compile_pattern(pattern).regex.search(text) is not None
    database = Prefilter([pattern], prefilter._compile([pattern]))

    assert found == (1 <= gap <= 40)
    assert bool(database.scan(text)) >= found
