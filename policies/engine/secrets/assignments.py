"""Secrets known by the name they are given: assignments, flags, statements, columns."""

from __future__ import annotations

import re
from dataclasses import dataclass

from policies.engine.pii.shapes import words
from policies.engine.pii.tables import Tables
from policies.engine.secrets.scan import Scan
from policies.engine.secrets.strength import is_password, is_token

MAX_NAME = 64  # characters of a name on either side of the word that makes it interesting

# Searched in lower-case text: an alternation of literals is fast only with case left alone.
_WORD = re.compile(
    r"password|passwd|passphrase|pwd|secret|token|api[_\- ]?key|apikey|access[_\-]?key"
    r"|account[_\-]?key|auth[_\-]?key|credential|private[_\-]?key|signing[_\-]?key"
    r"|encryption[_\-]?key|master[_\-]?key|shared[_\-]?key|service[_\-]?key|webhook[_\-]?key"
    r"|session[_\-]?key|license[_\-]?key|requirepass|masterauth|pass"
)
_NAME_BACKWARDS = re.compile(r"[\w.\-]*")
_NAME = re.compile(r"[\w.\-]*")
_GIVEN = re.compile(
    r"\\?[\"'`\])]{0,2}(?:[ \t]{0,8}:[ \t]{0,3}[A-Za-z][\w.|\[\]? ]{0,40}?(?=[ \t]{0,8}=[^=]))?"
    r"[ \t]{0,8}(?:=>|:=|\?=|={1,3}|:(?!:)|[ \t](?:is|was)[ \t](?=\S{0,99}[0-9]))[ \t]{0,8}"
)
_IN_ELEMENT = re.compile(r"\s{0,4}>")
_IN_ATTRIBUTE = re.compile(r"[\"']\s{1,4}value\s{0,2}=\s{0,2}(?=[\"'])")
_FLAG_GAP = re.compile(r"[ \t]{1,8}(?!-)")
_CALLED = re.compile(r"\(\s{0,4}(?=[\"'])")
_QUOTED = re.compile(
    r"(?:[bfru]{0,2})(?:\\\"((?:[^\"\\\n]|\\[^\"\n]){0,4096})\\\"|\"((?:[^\"\\\n]|\\.){0,4096})\""
    r"|'((?:[^'\\\n]|\\.){0,4096})'|`((?:[^`\\\n]|\\.){0,4096})`)"
)
_PLAIN = re.compile(r"[^\s\"'`<>;,&|()\[\]{}\\]{1,1000}+(?![(\[])")
_PLAIN_LINE = re.compile(r"[^\s\"'`;\\]{1,1000}")
_BEFORE_NAME = ("", "export", "set", "ENV", "-", "env")
_HUMP = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
_SPLIT = re.compile(r"[^a-z0-9]+")
_PASSWORD_NAME = re.compile(r"passw|passphrase|pwd|(?:^|[^a-z])pass(?:$|[^a-z])|requirepass")
# Names that end so hold something about the secret, not the secret.
_ABOUT = words(
    "url uri path file filename dir name names type types kind id ids hash hashed count limit ttl "
    "expiry expires expiration expire exp length len size ref reference arn regex pattern field "
    "fields header headers prefix suffix env var variable label placeholder hint error errors "
    "message messages policy policies status selector class title prompt reset change changed "
    "forgot min max required valid validator enabled disabled version format algorithm alg store "
    "manager service provider endpoint usage budget price cost used index position stdin input "
    "output rotation age strength confirmation rule rules attempts mapping cache scope scopes "
    "issuer audience lifetime timeout interval days seconds minutes description help docs"
)
# And names with these words are public, or measure something else.
_HARMLESS = words(
    "public pub publishable csrf xsrf sha sha1 sha256 md5 checksum digest fingerprint max num next "
    "page continuation cursor sync resume idempotency tokenizer tokenize special bos eos pad sep "
    "mask unk prompt completion total design css cached"
)
_BY_NAME = (
    (re.compile(r"aws.*secret|secret_?access_?key"), "aws_secret_key", "An AWS secret access key"),
    (re.compile(r"account_?key|shared_?access"), "azure_storage_key", "An Azure storage key"),
)
_IDENTIFIED = re.compile(
    r"\b(?:identified\s{1,8}(?:with\s{1,8}[\w']{1,40}\s{1,8})?by(?:\s{1,8}password)?"
    r"|password)\s{1,8}(?:=\s{0,4})?n?'((?:[^'\\]|''|\\.){1,128})'"
)
# Where a command takes a password by its manual; the value is group 1.
_ARGUMENT = r"[\"']?([^\s\"'|;&]{3,128})"
_TO_THE_QUOTE = r"([^\s\"']{3,128})"
_USER = r"[\"']?[^\s:\"'/@]{1,64}"
_SIGN_IN = r"(?:docker|podman|buildah|nerdctl|skopeo|helm registry|az|oc)\s{1,4}login"
_UP_TO = r"\b[^\n|;&]{0,300}?\s"
_COMMANDS = tuple(
    re.compile(command + value)
    for command, value in (
        (rf"\b(?:curl|wget|https?|xh|ab){_UP_TO}(?:-u|--user)[ =]?{_USER}:", _TO_THE_QUOTE),
        (rf"\b(?:mysql|mariadb)(?:dump|admin|import|sh|check)?{_UP_TO}-p", _ARGUMENT),
        (r"\bsshpass\s{1,4}-p\s{0,4}", _ARGUMENT),
        (rf"\bredis-cli{_UP_TO}(?:-a|--pass)\s{{1,4}}", _ARGUMENT),
        (
            rf"\b(?:{_SIGN_IN}|twine upload|mongo(?:sh|dump|restore)?){_UP_TO}-p\s{{1,4}}",
            _ARGUMENT,
        ),
        (rf"\bldap(?:search|modify|add|delete|passwd|whoami){_UP_TO}-w\s{{1,4}}", _ARGUMENT),
        (rf"\b(?:sqlcmd|bcp|isql|tsql|osql|zip|unzip){_UP_TO}-P\s{{0,2}}", _ARGUMENT),
        (rf"\bopenssl{_UP_TO}pass:", _ARGUMENT),
        (rf"\bsmbclient{_UP_TO}-U\s{{0,2}}[\"']?[^\s%\"']{{1,64}}%", _ARGUMENT),
        (
            rf"\becho\s{{1,4}}{_USER}:",
            rf"{_TO_THE_QUOTE}(?=[\"']?\s{{0,4}}\|[^|\n]{{0,40}}chpasswd)",
        ),
        (r"\brabbitmqctl\s{1,4}(?:add_user|change_password)\s{1,4}\S{1,64}\s{1,4}", _ARGUMENT),
        (r"\bhtpasswd\s{1,4}-\w{0,4}b\w{0,4}\s{1,4}\S{1,128}\s{1,4}\S{1,64}\s{1,4}", _ARGUMENT),
    )
)
_COMMAND_WORD = re.compile(
    r"curl|wget|\bhttps?\s|\bxh\b|mysql|mariadb|sshpass|redis-cli|docker|podman|buildah|helm|\baz\b"
    r"|twine|mongo|skopeo|nerdctl|ldap|sqlcmd|\bbcp\b|sql\b|zip|openssl|smbclient|chpasswd"
    r"|rabbitmqctl|htpasswd"
)
_NETRC = re.compile(
    r"\bmachine\s{1,8}\S{1,200}\s{1,8}login\s{1,8}\S{1,128}\s{1,8}password\s{1,8}(\S{4,200})"
)
_CELL = re.compile(r"[^\s\"'|,;()]{6,400}")
_AFTER_ACCESS_KEY = re.compile(r"(?<![A-Za-z0-9+/])[A-Za-z0-9+/]{40}(?![A-Za-z0-9+/=])")
_ACCESS_KEY = re.compile(r"A(?:KIA|SIA)[A-Z2-7]{16}")
AFTER_ACCESS_KEY = 160  # characters after an access key in which its secret is looked for


