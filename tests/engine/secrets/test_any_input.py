"""No text makes the family raise, or take time that grows faster than the text."""

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.engine.secrets.test_secrets import examine

PIECES = st.sampled_from(
    [
        *"0aZ =:'\"\\/<>{}[]()\n\t;,|&@.-_�é",
        "password",
        "token=",
        "://",
        "eyJ",
        ".eyJ",
        "İ",
        "-----BEGIN PRIVATE KEY-----",
        "-----END PRIVATE KEY-----",
        "bearer ",
        "basic ",
        "mysql -p",
        "insert into t(password) values('",
        "curl -u a:",
        "sig=",
        "identified by '",
        "echo a:",
    ]
)


@settings(max_examples=300, deadline=None)
@given(st.lists(PIECES, max_size=60).map("".join) | st.text(max_size=200))
def test_any_text_is_examined(text):
    for found in examine(text):
        assert 0 <= found.start < found.end <= len(text)


@pytest.mark.parametrize(
    "piece",
    [
        "password=",
        'password="',
        "token_",
        "-----BEGIN PRIVATE KEY-----",
        "eyJhbGciOiJub25lIn0.eyJ",
        "://a:b",
        "x://a:bb@",
        "bearer ",
        "mysql -u x ",
        "curl -u ",
        "machine x login y password ",
        "basic YWRtaW4",
        "identified by ",
        "pass ",
        ":5432:a:b:",
    ],
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
