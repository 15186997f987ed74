"""SQL: what a statement does, what it destroys, and what was spliced into it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import islice

from policies.engine.decode.escapes import json_escapes
from policies.engine.family import Sign
from policies.engine.findings import Report, View
from policies.engine.language import Guess, guess
from policies.engine.mapped import Mapped, Places
from policies.engine.operation import Language
from policies.engine.rules import Rule
from policies.engine.sql import destructive, mongo, statements
from policies.engine.sql.budget import Budget, Work
from policies.engine.sql.decoding import PLUS, decoded, plain, readings
from policies.engine.sql.evidence import Evidence, Tokens
from policies.engine.sql.facts import note
from policies.engine.sql.injection import evidence
from policies.engine.sql.literals import spelled
from policies.engine.sql.lone import lone_statements
from policies.engine.sql.rules import REFERENCES, RULES
from policies.engine.sql.strays import stray_values
from policies.engine.sql.tokens import tokenize
from policies.engine.sql.unread import CONFIDENCE, unread
from policies.engine.sql.values import MAX_VALUE, subquery_evidence, value_evidence

MAX_STATEMENTS = 1_000  # of one text
MAX_URL = 20_000  # characters of a URL or form that are examined
MAX_TORN = 4  # statements of one text in which values are looked for
MAX_ENCODED = 3 * MAX_VALUE  # characters of a text that is read with its percent signs resolved
MAX_MONGO = 300  # hits of one text
MAX_LEAVES = 200  # strings of a JSON text, or parameters of a URL, that are examined

_PERCENT = re.compile(r"%(?:20|27|22|2[0-9a-f]|3[bd]|0[9ad]|u00)", re.IGNORECASE)
_VALUE_FIRST = re.compile(r"[\d'\"-]|\w+[)'\"`]|test\b|\(*case\s+when\b|if\s*\(", re.IGNORECASE)
_LIKE = re.compile(r"\blike\s+'%", re.IGNORECASE)
_SPELLED = re.compile(
    r"\|\||\bconcat|'\s*\+\s*'|\bu&'|\bx'|\b0x[0-9a-f]{10}|\$\w*\$", re.IGNORECASE
)
_NAME_FOLLOWS = re.compile(r"\b(?:table|from|exists|truncate|database|schema)\s*\Z", re.IGNORECASE)
_NO_MONGO = frozenset([Language.SHELL, Language.PATH, Language.READ_PATH, Language.TEXT])
_VALUE_SIGNS = frozenset(["operator", "probe", "splice"])
_LEAF = re.compile(
    r'(?P<key>"(?:[^"\\]|\\.){1,80}")\s*:|"(?P<value>(?:[^"\\]|\\.)*+)(?:"|\\?\Z)', re.DOTALL
)
# A name is looked at from its beginning only: of a long text without one, every letter may be it.
_PARAMETER = re.compile(r"(?<![^&?=\s/])[^&?=\s/]++==?(?P<value>[^&]*)")
# {"status": "shutdown"}: a state, and no order to the database.
_ONE_WORD = re.compile(r"\s*[a-z]+(?:\s+(?:immediate|abort))?\s*\Z", re.IGNORECASE)
_SQL_KEYS = frozenset(["sql", "query", "statement", "stmt"])
_SHELL_KEYS = frozenset(["command", "cmd", "script", "shell"])


class Sql:
    """The family `sql`."""

    name = "sql"
    rules: Sequence[Rule] = RULES
    signs: Sequence[Sign] = (
        Sign(
            name="statement",
            pattern=r"\b(select|insert|update|delete|drop|truncate|alter|create|grant|revoke|merge|"
            r"exec|execute|call|copy|union|with|shutdown|begin|declare|do|explain|prepare|show|set|"
            r"vacuum|waitfor|reassign|purge|attach|load|install|flushall|flushdb)\b",
        ),
        Sign(
            name="splice",
            pattern=r"'[-+*/ ^&|%]?'|\d\s+(into\s+[@od]|exec)|"
            r"['\"`)\d\s%;/]\s*(\bor\b|\band\b|\bxor\b|\|\||&&|union|having|order\s+by|;|--|"
            r"#|/\*|waitfor|sleep|benchmark|like\b|between|rlike|regexp|is\s+not|div\s|limit)|"
            r"['\"]\s?\+\s?[a-z_]{2,30}\(",
        ),
        Sign(name="operator", pattern=r"[=<>|&;#]|--|/\*|%[0-9a-f]{2}|&#|\b(or|and|xor|select)\b"),
        Sign(
            name="probe",
            pattern=r"sleep\s*\(|benchmark\s*\(|waitfor\s+delay|extractvalue|updatexml|utl_|dbms_|"
            r"xp_|information_schema|load_file|procedure\s+analyse|\d\.e\s*\(|[%\\]u00[0-7]|@@|sysobjects|randomblob|union|"
            r"load_extension|lo_import|lo_export|pg_read_|pg_ls_dir|sys_eval|sys_exec|sp_password|outfile|dumpfile|"
            r"exec(?:ute)?\s*\(\s*[@nc]|placing\s|\sfrom\s+\d+\s+for\s",
        ),
        Sign(
            name="mongo",
            pattern=r"drop|deletemany|delete_many|remove\s*\(|updatemany|update_many|\$where|"
            r"\$function|\$accumulator|deletes|db\.eval|shutdown",
        ),
    )

    def examine(self, view: View, signs: frozenset[str], report: Report) -> None:
        """Report statements, tables, functions as facts; injection, destruction as findings."""
        if not signs and view.language != Language.SQL:
            return
        language = view.language
        if language == Language.AUTO:
            language = guess(view.text)
        if language == Language.SQL:
            self._statement(view, report)
            if view.language == Language.AUTO:
                for sign in subquery_evidence(view.text):
                    _report(view, 0, sign, report)
        elif language == Guess.JSON:
            self._json(view, report)
        elif (language == Guess.VALUE or _is_no_command(view, language)) and signs & _VALUE_SIGNS:
            self._value(view, 0, view.text, report)
        elif language == Language.URL:
            self._parameters(view, report)
        if "mongo" in signs and language not in _NO_MONGO:
            _mongo(view, report)

    def _statement(self, view: View, report: Report) -> None:
        text, budget = plain(view.text), Budget(report)
        tokens, complete = tokenize(text, budget.left(Work.READ))
        budget.spend(Work.READ, len(tokens))
        found = statements.split(tokens)
        if not complete or len(found) > MAX_STATEMENTS:
            read = found[:MAX_STATEMENTS]
            _unread(view, read[-1].end if read else 0, report)
            found = read
        if found:
            note(found, tokens, report)
        for statement in found:
            _destructive(view, statement, report)
            for part in destructive.dynamic(statement):
                report.nest(_dynamic_view(view, part))
        for sign in _settled(_judged(tokens, found, text, budget)):
            _report(view, 0, sign, report)
        if _SPELLED.search(text):
            for said, start, end in spelled(tokens):
                report.nest(_literal_view(view, said, start, end))
        if view.language == Language.AUTO:
            for sign in lone_statements(found):
                _report(view, 0, sign, report)
        if len(text) <= MAX_ENCODED and ("%" in text or "+" in text):
            self._encoded(view, text, report)

    def _encoded(self, view: View, text: str, report: Report) -> None:
        """A statement with percent-encoded parts: what a server would decode and run."""
        encoded = len(_PERCENT.findall(text))
        if encoded == 1 and _LIKE.search(text):
            encoded = 0  # LIKE '%27%'
        other = decoded(text) if encoded else text
        if PLUS.search(other):
            other = other.replace("+", " ")
        if other == text or len(other) > MAX_VALUE:
            return
        budget = Budget(report)
        tokens, _ = tokenize(other, budget.left(Work.JUDGED))
        signs = _judged(tokens, statements.split(tokens), other, budget)
        for sign in islice(_settled(signs), 1):
            report.find(
                view,
                0,
                len(view.text),
                kind="sql.injection",
                rule=sign.rule,
                reason=f"{sign.reason} It is encoded as in a URL.",
                confidence=sign.confidence,
                reference=REFERENCES["sql.injection", sign.rule],
            )

    def _value(self, view: View, start: int, value: str, report: Report) -> None:
        """A bare value that stands at `start` of the view."""
        for sign in _value_signs(value, Budget(report)):
            _report(view, start, sign, report)

    def _parameters(self, view: View, report: Report) -> None:
        for count, found in enumerate(_PARAMETER.finditer(view.text[:MAX_URL])):
            if count >= MAX_LEAVES:
                report.truncated = True
                return
            if len(found.group("value")) > 3:
                self._value(view, found.start("value"), found.group("value"), report)

    def _json(self, view: View, report: Report) -> None:
        """The strings of a JSON text: statements and commands by their key, else values."""
        key = ""
        for count, found in enumerate(_LEAF.finditer(view.text)):
            if count >= MAX_LEAVES:
                report.truncated = True
                return
            if found.group("key"):
                key = found.group("key")[1:-1].lower()
                continue
            value = found.group("value")
            if len(value) < 4:
                continue
            start, end = found.span("value")
            language = "sql" if key in _SQL_KEYS else "shell" if key in _SHELL_KEYS else ""
            if not language and "\\" not in value and not _ONE_WORD.match(value):
                language = Language.AUTO if guess(value) == Guess.SQL else ""
            if language:
                report.nest(_json_string(view, start, end, language))
            else:
                inside = json_escapes(value).text if "\\" in value else value
                self._leaf(view, start, end, inside, report)

    def _leaf(self, view: View, start: int, end: int, text: str, report: Report) -> None:
        if end - start == len(text):
            self._value(view, start, text, report)
            return
        for sign in _value_signs(text, Budget(report)):
            whole = Evidence(rule=sign.rule, reason=sign.reason, start=0, end=end - start)
            _report(view, start, whole, report)


def _is_no_command(view: View, language: str) -> bool:
    """Whether what was guessed to be a command begins as a value: `7&&5=5`, `test')); ...`."""
    return (
        language == Guess.SHELL
        and view.language == Language.AUTO
        and _VALUE_FIRST.match(view.text) is not None
    )


def _judged(
    tokens: Tokens, found: Sequence[statements.Statement], text: str, budget: Budget
) -> list[Evidence]:
    """The signs of injection in the statements, as far as the budget goes."""
    left = budget.left(Work.JUDGED)
    budget.spend(Work.JUDGED, min(left, len(tokens)))
    if len(tokens) > left:  # what is destroyed was looked for in all of them
        budget.cut()
        tokens = tokens[:left]
        found = statements.split(tokens)
    signs = evidence(tokens, found, text, value=False)
    for statement in found[:MAX_TORN]:
        signs.extend(stray_values(statement, text, budget))
    return signs


def _unread(view: View, start: int, report: Report) -> None:
    """Report what a pattern finds in the rest of a text that is not read."""
    report.truncated = True
    for hit in unread(view.text, start):
        report.find(
            view,
            hit.start,
            hit.end,
            kind="sql.destructive",
            rule=hit.rule,
            reason="The words of a statement that destroys stand in a part that was not read.",
            confidence=CONFIDENCE,
            reference=REFERENCES["sql.destructive", hit.rule],
        )


def _value_signs(value: str, budget: Budget) -> list[Evidence]:
    """The signs in a value as it is written, else in what a server would make of it."""
    found = value_evidence(plain(value), budget)
    if found or len(value) > MAX_VALUE:
        return found
    for other in readings(value):
        signs = value_evidence(other, budget)
        if signs:
            return [
                Evidence(rule=sign.rule, reason=sign.reason, start=0, end=len(value))
                for sign in signs
            ]
    return []


def _dynamic_view(view: View, part: destructive.Dynamic) -> View:
    """The SQL that a statement executes, with the place of each character of its pieces."""
    first, last = part.parts[0][0], part.parts[-1][1]
    whole = view.part(first, last, language="sql", layer=part.layer)
    if len(part.parts) == 1 and not part.more:
        return whole
    places: list[int] = []
    for start, end in part.parts:
        places.extend(view.place(place, place)[0] for place in range(start, end))
    text = "".join(view.text[start:end] for start, end in part.parts)
    if part.more and _NAME_FOLLOWS.search(text):
        places.append(view.place(last, last)[0])
        text += "_"
    places.append(view.place(last, last)[0])
    return View(
        text=text,
        offset=places,
        language="sql",
        layer=whole.layer,
        depth=whole.depth,
        path=view.path,
        carrier=view.carrier,
    )


def _literal_view(view: View, text: str, start: int, end: int) -> View:
    """What a literal says, for the families that look for data; all of it is one run."""
    count = len(text)
    made = Mapped(
        text=text, starts=Places(lambda _: start, count), ends=Places(lambda _: end, count)
    )
    return view.derived(made, language=Language.TEXT, layer="literal", run=(start, end))


def _json_string(view: View, start: int, end: int, language: str) -> View:
    if "\\" not in view.text[start:end]:
        return view.part(start, end, language=language, layer="json")
    made = json_escapes(view.text[start:end])
    return view.derived(made, language=language, layer="json", start=start)


def _destructive(view: View, statement: statements.Statement, report: Report) -> None:
    for hit in destructive.hits(statement):
        tokens = statement.tokens
        report.find(
            view,
            tokens[hit.first].start,
            tokens[max(hit.first, hit.last - 1)].end,
            kind="sql.destructive",
            rule=hit.rule,
            reason=hit.reason,
            confidence=hit.confidence,
            reference=REFERENCES["sql.destructive", hit.rule],
        )


def _settled(found: Sequence[Evidence]) -> Iterator[Evidence]:
    """The signs that count: strong ones, and weak ones that do not stand alone."""
    strong = [sign for sign in found if not sign.weak]
    if strong or len(found) > 1:
        yield from found


def _report(view: View, offset: int, sign: Evidence, report: Report) -> None:
    report.find(
        view,
        offset + sign.start,
        offset + sign.end,
        kind="sql.injection",
        rule=sign.rule,
        reason=sign.reason,
        confidence=sign.confidence,
        reference=REFERENCES["sql.injection", sign.rule],
    )


def _mongo(view: View, report: Report) -> None:
    for count, (rule, start, end) in enumerate(mongo.mongo_hits(view.text)):
        if count >= MAX_MONGO:
            report.truncated = True
            return
        report.fact("sql.statement", rule.rule.upper())
        report.find(
            view,
            start,
            end,
            kind="sql.destructive",
            rule=rule.rule,
            reason=rule.reason,
            reference=REFERENCES["sql.destructive", rule.rule],
        )
