"""The prefilter may only save work: whatever RE2 finds, it finds; and it is compiled in bounds."""

from __future__ import annotations

import time

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from policies.engine import prefilter
from policies.engine.patterns import PatternError, compile_pattern
from policies.engine.prefilter import CompileRefusedError, Prefilter, admit, build, widened

# Letters whose other case is elsewhere, or younger than some libraries; separators; edges.
TRICKY = "aAkKsSiIKſİıßẞéÉµΩΩσςΣåÅвВᲀꙋᲈაᲐᎠꭰꮿ𞤀𞤢𐕰中文한\v\f\n\r\t \x1c\x85\u00a0\u2028\0-_.0٣\x7f"
TEXTS = st.text(
    alphabet=st.one_of(st.sampled_from(TRICKY), st.characters(codec="utf-8")), max_size=8
)
ATOMS = st.one_of(
    st.sampled_from(TRICKY).map(lambda char: f"\\x{{{ord(char):x}}}"),
    st.sampled_from([char for char in TRICKY if char.isalnum()]),
    st.sampled_from(
        [
            r"\s", r"\S", r"\w", r"\W", r"\d", r"\D", r"\v", r"\t", r"\b", r"\B", r"\A", r"\z",
            ".", "^", "$", r"\pL", r"\PL", r"\p{Greek}", r"\p{^Lu}", "[[:alpha:]]", "[[:^space:]]",
            r"[\s]", r"[^\s]", r"[\S]", r"[^\S]", r"[^\v]", r"[\sa]", r"[^\sa]", r"[]\s]",
            "[^a]", "[а-я]", "[a-z]", r"[\x{80}-\x{ffff}]", r"[^\W]", "(?i)k", "(?-i)k", r"\Q.\E",
            "[a-\u024f]", r"\x0b", r"\013", r"\C", "(?-s).", r"[\d\-\s]", "[[:punct:]]", r"[^]\S]",
        ]
    ),
)  # fmt: skip


def combined(parts: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return st.one_of(
        st.tuples(parts, parts).map("".join),
        st.tuples(parts, parts).map(lambda pair: f"(?:{pair[0]}|{pair[1]})"),
        parts.map(lambda part: f"(?:{part})*"),
        parts.map(lambda part: f"(?:{part}){{1,2}}"),
        parts.map(lambda part: f"({part})?"),
        parts.map(lambda part: f"(?m){part}"),
    )


PATTERNS = st.recursive(ATOMS, combined, max_leaves=5)


def candidate(pattern: str, text: str) -> bool:
    """Would the policy be tested? Compiled here rather than in the child, for speed."""
    if widened(pattern) is None or not prefilter._compiles(pattern):
        return True  # runs on RE2 alone
    database = Prefilter([pattern], prefilter._compile([pattern]))
    return pattern in database.scan(text.encode("utf-8", "replace"))


@settings(max_examples=1500, deadline=None)
@given(pattern=PATTERNS, text=TEXTS)
@example(pattern=r"a\Sb", text="a\vb")
@example(pattern=r"a[^\s]b", text="a\vb")
@example(pattern=r"[^\v]", text="\n")
@example(pattern="в", text="\u1c80")
@example(pattern=r"\x{10d0}", text="\u1c90")
@example(pattern=r"\pL", text="\u1c90")
@example(pattern="ſ", text="S")
@example(pattern="k", text="\u212a")
@example(pattern="[a-\u024f]", text="\u212b")
@example(pattern=r"\B", text="0\x800")
def test_what_re2_finds_the_prefilter_finds(pattern: str, text: str) -> None:
    try:
        regex = compile_pattern(pattern).regex
    except PatternError:
        return

    if regex.search(text.encode("utf-8", "replace")):
        assert candidate(pattern, text), (pattern, text)


def test_every_cased_letter_that_is_sent_to_the_prefilter_folds_there_as_in_re2() -> None:
    letters = [chr(code) for code in range(0x21, 0x250) if chr(code).isalpha()]
    text = "\n".join(chr(code) for code in range(0x21, 0x1F000) if chr(code).isalpha())

    for letter in letters:
        if widened(letter) is None:
            continue
        folded = {
            hit.group().decode() for hit in compile_pattern(letter).regex.finditer(text.encode())
        }
        database = Prefilter([letter], prefilter._compile([letter]))
        assert all(database.scan(other.encode()) for other in folded), letter


@pytest.mark.parametrize(
    ("pattern", "shared"),
    [
        (r"\bDROP\s+TABLE\b", r"\bDROP[\t\n\f\r\x20]+TABLE\b"),
        (r"[^\s;]+\S", r"[^\t\n\f\r\x20;]+[^\t\n\f\r\x20]"),
        (r"a\\s\[b", r"a\\s\[b"),
        ("straße", "straße"),
        ("производство", None),
        ("生产", None),
        (r"\p{L}", None),
        (r"\x{62}", None),
        (r"\Qa.b\E", None),
    ],
)
def test_a_pattern_is_widened_or_left_to_re2(pattern: str, shared: str | None) -> None:
    assert widened(pattern) == shared


def test_a_built_prefilter_names_the_patterns_that_occur() -> None:
    patterns = ["production", r"\bdrop\s+table", "(?U)not for vectorscan", "производство", "x{2}"]

    built = build(patterns)

    assert built is not None
    assert built.patterns == ("production", r"\bdrop\s+table", "x{2}")
    assert built.scan(b"DROP\n TABLE on Production") == set(built.patterns[:2])
    assert built.scan(b"") == set()


def test_no_patterns_need_no_prefilter() -> None:
    assert build([]) is None
    assert build(["производство"]) is None


def test_an_ordinary_pattern_is_admitted_and_one_for_re2_alone_is_told_apart() -> None:
    assert admit(r"\bprod\w*")
    assert not admit(r"\pL+")


def test_a_compile_bomb_is_refused_within_its_limits() -> None:
    """Promise 11."""
    started = time.monotonic()

    with pytest.raises(CompileRefusedError, match="more than 2 s or 768 MB"):
        admit(".{1,8000}x.{1,8000}y")

    assert time.monotonic() - started < prefilter.COMPILE_S * 4 + 10


def test_a_prefilter_serves_threads_side_by_side() -> None:
    from concurrent.futures import ThreadPoolExecutor

    built = build(["production", "staging"])
    assert built is not None
    texts = [b"on production", b"on staging", b"on test"] * 200

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(built.scan, texts))

    assert answers == [{"production"}, {"staging"}, set()] * 200
