"""The quick form of a question answers what the thorough one does."""

from __future__ import annotations

from hypothesis import example, given, settings
from hypothesis import strategies as st

from policies.engine.sql.values import _ANYWHERE, _ANYWHERE_IN_ASCII

WORDS = ("union", "or", "x_y", "f(", "g(", "=", "\v", "\x1c", " ", "'", "is", "#", "--", "a", "(")


@settings(max_examples=2000, deadline=None)
@given(
    st.lists(st.sampled_from(WORDS), max_size=12).map("".join)
    | st.text(alphabet=st.characters(max_codepoint=127))
)
@example("x_y\v(")
@example("x_y\x1f(")
@example("OR 1 iS\n")
def test_in_ascii_both_forms_answer_the_same(text: str) -> None:
    thorough = _ANYWHERE.search(text) is not None

    assert (_ANYWHERE_IN_ASCII.search(text.encode()) is not None) == thorough
