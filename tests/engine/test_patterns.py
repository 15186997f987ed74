"""User-written patterns: linear time on any text, and the same meaning everywhere; promise 11."""

from __future__ import annotations

import time

import pytest

from policies.engine.patterns import PatternError, compile_literal, compile_pattern


def found(pattern: str, text: str) -> bool:
    return compile_pattern(pattern).regex.search(text.encode()) is not None


@pytest.mark.parametrize(
    ("pattern", "text"),
    [
        ("(a+)+$", "a" * 50_000 + "!"),
        ("(a|aa)+$", "a" * 50_000 + "!"),
        ("(a|a)*b", "a" * 50_000),
        ("^(([a-z])+.)+[A-Z]([a-z])+$", "a" * 50_000),
        ("(.*)*=(.*)*;", "x" * 50_000),
        (r"(\w+\s?)+\d", "word " * 10_000),
        ("(x+x+)+y", "x" * 50_000),
        (r"^(\d+)*$", "1" * 50_000 + "x"),
        ("(.*a){20}", "b" * 50_000),
        (r"([a-zA-Z0-9_.+-]+)+@([a-zA-Z0-9-]+\.)+com", "a@" * 20_000),
        ("a?" * 200 + "a" * 200, "a" * 200),
    ],
)
def test_what_hangs_a_backtracking_engine_takes_milliseconds(pattern: str, text: str) -> None:
    compiled = compile_pattern(pattern)
    started = time.process_time()

    compiled.regex.search(text.encode())

    assert time.process_time() - started < 1.0


@pytest.mark.parametrize(
    "pattern",
    [
        "(?=a)", "(?!a)", "(?<=a)b", "(?<!a)b", r"(a)\1", "(?P<x>a)(?P=x)", "a{1001}",
        "((a{1000}){1000}){1000}", "(", "[a", "*a", "a**", r"\8", "(?x)a b", r"\Z", "x" * 1_001,
    ],
)  # fmt: skip
def test_what_re2_does_not_take_is_refused_with_a_sentence(pattern: str) -> None:
    with pytest.raises(PatternError, match=r"Not a pattern that RE2 takes|at most 1000"):
        compile_pattern(pattern)


@pytest.mark.parametrize(
    ("pattern", "text", "expected"),
    [
        ("drop table", "DROP TABLE x", True),
        ("drop.table", "drop\ntable", True),
        ("^drop", "a\ndrop", False),
        ("(?m)^drop", "a\ndrop", True),
        ("drop$", "drop\n", False),
        ("(?-i)drop", "DROP", False),
        ("(?-s)drop.table", "drop\ntable", False),
        ("CAFÉ", "café", True),
        ("straße", "STRASSE", False),
        (r"\bé", "é", False),
        ("a\0b", "a\0b", True),
        ("😀", "a😀b", True),
    ],
)
def test_case_line_breaks_and_ends_mean_what_the_reference_says(
    pattern: str, text: str, expected: bool
) -> None:
    assert found(pattern, text) is expected


@pytest.mark.parametrize("text", [r"a.b*[c]{2}(d)|^$\e", "-- ' \" ;", "\n\t\0", "é😀", "a-b_c d"])
def test_a_literal_is_itself_and_nothing_else(text: str) -> None:
    pattern = compile_literal(text)

    assert pattern.regex.search(f"x{text}y".encode())
    assert pattern.regex.search(text.upper().encode())
    assert not pattern.regex.search(f"x{text[:-1]}".encode())


def test_a_literal_is_bound_to_the_ends_if_asked() -> None:
    start, end = compile_literal("ab", at_start=True), compile_literal("ab", at_end=True)
    both = compile_literal("ab", at_start=True, at_end=True)

    assert [bool(each.regex.search(b"ab\nx")) for each in (start, end, both)] == [
        True,
        False,
        False,
    ]
    assert [bool(each.regex.search(b"x\nab")) for each in (start, end, both)] == [
        False,
        True,
        False,
    ]
    assert both.regex.search(b"AB")
