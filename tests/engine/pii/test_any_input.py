"""No text makes the family raise, or take time that grows faster than the text."""

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.engine.pii.test_personal_data import examine

PIECES = st.sampled_from(
    [
        *"0123456789 -.+()@:|,;'\"\\/[]{}\n\t�́\u200d４२éß",
        "ssn",
        "phone: ",
        "card=",
        "%40",
        "DE89 ",
        "4111 ",
        "ABCPE1234",
        "insert into t(a,b) values(",
        "a.b@c.de",
        "::",
        "dob 1",
    ]
)


@settings(max_examples=300, deadline=None)
@given(st.lists(PIECES, max_size=60).map("".join) | st.text(max_size=200))
def test_any_text_is_examined(text):
    for found in examine(text):
        assert 0 <= found.start < found.end <= len(text)


@pytest.mark.parametrize(
    "piece",
    ["1", "1 ", "4111 ", "@", "a@b.", "+1", "tel 0", "a:", "|", "(", "DE89 3704 ", "١", "[", " "],
)
def test_time_grows_with_the_text(piece):
    def seconds(length: int) -> float:
        text = piece * (length // len(piece))
        started = time.process_time()
        examine(text)
        return time.process_time() - started

    seconds(1_000)
    short, long = seconds(20_000), seconds(200_000)

    assert long < 40 * short + 0.1
