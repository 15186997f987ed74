"""Secrets known by their structure: private keys, JSON web tokens, credentials in URLs."""

from __future__ import annotations

import base64
import binascii
import json
import re

from policies.engine.pii.shapes import words
from policies.engine.secrets.scan import Scan
from policies.engine.secrets.strength import Written, is_filler, is_password, is_token

MAX_KEY = 20_000  # characters of a private key; the longest RSA keys take 13,000
MIN_URL_PASSWORD = 4  # characters
MAX_KEY_HEAD = 80  # characters of base64 that hold the first line of a key
MIN_KEY_BODY = 40  # characters of base64; less is a stub in a text about keys

_BEGIN = re.compile(r"-----BEGIN (?:[A-Z0-9]+ ){0,4}PRIVATE KEY(?: BLOCK)?-----")
_END = re.compile(r"-----END (?:[A-Z0-9]+ ){0,4}PRIVATE KEY(?: BLOCK)?-----")
_KEY_BODY = re.compile(r"[A-Za-z0-9+/=\s\\:,.\-]*")
_BODY_MARK = re.compile(r"[A-Za-z0-9+/]")
_ESCAPE = re.compile(r"\\[rnt]|\s")
_PUTTY = re.compile(r"Private-Lines: ?[0-9]{1,3}\r?\n((?:[A-Za-z0-9+/=]{1,64}\r?\n?){1,200})")
_JWT = re.compile(r"eyJ[\w\-]{8,2000}\.(eyJ[\w\-]{4,8000})\.([\w\-]{10,2000})(?![\w\-])")
_URL = re.compile(r"://([^\s/:@\"'<>`|\\\[]{0,128}):([^\s/@\"'<>`|\\]{1,256})@(?=[\w\[$%{.\-])")
_URL_REST = re.compile(r"[^\s/\"'<>`|\\]{0,256}@(?=[\w\[$%{.\-])")
_SCHEME_BACKWARDS = re.compile(r"[A-Za-z0-9+.\-]{1,30}")
_DATABASES = re.compile(
    r"(?:jdbc:)?(?:postgres(?:ql)?|mysql|mariadb|mongodb|rediss?|amqps?|mssql|sqlserver|oracle"
    r"|clickhouse|cockroachdb|snowflake|redshift|cassandra|couchdb|neo4j|bolt|ldaps?|influxdb|nats"
    r"|kafka|db2|vertica|trino|presto|hive)(?:\+[\w.+]+)?",
    re.IGNORECASE,
)
_EVERYDAY_PASSWORDS = words(
    "password pass passwd pwd secret token user username admin root guest postgres mysql test "
    "example pw p x tiger masterkey anoncvs"
)
_BASIC = re.compile(r"basic\s{1,4}([a-z0-9+/\-_]{8,400}={0,2})")
_AUTH = re.compile(
    r"auth(?:(?<=[\"_]auth)\\?\"\s{0,4}:\s{0,4}\\?\"|(?<=_auth)\s{0,4}=\s{0,4}\"?)"
    r"([a-z0-9+/]{8,400}={0,2})(?![a-z0-9+/=])"
)
_BEARER = re.compile(r"bearer\s{1,4}\\?[\"']?([a-z0-9._~+/\-]{16,4000}={0,2})")
# Schemes that take one token, by their makers' manuals.
_AUTHORIZATION = re.compile(
    r"authorization\\?[\"']?\s{0,4}[:=,]\s{0,4}\\?[\"']?(?:(?:token|api-?key|key|ssws|bot|genie-?key"
    r"|pveapitoken|splunk|discogs|digest-token|x-token)[ =]{1,3})?(?:token=)?\\?[\"']?"
    r"([a-z0-9._~+/\-]{16,4000}={0,2})"
)
_KEY_IN_BASE64 = re.compile(r"LS0tLS1CRUdJTi[A-Za-z0-9+/]{40,40000}={0,2}")
_SAS = re.compile(r"[?&;]sig=([A-Za-z0-9%+/=]{40,120})")
# From the port on, with the end of the host looked back at: every character could be a host's.
_PGPASS = re.compile(r":(?<=[^\s:#]:)(?:5432|5433|6432|\*):[^\s:]{1,64}:[^\s:]{1,64}:(\S{4,200})")


def find_private_keys(scan: Scan) -> None:
    """PEM, OpenSSH, PGP and PuTTY private keys, the markers included."""
    text = scan.text
    begins = list(_BEGIN.finditer(text))
    nexts = [*[begin.start() for begin in begins[1:]], len(text)][: len(begins)]
    for begin, following in zip(begins, nexts, strict=True):
        limit = min(begin.end() + MAX_KEY, following)
        end = _END.search(text, begin.end(), limit)
        if end is not None:
            body, stop = text[begin.end() : end.start()], end.end()
        else:  # cut off, as in a log
            rest = _KEY_BODY.match(text, begin.end(), limit)
            body = rest[0] if rest else ""
            stop = begin.end() + len(body.rstrip())
        letters = _ESCAPE.sub("", body)
        if len(_BODY_MARK.findall(letters)) < MIN_KEY_BODY or len(set(letters)) < 10:
            continue
        scan.claim(
            begin.start(),
            stop,
            kind="private_key",
            rule="key.pem",
            confidence=0.99,
            reason="A private key.",
        )
    for match in _PUTTY.finditer(text):
        if len(match[1]) < MIN_KEY_BODY:
            continue
        scan.claim(
            *match.span(1),
            kind="private_key",
            rule="key.putty",
            confidence=0.99,
            reason="The private part of a PuTTY key file.",
        )


