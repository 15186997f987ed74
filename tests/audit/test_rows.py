from __future__ import annotations

from decimal import Decimal
from typing import Any

import orjson
import pytest

from audit import rows
from audit.models import GATEWAY_CONTEXTS
from tests.audit.records import decision


def _encoded(**fields: Any) -> dict[str, Any]:
    encoded: dict[str, Any] = orjson.loads(rows.encode(GATEWAY_CONTEXTS, decision(**fields)).json)
    return encoded


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("a\0b", "a\N{REPLACEMENT CHARACTER}b"),
        ("a\ud800b", "a\N{REPLACEMENT CHARACTER}b"),
        ("a\udfff\0", "a\N{REPLACEMENT CHARACTER}\N{REPLACEMENT CHARACTER}"),
        (r"a\u0000b", r"a\u0000b"),
        ("größe \N{PILE OF POO}\x01\x7f", "größe \N{PILE OF POO}\x01\x7f"),
    ],
    ids=["NUL", "lone surrogate", "both", "an escape written out", "storable characters"],
)
def test_what_postgresql_cannot_store_is_replaced_character_for_character(text, kept):
    encoded = _encoded(query=text, context={text: [text]})

    assert encoded["query"] == kept
    assert encoded["context"] == {kept: [kept]}


def test_numbers_that_json_or_python_cannot_write_are_kept_as_text():
    encoded = _encoded(context={"big": 2**70, "huge": 2**20_000, "most": 2**63 - 1})

    assert encoded["context"]["big"] == "1180591620717411303424"
    assert encoded["context"]["huge"] == hex(2**20_000)
    assert encoded["context"]["most"] == 2**63 - 1


def test_nesting_beyond_the_limit_is_cut_with_a_note():
    nested: list = []
    for _ in range(5000):
        nested = [nested]

    encoded = rows.encode(GATEWAY_CONTEXTS, decision(context={"deep": nested})).json

    assert rows.CUT.encode() in encoded


def test_bytes_sets_and_decimals_have_a_form():
    encoded = _encoded(query_sha256=b"\x01\xff", triggered_policies={"b", "a"})

    assert encoded["query_sha256"] == r"\x01ff"
    assert encoded["triggered_policies"] == ["a", "b"]
    assert _encoded(context={"cost": Decimal("0.10")})["context"] == {"cost": "0.10"}


@pytest.mark.parametrize(
    ("change", "named"),
    [({"verdct": "allow"}, "verdct"), ({"query": ...}, "query")],
    ids=["unknown column", "missing column"],
)
def test_a_row_of_another_shape_is_an_error_of_the_caller(change, named):
    row = {name: value for name, value in (decision() | change).items() if value is not ...}

    with pytest.raises(ValueError, match=f"unknown or missing: {named}"):
        rows.encode(GATEWAY_CONTEXTS, row)


def test_a_table_outside_the_trail_is_refused():
    with pytest.raises(LookupError, match="auth_user is no table of the trail"):
        rows.encode("auth_user", {})
