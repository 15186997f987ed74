"""The shape of an issuer's tokens: a prefix, a length, an alphabet."""

from __future__ import annotations

import re
from dataclasses import dataclass

END = r"(?![A-Za-z0-9_])"  # nothing of a longer word behind a token


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """A token's shape.

    `sign` is its beginning, for the scan that all texts go through. `example` says how to make one
    up: `<A36>` are 36 characters of an alphabet, see `tokens.made_up`.
    """

    kind: str
    issuer: str
    sign: str
    pattern: re.Pattern[str]
    example: str

    @property
    def rule(self) -> str:
        """`shape.github_token`."""
        return f"shape.{self.kind}"


def shape(kind: str, issuer: str, sign: str, pattern: str, example: str) -> Shape:
    return Shape(kind=kind, issuer=issuer, sign=sign, pattern=re.compile(pattern), example=example)