@dataclass(frozen=True, slots=True, kw_only=True)
class _Named:
    kind: str
    rule: str
    confidence: float
    reason: str


def find_assignments(scan: Scan) -> None:
    """`name = value` in code, configuration, JSON, XML, URLs and flags, where the name says so."""
    text, lower, position = scan.text, scan.lower, 0
    while (word := _WORD.search(lower, position)) is not None:
        position = word.end()
        before = _NAME_BACKWARDS.match(text[max(0, word.start() - MAX_NAME) : word.start()][::-1])
        after = _NAME.match(text, word.end(), word.end() + MAX_NAME)
        if before is None or after is None:
            continue
        start, end = word.start() - before.end(), after.end()
        name = text[start:end]
        value = _value(scan, start, end, name)
        if value is None:
            continue
        first, last, quoted = value
        named = _named(name, text[first:last], quoted=quoted)
        if named is not None:
            _claim(scan, first, last, named)
            position = max(position, last)


def find_in_commands(scan: Scan) -> None:
    """Passwords where a command's flags take them."""
    if _COMMAND_WORD.search(scan.lower):
        for pattern in _COMMANDS:
            for match in pattern.finditer(scan.text):
                _claim_password(scan, *match.span(1), rule="command.password")


def find_in_statements(scan: Scan) -> None:
    """Passwords in SQL that creates or changes users, and in .netrc files."""
    for match in _IDENTIFIED.finditer(scan.lower):
        _claim_password(scan, *match.span(1), rule="sql.password")
    for match in _NETRC.finditer(scan.text):
        _claim_password(scan, *match.span(1), rule="file.netrc")


