"""Of a long text only the lines that an encoding stands in are read once more."""

import re

from policies.engine.analysis import analyse
from policies.engine.decode.samples import SSN
from policies.engine.decode.windows import REACH, WHOLE, around
from policies.engine.operation import Language, Operation, Part

MARK = re.compile("#")
LINE = "an ordinary line of a long text\n"


def test_a_short_text_is_read_whole():
    assert around("a#\n" * 10, MARK) is None


def test_a_text_full_of_it_is_read_whole():
    assert around("a#\n" * WHOLE, MARK) is None


def test_lines_are_kept_with_their_places():
    text = LINE * 300 + "first # line\n" + LINE * 300 + "a # b # c\n" + LINE * 300 + "last #"

    made = around(text, MARK)

    assert made is not None
    assert made.text == "first # line\na # b # c\nlast #"
    at = made.text.index("b # c")
    assert (made.starts[at], made.ends[at + 4]) == (text.index("b # c"), text.index("b # c") + 5)


def test_of_a_long_line_only_the_neighbourhood_is_kept():
    text = "x" * 20_000 + "#" + "y" * 20_000 + "#" + "z" * 20_000

    made = around(text, MARK)

    assert made is not None
    assert made.text.count("#") == 2
    assert "x" * REACH + "#" in made.text
    assert len(made.text) < 8 * REACH


def test_other_places_are_kept_too():
    text = LINE * 500

    made = around(text, MARK, [(40, 45), (10_000, 10_010)])

    assert made is not None
    assert made.text.count("ordinary") == 2


def test_an_encoded_number_in_a_long_text_is_found_at_its_place():
    for written in (SSN.replace("-", "%2D"), SSN.replace("-", "&#45;"), SSN.replace("5", "５")):
        text = LINE * 2_000 + f"her SSN is {written}.\n" + LINE * 2_000

        found = analyse(
            Operation(text=text, parts=(Part(start=0, end=len(text), language=Language.TEXT),))
        ).findings

        assert {text[f.start : f.end] for f in found if f.kind == "pii.ssn"} == {written}
