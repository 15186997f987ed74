"""What a statement spells in pieces or by codes is read as the value that the server reads."""

import pytest

from policies.engine.analysis import analyse
from policies.engine.operation import Language, Operation, Part
from policies.engine.sql.literals import MAX_LITERALS, MAX_QUOTED, spelled
from policies.engine.sql.tokens import tokenize


def texts(statement: str) -> list[tuple[str, str]]:
    tokens, _ = tokenize(statement)
    return [(said, statement[start:end]) for said, start, end in spelled(tokens)]


@pytest.mark.parametrize(
    ("statement", "said", "covers"),
    [
        ("SELECT 'a' || 'b'", "ab", "'a' || 'b'"),
        ("SELECT 'a' + 'b' + 'c'", "abc", "'a' + 'b' + 'c'"),
        ("SELECT concat('it''s', 'b')", "it'sb", "'it''s', 'b'"),
        ("SELECT concat_ws('-', 'b')", "-b", "'-', 'b'"),
        (r"SELECT U&'d\0061t\+000061'", "data", r"U&'d\0061t\+000061'"),
        (r"SELECT U&'\d800\+ffffff'", r"\d800\+ffffff", r"U&'\d800\+ffffff'"),
        ("SELECT x'6162'", "ab", "x'6162'"),
        ("SELECT 0x616263646566", "abcdef", "0x616263646566"),
        ("SELECT $$a b$$", "a b", "$$a b$$"),
        ("SELECT $t$a$t$", "a", "$t$a$t$"),
    ],
)
def test_a_literal_says_what_the_server_reads(statement, said, covers):
    assert texts(statement) == [(said, covers)]


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT 'a', 'b'",
        "SELECT f('a', 'b')",
        "SELECT 'a' || name",
        "SELECT x'01ff', x'6', 0x6162, 4 || 5",
        "SELECT '' || ''",
        "DO $$" + "x" * MAX_QUOTED + "$$",
        "SELECT 'open",
        "SELECT U&'open",
    ],
)
def test_what_stands_as_it_is_or_is_no_text_is_left_to_others(statement):
    assert not [said for said, _ in texts(statement) if said != "open"]


def test_the_number_of_literals_is_bounded():
    assert len(texts("SELECT " + "'a' || 'b', " * (MAX_LITERALS + 5))) == MAX_LITERALS


def test_a_value_in_a_program_is_marked_where_it_stands():
    text = "DO $$ BEGIN INSERT INTO crew VALUES ('jane@corp-mail.com', 'kim@corp-mail.com'); END $$"
    part = Part(start=0, end=len(text), language=Language.SQL)

    found = [f for f in analyse(Operation(text=text, parts=(part,))).findings if "pii" in f.kind]

    assert [text[f.start : f.end] for f in found] == ["jane@corp-mail.com", "kim@corp-mail.com"]
