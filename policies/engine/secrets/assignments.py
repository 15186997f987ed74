"""Secrets known by the name they are given: assignments, attributes, columns, sentences."""

from __future__ import annotations

import re
from dataclasses import dataclass

from policies.engine.findings import AT_A_GLANCE
from policies.engine.pii.shapes import words
from policies.engine.pii.tables import MAX_HEADER, may_head
from policies.engine.secrets.names import MAX_NAME, Says, meaning, name_at, places
from policies.engine.secrets.scan import Scan
from policies.engine.secrets.strength import (
    Written,
    is_password,
    is_random,
    is_strong_password,
    is_token,
    is_uuid,
    may_be_password,
    may_be_token,
)

# Names looked at in one text: so many, and one more for so many characters. Past that the text is
# a storm of such words and the report is `truncated`.
MAX_NAMES = 1_000
CHARACTERS_A_NAME = 20

_INSERT = re.compile(r"insert\s{1,20}into\s")
_TYPE = r"[ \t]{0,8}:[ \t]{0,3}&?[A-Za-z'][\w.|\[\]?&<>' ]{0,40}?(?=[ \t]{0,8}=[^=])"
_GIVEN = re.compile(
    rf"\\?[\"'`\])]{{0,2}}(?:{_TYPE}|[ \t]\*?[Ss]tring(?=[ \t]{{0,8}}=[^=]))?"
    r"[ \t]{0,8}(?:=>|:=|\?=|={1,3}|:(?!:)|："
    r"|[ \t](?:is|was|ist|lautet|est|es)[ \t](?=\S{0,99}[0-9]))[ \t]{0,8}"
)
_MAY_BE_GIVEN = frozenset("\"'`])\\ \t=:?：")
_IN_ELEMENT = re.compile(r"\s{0,4}>")
# `<add key="DbPassword" value="…"/>`, `{"name": "DB_PASSWORD", "value": "…"}`, and its YAML.
_IN_ATTRIBUTE = re.compile(r"\\?[\"']?[\s,]{1,40}\\?[\"']?value\\?[\"']?\s{0,2}[:=]\s{0,2}")
_FLAG_GAP = re.compile(r"[ \t]{1,8}(?!-)")
_CALLED = re.compile(r"\(\s{0,4}(?=[\"'])")
_NEXT_ARGUMENT = re.compile(r"[\"']\s{0,2},\s{0,4}(?=[\"'])")  # `define('DB_PASSWORD', '…')`
_AFTER_A_COMMA = re.compile(r",\s{0,4}\Z")
_HCL_DEFAULT = re.compile(r"\"\s{0,4}\{[^{}]{0,400}?\bdefault\s{0,8}=\s{0,8}(?=\")")
# `the admin password for the mailbox is: …`; a sentence goes no further than its line.
_FURTHER_ON = re.compile(r"(?:[ \t][A-Za-z@.\-]{1,20}){1,5}[ \t]?(?::|=|[ \t]is)[ \t]{1,4}[\"'`]?")
_GAP = re.compile(r"[ \t]{1,4}(?:[07][ \t])?[\"'`]?")  # of routers: `secret 0 …`
_QUOTED = re.compile(
    r"(?:[bfru]{0,2})(?:\\\"((?:[^\"\\\n]|\\[^\"\n]){0,4096})\\\"|\"((?:[^\"\\\n]|\\.){0,4096})\""
    r"|'((?:[^'\\\n]|\\.){0,4096})'|`((?:[^`\\\n]|\\.){0,4096})`)"
)
_PLAIN = re.compile(r"[^\s\"'`<>;,&|()\[\]{}\\]{1,1000}+(?![(\[])")
_PLAIN_LINE = re.compile(r"[^\s\"'`;\\]{1,1000}")
_QUERY_REST = re.compile(r"&[\w.\-]{1,40}=")
_DIGIT_SOON = re.compile(r"[^\n0-9]{0,120}[0-9]")
_TOKEN = re.compile(r"[\w+/=~.\-]+")
_WORD = re.compile(r"[^\s\"'`<>]{6,200}")
_BEFORE_NAME = ("", "export", "set", "ENV", "-", "env")
# Words of configuration files that stand before their value with a blank between.
_DIRECTIVES = words(
    "requirepass masterauth rootpw bindpw olcrootpw adminpw wpa_passphrase psk password passwd "
    "smtp_password sasl_passwd secret"
)
_SPOKEN_PASSWORDS = words(
    "password passwd passphrase passcode pwd passwort kennwort contraseña contrasena senha "
    "wachtwoord hasło haslo parola passe"
)
_SPOKEN_TOKENS = words("secret token key credential")
_SOURCES = frozenset("pefs")  # what the following two begin with
_USER_BEFORE = re.compile(r"\b[Uu]ser(?:name)?[ =:]{1,2}\S{1,64}[ ,]{1,2}\Z")  # `user ann pass …`
_LITERAL_PASSWORD = re.compile(r"pass:(?=\S)")
_ELSEWHERE = re.compile(r"(?:env|file|fd|stdin):?")
_BY_NAME = (
    (re.compile(r"aws.*secret|secret_?access_?key"), "aws_secret_key", "An AWS secret access key"),
    (re.compile(r"account_?key|shared_?access"), "azure_storage_key", "An Azure storage key"),
)
_HUMP = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_SPLIT = re.compile(r"[^a-z0-9]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Value:
    """Where a value stands, and how it is written."""

    start: int
    end: int
    written: Written


@dataclass(frozen=True, slots=True, kw_only=True)
class _Named:
    kind: str
    rule: str
    confidence: float
    reason: str


# Of values judged at a glance.
_MAYBE_PASSWORD = _Named(
    kind="password_assignment",
    rule="assignment.password",
    confidence=AT_A_GLANCE,
    reason="A value under the name of a password, in a text that holds too many to judge.",
)
_MAYBE_TOKEN = _Named(
    kind="generic_api_key",
    rule="assignment.token",
    confidence=AT_A_GLANCE,
    reason="A long value under the name of a key or token, in a text with too many to judge.",
)


def find_named(scan: Scan) -> None:
    """Values of what is called a password, key or token: in code, configuration, JSON, XML, URLs,
    flags, sentences, and in tables with such a column."""
    text, position = scan.text, 0
    heads, line_end = _INSERT.search(scan.lower) is not None, -1
    at = places(text, scan.lower)
    allowed = MAX_NAMES + len(text) // CHARACTERS_A_NAME
    if len(at) > allowed:
        scan.truncate()
    for place in at[:allowed]:
        if place < position:
            continue
        start, end = name_at(text, place)
        position = end
        name = text[start:end]
        says = meaning(name)
        if says is Says.NOTHING:
            continue
        value = _value(text, start, end, name)
        if value is None:
            if not heads and start > line_end:
                line_start, line_end = _line_around(text, start)
                heads = line_end - line_start <= MAX_HEADER and may_head(text[line_start:line_end])
            _find_said(scan, start, end, name)
            continue
        if text[value.start : value.end] == name:
            continue
        named = _judged(scan, name, says, value)
        if named is not None:
            _claim(scan, value.start, value.end, named)
            position = max(position, value.end)
    if heads:
        _find_in_columns(scan)


def _line_around(text: str, place: int) -> tuple[int, int]:
    end = text.find("\n", place)
    return text.rfind("\n", 0, place) + 1, end if end >= 0 else len(text)


def _find_in_columns(scan: Scan) -> None:
    tables = scan.tables()
    for name, start, end in tables.cells(lambda name: meaning(name) is not Says.NOTHING):
        value = scan.text[start:end]
        if any(map(str.isspace, value)):
            continue
        given = _Value(start=start, end=end, written=Written.QUOTED)
        named = _judged(scan, name, meaning(name), given)
        if named is not None:
            _claim(scan, start, end, named)


def _claim(scan: Scan, start: int, end: int, named: _Named) -> None:
    scan.claim(
        start,
        end,
        kind=named.kind,
        rule=named.rule,
        confidence=named.confidence,
        reason=named.reason,
    )


def _value(text: str, start: int, end: int, name: str) -> _Value | None:
    """The value given to the name at `[start, end)`; None when it is given none."""
    given: re.Match[str] | None = None
    directive = False
    if text[end : end + 1] in _MAY_BE_GIVEN:
        given = _GIVEN.match(text, end)
    tight = given is not None and not any(map(str.isspace, given[0]))
    if given is None:
        given, directive = _given_otherwise(text, start, end, name)
    if given is None:
        return None
    at = given.end()
    quoted = _QUOTED.match(text, at)
    if quoted is not None:
        first, last = quoted.span(quoted.lastindex or 0)
        beside = text[at - 1 : at] in (" ", ",") and _AFTER_A_COMMA.search(given[0])
        return _without_source(text, first, last, Written.BESIDE if beside else Written.QUOTED)
    before = text[max(0, start - MAX_NAME) : start].rpartition("\n")[2]
    own_line = (tight or directive) and before.strip() in _BEFORE_NAME
    own_line = own_line or (tight and text[start - 1 : start] == ";")  # `Server=db;Password=…;`
    plain = (_PLAIN_LINE if own_line else _PLAIN).match(text, at)
    if plain is None:
        return None
    last = at + len(_QUERY_REST.split(plain[0], 1)[0].rstrip(".,"))
    if own_line:
        written = Written.LINE
    elif text[last : last + 1] in (",", ")"):
        written = Written.ARGUMENT
    else:
        ends = text[last : last + 2].strip(" \t\r")[:1] in ("", "\n", "#")
        written = Written.LINE if ends and ":" in given[0] and not before.strip() else Written.PLAIN
    return _without_source(text, at, last, written)


def _given_otherwise(
    text: str, start: int, end: int, name: str
) -> tuple[re.Match[str] | None, bool]:
    """How the name is given a value without a sign for it; and whether by a blank alone."""
    left = text[start - 1 : start]
    if left in ("<", ":") and name != "_authToken" and (element := _IN_ELEMENT.match(text, end)):
        return element, False
    if name.startswith("-") or name == "_authToken":
        return _FLAG_GAP.match(text, end), False
    if left in ("'", '"'):
        if argument := _NEXT_ARGUMENT.match(text, end):
            in_call = text[max(0, start - 3) : start - 1].rstrip().endswith("(")
            return (argument if in_call else None), False
        if text[max(0, start - 12) : start].lstrip().startswith("variable"):
            return _HCL_DEFAULT.match(text, end), False
    if attribute := _IN_ATTRIBUTE.match(text, end):
        return attribute, False
    if name.lower().lstrip("._").startswith("set") and (called := _CALLED.match(text, end)):
        return called, False
    before = text[max(0, start - 12) : start].rpartition("\n")[2].strip()
    if before.lower() in ("set", "env") or before.endswith(" set"):
        return _FLAG_GAP.match(text, end), True
    if not before and name.lower() in _DIRECTIVES and (gap := _FLAG_GAP.match(text, end)):
        line_end = text.find("\n", gap.end(), gap.end() + 200)
        rest = text[gap.end() : line_end if line_end >= 0 else gap.end() + 200]
        alone = bool(rest) and " " not in rest.strip()
        return (gap if alone else None), alone
    return None, False


def _without_source(text: str, start: int, end: int, written: Written) -> _Value | None:
    """The value without openssl's word for where it comes from; None if that is elsewhere."""
    if text[start : start + 1] not in _SOURCES:
        return _Value(start=start, end=end, written=written)
    literal = _LITERAL_PASSWORD.match(text, start, end)
    if literal is not None:
        return _Value(start=literal.end(), end=end, written=Written.QUOTED)
    if written is not Written.QUOTED and _ELSEWHERE.match(text, start, end):
        return None
    return _Value(start=start, end=end, written=written)


def _find_said(scan: Scan, start: int, end: int, name: str) -> None:
    """A value that a sentence gives: `the passphrase … opens it`, `webhook secret …`."""
    text, lower = scan.text, name.lower()
    if text[end : end + 1] not in (" ", "\t") or not _DIGIT_SOON.match(text, end):
        return
    password = lower in _SPOKEN_PASSWORDS or (
        lower == "pass" and _USER_BEFORE.search(text, max(0, start - 80), start) is not None
    )
    if not password and lower.rpartition(" ")[2] not in _SPOKEN_TOKENS:
        return
    gaps = (_GAP, _FURTHER_ON) if password else (_GAP,)
    for pattern in gaps:
        gap = pattern.match(text, end)
        word = _WORD.match(text, gap.end()) if gap else None
        if word is None:
            continue
        first, last = word.start(), word.start() + len(word[0].rstrip(".,;:)]"))
        value = text[first:last]
        if password and is_strong_password(value):
            kind, reason = "password_assignment", "A password written out in a sentence."
        elif not password and _TOKEN.fullmatch(value) and is_random(value):
            kind, reason = "generic_api_key", "A random value that the text calls a secret."
        else:
            continue
        scan.claim(first, last, kind=kind, rule="sentence", confidence=0.7, reason=reason)
        return


def _judged(scan: Scan, name: str, says: Says, value: _Value) -> _Named | None:
    """What the value of `name` is; of more values than may be weighed, what it may be."""
    written = scan.text[value.start : value.end]
    if scan.may_judge():
        return _named(name, says, written, value.written)
    if says is Says.PASSWORD:
        return _MAYBE_PASSWORD if may_be_password(written) else None
    return _MAYBE_TOKEN if may_be_token(written) else None


def _named(name: str, says: Says, value: str, written: Written) -> _Named | None:
    """What `value` is when it is given to something called `name`; None: no secret."""
    if says is Says.PASSWORD:
        if not is_password(value, written):
            return None
        return _Named(
            kind="password_assignment",
            rule="assignment.password",
            confidence=0.9 if written is Written.QUOTED else 0.8,
            reason="A password written out.",
        )
    if says is Says.UUID_TOKEN and is_uuid(value):
        return _Named(
            kind="generic_api_key",
            rule="assignment.token",
            confidence=0.8,
            reason="A value under the name of a key or token, in the form that its issuer uses.",
        )
    if not (is_random(value) if says is Says.WEAK_TOKEN else is_token(value)):
        return None
    joined = "_".join(part for part in _SPLIT.split(_HUMP.sub("_", name).lower()) if part)
    for pattern, kind, what in _BY_NAME:
        if pattern.search(joined):
            return _Named(
                kind=kind,
                rule="assignment.named",
                confidence=0.95,
                reason=f"{what}, by its name and shape.",
            )
    return _Named(
        kind="generic_api_key",
        rule="assignment.token",
        confidence=0.8,
        reason="A random value under the name of a key, token or secret.",
    )
