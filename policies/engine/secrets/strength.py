"""Whether a value can be a live secret, or is a placeholder, a reference, a hash or a word."""

from __future__ import annotations

import re
from collections import Counter
from math import log2

from policies.engine.pii.shapes import words

MIN_PASSWORD = 6  # characters; shorter ones are rather words of a sentence
MIN_TOKEN = 16
MIN_BITS = 3.0  # Shannon entropy per character of a token; hexadecimal reaches 4 at most
MIN_HEX_BITS = 2.6
MAX_PASSWORD = 128
MAX_TOKEN = 2_048

_WORDS = (
    r"change[_-]?me|changeit|change[_-]?this|replace[_-]?(?:me|this|with)|place[_-]?holder"
    r"|your[_-]|[_-]your|my[_-]?(?:secret|password|token|api)|insert[_-]|enter[_-]|example|sample"
    r"|dummy|fake|redacted|removed|masked|hidden|omitted|todo|fixme|foobar|not[_-]?(?:a|the)[_-]?real"
    r"|xxx|\*\*\*|\.\.\.|…|•••|abcdef|012345|1234567|qwerty|deadbeef|lorem|some[_-]?(?:secret|token"
    r"|password|key)|secret[_-]?(?:here|key[_-]?here|goes)|(?:key|token|password)[_-]?(?:here|goes)"
    r"|test[_-]?(?:key|token|secret|pass(?:word)?|api)|no[_-]?secret|none[_-]?set|unset|undefined"
)
_FILLER = re.compile(_WORDS, re.IGNORECASE)
_REFERENCE = re.compile(
    r"[$%@?:&*!#]*\{|\$\(|\$[A-Za-z_]|\$\d|%\(|%[sdvq]\b|%[A-Za-z_]\w*%|<|\[|\(|\?$|:\w+$|@\w+$"
    r"|!(?:ref|sub|vault|secret|env|getatt|reference)|(?:process|import\.meta|deno)\.env"
    r"|os\.(?:environ|getenv)|env[.\[(:]|getenv|config[.\[(]|settings\.|secrets?\.|var\.|local\.|data\."
    r"|module\.|vault[:.]|op://|ref\+|arn:|projects/|enc\[|file:|https?:|/[\w.\-]{1,24}(?:/|$)|/[\w.\-]+\.[a-z]{2,5}$|\./|\.\./|~/|[A-Za-z]:\\"
    r"|(?:required|nullable|sometimes|string|confirmed|min|max)[|:]|self\.|this\.|ctx\.|args\.|options?\.|opts\.|params?\.|req(?:uest)?\.|props\.|keyring|base64",
    re.IGNORECASE,
)
_HASHED = re.compile(
    r"\$(?:2[abxy]?|5|6|1|y|argon2\w{0,2}|scrypt|pbkdf2[\w-]*|apr1)\$|pbkdf2_|bcrypt|argon2|scrypt:"
    r"|\{(?:s?sha|crypt|ssha|md5)\w*\}|(?:sha(?:1|224|256|384|512)|md5)[-:$=]|SCRAM-|md5[0-9a-f]{32}$",
    re.IGNORECASE,
)
_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_HEX = re.compile(r"(?:0x)?[0-9a-fA-F]+")
_CALL = re.compile(r"[A-Za-z_][\w.]*[(\[]")
_NAMES = re.compile(r"[A-Za-z_]+(?:(?:->|::|[-./=,:|+])[A-Za-z_]\w*)*")
_TAG = re.compile(r"<\w+>")
_PORTS = re.compile(r"[0-9.]+(?::[0-9.]+)+(?:/\w+)?")
_PUNCTUATION = ".,:;!?'\"*=[](){}/|"
_PLAIN_WORDS = words(
    "password passwd pass pwd secret token key admin root user guest postgres mysql mariadb redis "
    "mongo rabbitmq minio guest default test testing tests string str text bytes null none nil "
    "true false empty blank required optional unknown value hunter prompt stdin env vault "
    "anonymous "
    "password1 password123 admin123 passw0rd pass123 test123 secret123 user123 root123 "
    "12345678 123456789 1234567890 1password minioadmin"
)


def is_filler(value: str) -> bool:
    """A documented example, a mask, or a word that stands for a secret."""
    if len(set(value)) < min(5, len(value)):
        return True
    return _FILLER.search(value) is not None


def is_password(value: str, *, quoted: bool) -> bool:
    """A password somebody could sign in with, hard-coded rather than named or fetched.

    Words without a digit or a mark are left alone: labels, types and validation rules look alike.
    """
    if not MIN_PASSWORD <= len(value) <= MAX_PASSWORD or any(map(str.isspace, value)):
        return False
    if not quoted and (_CALL.match(value) or value.startswith("-")):
        return False
    if value.isdigit():
        return quoted and len(value) > MIN_PASSWORD and not _is_no_secret(value)
    if _NAMES.fullmatch(value.strip(_PUNCTUATION)) or _PORTS.fullmatch(value):
        return False
    if _TAG.search(value) or "://" in value or not any(map(str.isalnum, value)):
        return False
    return not _is_no_secret(value)


def is_token(value: str) -> bool:
    """A random value long enough for a key or a token."""
    if not MIN_TOKEN <= len(value) <= MAX_TOKEN:
        return False
    if not any(map(str.isdigit, value)) or not any(map(str.isalpha, value)):
        return False
    if any(map(str.isspace, value)) or _CALL.match(value) or _UUID.fullmatch(value):
        return False
    least = MIN_HEX_BITS if _HEX.fullmatch(value) else MIN_BITS
    return entropy(value) >= least and not _is_no_secret(value)


def entropy(value: str) -> float:
    """Bits per character, by how often each occurs in `value`."""
    length = len(value)
    return -sum(n / length * log2(n / length) for n in Counter(value).values())


def _is_no_secret(value: str) -> bool:
    return (
        value.lower().strip("!\"'.,") in _PLAIN_WORDS
        or _REFERENCE.match(value) is not None
        or _HASHED.match(value) is not None
        or is_filler(value)
    )
