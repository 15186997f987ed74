"""Signs that a value was spliced into a statement: told from what a person or a program writes.

The classes of signs follow the OWASP Web Security Testing Guide, 07-05 (SQL injection).
"""

from __future__ import annotations

from collections.abc import Sequence

from policies.engine.sql.evidence import Evidence, Tokens
from policies.engine.sql.probes import probes
from policies.engine.sql.splices import assigned, broken, comments, stacked
from policies.engine.sql.statements import Statement
from policies.engine.sql.tautologies import conditions
from policies.engine.sql.unions import unions


def evidence(
    tokens: Tokens, statements: Sequence[Statement], text: str, *, value: bool
) -> list[Evidence]:
    """The signs in a text; `value`: it is a value put behind `WHERE c =` for this purpose."""
    found = list(comments(tokens, text, value=value))
    found.extend(stacked(statements, text, value=value))
    for statement in statements:
        found.extend(conditions(statement, value=value))
        found.extend(unions(statement, value=value))
        found.extend(probes(statement, value=value))
        found.extend(broken(statement, value=value))
        found.extend(assigned(statement))
    return found