def find_keys_in_base64(scan: Scan) -> None:
    """Private keys in base64, as a kubeconfig or a variable of a build holds them."""
    for match in _KEY_IN_BASE64.finditer(scan.text):
        length = min(MAX_KEY_HEAD, len(match[0]) // 4 * 4)
        if b"PRIVATE KEY-----" in base64.b64decode(match[0][:length]):
            scan.claim(
                *match.span(),
                kind="private_key",
                rule="key.base64",
                confidence=0.95,
                reason="A private key in base64.",
            )


def find_jwts(scan: Scan) -> None:
    """Signed JSON web tokens; the one of the introductory pages and public keys of apps pass."""
    for match in _JWT.finditer(scan.text):
        header, claims = _json(match[0].partition(".")[0]), _json(match[1])
        if header is None or claims is None or "alg" not in header:
            continue
        introductory = claims.get("sub") == "1234567890" and "name" in claims
        published = claims.get("role") == "anon" and "iss" in claims
        if introductory or published or not scan.begins_word(match.start()):
            continue
        scan.claim(
            *match.span(),
            kind="jwt",
            rule="jwt.signed",
            confidence=0.95,
            reason="A signed JSON web token.",
        )


def find_url_passwords(scan: Scan) -> None:
    """Passwords in the user information of a URL."""
    text = scan.text
    for match in _URL.finditer(text):
        start, end = match.span(2)
        rest = _URL_REST.match(text, match.end())
        if rest is not None:  # an @ inside the password
            end = rest.end() - 1
        user, password = match[1], text[start:end]
        scheme = _SCHEME_BACKWARDS.match(text[max(0, match.start() - 30) : match.start()][::-1])
        name = scheme[0][::-1] if scheme else ""
        if (
            password.lower() in _EVERYDAY_PASSWORDS
            or password == user
            or len(password) < MIN_URL_PASSWORD
        ):
            continue
        if is_filler(password) or password[0] in "$%{<[(:" or (password.isdigit() and not user):
            continue
        database = _DATABASES.fullmatch(name) is not None
        scan.claim(
            start,
            end,
            kind="connection_string" if database else "url_password",
            rule="url.password",
            confidence=0.9,
            reason="The password in a connection string."
            if database
            else "A password in the address of a URL.",
        )


def find_headers(scan: Scan) -> None:
    """`Authorization: Basic`, `Bearer`, and the `auth` of a Docker configuration."""
    text = scan.text
    for pattern in (_BASIC, _AUTH):
        for match in pattern.finditer(scan.lower):
            start, end = match.span(1)
            password = _basic_password(text[start:end])
            if password and not is_filler(password) and password.lower() not in _EVERYDAY_PASSWORDS:
                scan.claim(
                    start,
                    end,
                    kind="basic_auth",
                    rule="header.basic",
                    confidence=0.95,
                    reason="A user name and password in base64.",
                )
    for match in _AUTHORIZATION.finditer(scan.lower):
        start, end = match.span(1)
        if is_token(text[start:end].rstrip(".")):
            scan.claim(
                start,
                end,
                kind="bearer_token",
                rule="header.authorization",
                confidence=0.85,
                reason="A token in an Authorization header.",
            )
    for match in _BEARER.finditer(scan.lower):
        start, end = match.span(1)
        if is_token(text[start:end].rstrip(".")):
            scan.claim(
                start,
                end,
                kind="bearer_token",
                rule="header.bearer",
                confidence=0.9,
                reason="A bearer token.",
            )


def find_signatures(scan: Scan) -> None:
    """Shared access signatures of Azure storage."""
    for match in _SAS.finditer(scan.text):
        around = scan.text[max(0, match.start() - 400) : match.end() + 400]
        if "sv=" in around and "se=" in around and is_token(match[1]):
            scan.claim(
                *match.span(1),
                kind="azure_sas",
                rule="url.signature",
                confidence=0.9,
                reason="A shared access signature.",
            )


def find_pgpass(scan: Scan) -> None:
    """Lines of a PostgreSQL password file."""
    for match in _PGPASS.finditer(scan.text):
        if is_password(match[1], Written.QUOTED):
            scan.claim(
                *match.span(1),
                kind="password_assignment",
                rule="file.pgpass",
                confidence=0.8,
                reason="The password in a line of a PostgreSQL password file.",
            )


def _json(segment: str) -> dict[str, object] | None:
    try:
        value = json.loads(base64.urlsafe_b64decode(segment + "=" * (-len(segment) % 4)))
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def _basic_password(encoded: str) -> str:
    try:
        decoded = base64.b64decode(encoded + "=" * (-len(encoded) % 4), validate=True)
    except (binascii.Error, ValueError):
        return ""
    user, colon, password = decoded.partition(b":")
    if not colon or not user or not password or not decoded.isascii():
        return ""
    text = password.decode()
    return text if text.isprintable() else ""
