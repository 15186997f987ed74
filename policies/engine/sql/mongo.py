"""MongoDB commands that delete data or run code in the server."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from policies.engine.stretches import matches

REACH = 500  # characters round a rule's word that what it matches takes
MAX_QUOTED = 2_000  # characters before a hit that are looked through for an open quote


@dataclass(frozen=True, slots=True, kw_only=True)
class MongoRule:
    """A pattern over the command's text (bounded, without nested repeats)."""

    rule: str
    pattern: re.Pattern[str]
    reason: str
    needs: tuple[str, ...]  # one of them stands in every match: most texts hold none


def _rule(rule: str, needs: str, pattern: str, reason: str) -> MongoRule:
    return MongoRule(
        rule=rule, pattern=re.compile(pattern), reason=reason, needs=tuple(needs.split())
    )


_DB = r"\bdb\s{0,3}(?:\.|\[|\.get(?:Collection|SiblingDB)\()"
_EMPTY = r"\(\s{0,9}(?:\{\s{0,9}\}\s{0,9}[,)]|\))"
_OPERATION = r"[\"'](?:op|operation|method|action|command)[\"']\s{0,9}:\s{0,9}[\"']"
_NO_FILTER = r"[\"'](?:filter|query|q|selector)[\"']\s{0,9}:\s{0,9}\{\s{0,9}\}"

RULES = (
    _rule(
        "mongo_drop_database",
        "dropDatabase drop_database",
        _OPERATION + r"dropDatabase[\"']"
        r"|\.(?:dropDatabase|drop_database)\s{0,3}\("
        r"|[{,]\s{0,9}[\"']?dropDatabase[\"']?\s{0,9}:\s{0,9}(?:1|true)",
        "Drops the database with everything in it.",
    ),
    _rule(
        "mongo_drop",
        ".drop \"drop 'drop",
        _OPERATION + r"drop(?:Collection)?[\"']|" + _DB + r"[^;\n]{0,200}?\.drop"
        r"\s{0,3}\(\s{0,9}(?:\{[^}]{0,80}\}\s{0,9})?\)"
        r"|\.(?:dropCollection|drop_collection)\s{0,3}\(|[{]\s{0,9}[\"']drop[\"']\s{0,9}:\s{0,9}[\"']",
        "Drops a collection: its documents are lost.",
    ),
    _rule(
        "mongo_delete_all",
        "deleteMany delete_many .remove deletes",
        _OPERATION + r"delete(?:Many|_many)[\"'][^}]{0,80}" + _NO_FILTER
        + r"|\.(?:deleteMany|delete_many|remove)\s{0,3}" + _EMPTY
        + r"|[\"']deletes[\"']\s{0,9}:\s{0,9}\["
        r"\s{0,9}\{\s{0,9}[\"']q[\"']\s{0,9}:\s{0,9}\{\s{0,9}\}",
        "Deletes every document of a collection: the filter is empty.",
    ),
    _rule(
        "mongo_update_all",
        "updateMany update_many",
        _OPERATION + r"update(?:Many|_many)[\"'][^}]{0,80}" + _NO_FILTER
        + r"|\.(?:updateMany|update_many)\s{0,3}\(\s{0,9}\{\s{0,9}\}\s{0,9},",
        "Changes every document of a collection: the filter is empty.",
    ),
    _rule(
        "mongo_code",
        "$where $function $accumulator db.eval",
        r"[{,]\s{0,9}[\"']?\$(?:where|function|accumulator)[\"']?\s{0,9}:|\bdb\.eval\s{0,3}\(",
        "Runs JavaScript inside the database server.",
    ),
    _rule(
        "mongo_shutdown",
        "shutdown",
        r"\bdb\.shutdownServer\s{0,3}\(|[{]\s{0,9}[\"']?shutdown[\"']?\s{0,9}:\s{0,9}(?:1|true)",
        "Stops the database server.",
    ),
    _rule(
        "mongo_drop_user",
        "dropAllUsers",
        r"\.dropAllUsers(?:FromDatabase)?\s{0,3}\(",
        "Removes every user of the database.",
    ),
)  # fmt: skip


def mongo_hits(text: str) -> Iterator[tuple[MongoRule, int, int]]:
    """The rules that hold for `text`, with the places."""
    for rule in RULES:
        for found in matches(rule.pattern, text, rule.needs, REACH):
            if not (text.startswith("db") and _is_quoted(text, found.start())):
                yield rule, found.start(), found.end()


def _is_quoted(text: str, at: int) -> bool:
    """Whether a string is open at `at`: a document that mentions db.x.drop()."""
    head = text[max(0, at - MAX_QUOTED) : at]
    return bool(head.count('"') % 2 or head.count("'") % 2)
