"""A sign of injection, and the small questions about tokens that all its detectors ask."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from policies.engine.language import word_set
from policies.engine.sql.tokens import Token

Tokens = Sequence[Token]

# What people write behind a literal in a condition or a list.
BEHIND_LITERAL = word_set(
    "as and or xor not is in like ilike rlike regexp glob between collate limit order group having "
    "union intersect except minus offset fetch for from where then when else end on using asc desc "
    "returning with window qualify escape at over within filter cross join left right inner outer "
    "full natural set values div mod similar match into lock separator precision day days hour "
    "hours minute minutes month months second seconds week year years weeks microsecond quarter "
    "nulls rows range preceding following percent key duplicate do sounds option straight_join "
    "start connect model sample tablesample overlaps contains bool int text date to and by"
)  # fmt: skip

COMPARISONS = word_set("= < > <= >= <> !=")


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """A sign of injection in `[start, end)` of the text; `weak` ones count only together."""

    rule: str
    reason: str
    start: int
    end: int
    confidence: float = 0.9
    weak: bool = False


def text_at(tokens: Tokens, index: int) -> str:
    """The text of a token, empty outside of them."""
    return tokens[index].text if 0 <= index < len(tokens) else ""


def kind_at(tokens: Tokens, index: int) -> str:
    """The kind of a token, empty outside of them."""
    return tokens[index].kind if 0 <= index < len(tokens) else ""