def find_in_columns(scan: Scan) -> None:
    """Values under a column called password, secret or token."""
    if not any(mark in scan.text for mark in "|,\t;"):
        return
    tables = Tables(scan.text)
    names = {name for name in tables.names() if _WORD.search(name.lower())}
    if not names:
        return
    for cell in _CELL.finditer(scan.text):
        name = tables.column(cell.start())
        if name in names:
            named = _named(name, cell[0], quoted=True)
            if named is not None:
                _claim(scan, *cell.span(), named)


def find_aws_pairs(scan: Scan) -> None:
    """The secret that stands beside an AWS access key, as in a file of credentials."""
    for key in _ACCESS_KEY.finditer(scan.text):
        beside = _AFTER_ACCESS_KEY.search(scan.text, key.end(), key.end() + AFTER_ACCESS_KEY)
        if beside is not None and is_token(beside[0]):
            scan.claim(
                *beside.span(),
                kind="aws_secret_key",
                rule="aws.pair",
                confidence=0.9,
                reason="The secret beside an AWS access key.",
            )


def _claim(scan: Scan, start: int, end: int, named: _Named) -> None:
    scan.claim(
        start,
        end,
        kind=named.kind,
        rule=named.rule,
        confidence=named.confidence,
        reason=named.reason,
    )


def _value(scan: Scan, start: int, end: int, name: str) -> tuple[int, int, bool] | None:
    """Where the value given to the name at `[start, end)` stands, and whether in quotes."""
    text = scan.text
    given = _GIVEN.match(text, end) or _IN_ATTRIBUTE.match(text, end)
    tight = given is not None and not any(map(str.isspace, given[0]))
    if given is None and text[start - 1 : start] in ("<", ":"):
        given = _IN_ELEMENT.match(text, end)
    if given is None and (
        name.startswith("-") or text[max(0, start - 5) : start].lower() == " set "
    ):
        given = _FLAG_GAP.match(text, end)
    if given is None and name.lower().lstrip("._").startswith("set"):
        given = _CALLED.match(text, end)
    if given is None:
        return None
    quoted = _QUOTED.match(text, given.end())
    if quoted is not None:
        group = quoted.lastindex or 0
        return (*quoted.span(group), True)
    before = text[max(0, start - MAX_NAME) : start].rpartition("\n")[2]
    own_line = tight and before.strip() in _BEFORE_NAME
    own_line = own_line or (tight and text[start - 1 : start] == ";")  # `Server=db;Password=…;`
    plain = (_PLAIN_LINE if own_line else _PLAIN).match(text, given.end())
    if plain is None:
        return None
    return plain.start(), plain.start() + len(plain[0].rstrip(".,")), False


def _named(name: str, value: str, *, quoted: bool) -> _Named | None:
    """What `value` is when it is given to something called `name`; None: no secret."""
    parts = [part for part in _SPLIT.split(_HUMP.sub("_", name).lower()) if part]
    if not parts or parts[-1] in _ABOUT or not _HARMLESS.isdisjoint(parts):
        return None
    joined = "_".join(parts)
    if _PASSWORD_NAME.search(joined):
        if not is_password(value, quoted=quoted):
            return None
        return _Named(
            kind="password_assignment",
            rule="assignment.password",
            confidence=0.9 if quoted else 0.8,
            reason="A password written out.",
        )
    if not is_token(value):
        return None
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


def _claim_password(scan: Scan, start: int, end: int, *, rule: str) -> None:
    if is_password(scan.text[start:end], quoted=True) or is_token(scan.text[start:end]):
        scan.claim(
            start,
            end,
            kind="password_assignment",
            rule=rule,
            confidence=0.9,
            reason="A password written out in a command or statement.",
        )
