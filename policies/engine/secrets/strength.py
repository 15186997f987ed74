"""Whether a value can be a live secret, or is a placeholder, a reference, a hash or a word."""

from __future__ import annotations

import re
from collections import Counter
from enum import Enum, auto
from itertools import pairwise
from math import log2

import re2

from policies.engine.pii.shapes import words

MIN_PASSWORD = 6  # characters; shorter ones are rather words of a sentence
MIN_TOKEN = 16
MIN_BITS = 3.0  # Shannon entropy per character of a token; hexadecimal reaches 4 at most
MIN_HEX_BITS = 2.6
MIN_KEY_BITS = 4.0
MAX_PASSWORD = 128
MAX_TOKEN = 2_048

MIN_STRONG = 8  # characters of a password that only a sentence names
MIN_RANDOM = 20  # characters of a value that must look random by itself
MIN_RANDOM_HEX = 32
MIN_SCRAMBLED = 10  # letters of a password without digits and marks
SCRAMBLED = 0.4  # changes of case per letter; `MySecretPassword` has .31
MIN_MIXED_DIGITS = 2
MIN_ARGUMENT = 10  # characters of an unquoted word in a list that is no identifier
MIN_UUID_CHARACTERS = 8
MIN_WORDS = 2  # of a passphrase that ends in one digit only


class Written(Enum):
    """How a value stands in the text."""

    QUOTED = auto()
    LINE = auto()  # unquoted, to the end of the line: `.env`, YAML
    PLAIN = auto()  # unquoted, in code
    ARGUMENT = auto()  # unquoted, with a comma or a bracket behind
    BESIDE = auto()  # quoted, as the argument after the name


def _any_of(pattern: str) -> re2._Regexp:
    """A search in UTF-8 that takes as long for fifty words as for one: every value goes through it.

    In text it takes three times as long: its places are counted in characters, which nobody asks.
    """
    options = re2.Options()
    options.never_capture = True
    options.case_sensitive = False
    return re2.compile(pattern.encode(), options)


_WORDS = (
    r"change[_-]?me|changeit|change[_-]?this|replace[_-]?(?:me|this|with)|place[_-]?holder"
    r"|your[_-]|[_-]your|my[_-]?(?:secret|password|token|api)|insert[_-]|enter[_-]|example|sample"
    r"|dummy|fake|anonymous@|redacted|removed|masked|hidden|omitted|todo|fixme|foobar|not[_-]?(?:a|the)[_-]?real"
    r"|xxx|\*\*\*|\.\.\.|…|•••|abcdef|012345|1234567|qwerty|deadbeef|lorem|some[_-]?(?:secret|token"
    r"|password|key)|secret[_-]?(?:here|key[_-]?here|goes)|(?:key|token|password)[_-]?(?:here|goes)"
    r"|test[_-]?(?:key|token|secret|pass(?:word)?|api)|no[_-]?secret|none[_-]?set|unset|undefined"
)
_REDACTED = re.compile(r"[a-z_]{2,40}_[a-p]{16}")  # `Style.TOKEN` of the redaction
_RUN = re.compile(r"(.)\1{9}")  # ten of the same: a mask
_FILLER = _any_of(_WORDS)
_REFERENCE = re.compile(
    r"[$%@?:&*!#]*\{|\$\(|\$[A-Za-z_]|\$\d|%\(|%[sdvq]\b|%[A-Za-z_]\w*%|<|\[|\(|\?$|:\w+$|@\w+$"
    r"|!(?:ref|sub|vault|secret|env|getatt|reference)|(?:process|import\.meta|deno)\.env"
    r"|os\.(?:environ|getenv)|env[.\[(:]|getenv|config[.\[(]|settings\.|secrets?\.|var\.|local\.|data\."
    r"|module\.|vault[:.]|op://|ref\+|arn:|projects/|enc\[|file:|https?:|/[\w.\-]{1,24}(?:/|$)|/[\w.\-]+\.[a-z]{2,5}$|\./|\.\./|~/|[A-Za-z]:\\"
    r"|(?:required|nullable|sometimes|string|confirmed|min|max)[|:]|self\.|this\.|ctx\.|args\.|options?\.|opts\.|params?\.|req(?:uest)?\.|props\.|keyring|base64",
    re.IGNORECASE,
)
_DIGIT = re.compile("[0-9]")
_REFERENCE_MARKS = frozenset("$<{[(%&*!")
_HASHED = re.compile(
    r"\$(?:2[abxy]?|5|6|1|y|argon2\w{0,2}|scrypt|pbkdf2[\w-]*|apr1)\$|pbkdf2_|bcrypt|argon2|scrypt:"
    r"|\{(?:s?sha|crypt|ssha|md5)\w*\}|(?:sha(?:1|224|256|384|512)|md5)[-:$=]|SCRAM-|md5[0-9a-f]{32}$",
    re.IGNORECASE,
)
_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_BASE64 = re.compile(r"[A-Za-z0-9+/]{40,}={0,2}")
_HEX = re.compile(r"(?:0x)?[0-9a-fA-F]+")
_CALL = re.compile(r"[A-Za-z_][\w.]*[(\[]")
_NAMES = re.compile(r"[A-Za-z_]+(?:(?:->|::|[-./=,:|+])[A-Za-z_]\w*)*")
_NUMBERED_NAME = re.compile(r"[A-Za-z_.]+[0-9]{1,2}")
_IDENTIFIER = re.compile(r"[A-Za-z_]\w*")
_DOTTED = re.compile(r"[A-Za-z_]\w{0,24}(?:\.[A-Za-z_]\w{0,24}){1,8}")  # a module, a type
_PASSPHRASE = re.compile(
    r"[A-Za-z]{3,}(?:[-_.][A-Za-z]{3,}){1,6}[-_.]?(?P<number>[0-9]{1,6})[!#*_.-]?"
)
_PASSPHRASE_BREAK = re.compile(r"[-_.!#*]")
# Words and numbers joined by marks, such as the name of a resource: not random.
_WORDY = re.compile(
    r"(?:[A-Za-z]{1,14}[0-9]{0,3}|v?[0-9]{1,8})"
    r"(?:[-_./:](?:[A-Za-z]{1,14}[0-9]{0,3}|v?[0-9]{1,8})){1,12}"
)
_CAMEL = re.compile(
    r"(?:[A-Z]?[a-z]{3,14}[0-9]{0,4}|[A-Z]{2,5}(?![a-z])[0-9]{0,4}|[0-9]{1,4}(?![0-9])){2,8}"
)
_CAMEL_BREAK = re.compile(r"(?<=[a-z])(?=[A-Z0-9])|(?<=[0-9])(?=[A-Za-z])")
_FILE = re.compile(r"(?:[\w.\-]{1,60}/){1,12}[\w\-]{1,60}\.[a-z]{1,6}")
_INTERFACE_WORDS = words(
    "password passwd secret token key credential credentials auth input field form reset email "
    "template user username login page test prod dev staging example my the app db database "
    "config default value name id type service server client admin version min max chars "
    "character characters length check strength hint label button text signup forgot change"
)
_STRONG_MARKS = frozenset("!@#$%^&*+=~?")
_NOT_WORD = re.compile(r"\W+")
_TAG = re.compile(r"<\w+>")
_PORTS = re.compile(r"[0-9.]+(?::[0-9.]+)+(?:/\w+)?")
_VERSION = re.compile(r"[\^~<>=v]{0,3}[0-9]+(?:\.[0-9x*]+)+(?:[-+][\w.]+)?")
_PUNCTUATION = ".,:;->!?'\"*=[](){}/|"
_PLAIN_WORDS = words(
    "password passwd pass pwd secret token key admin root user guest postgres mysql mariadb redis "
    "mongo rabbitmq minio guest default test testing tests string str text bytes null none nil "
    "true false empty blank required optional unknown value hunter hunter2 prompt stdin env vault "
    "anonymous "
    "password1 password123 admin123 passw0rd pass123 test123 secret123 user123 root123 "
    "tiger masterkey anoncvs "
    "12345678 123456789 1234567890 1password minioadmin"
)


def is_filler(value: str) -> bool:
    """A documented example, a mask, a word that stands for a secret, or what redaction left."""
    if len(set(value)) < min(5, len(value)) or _REDACTED.fullmatch(value):
        return True
    # Half a surrogate pair is no text to the automaton.
    data = value.encode("utf-8", "replace")
    return _FILLER.search(data) is not None or _RUN.search(value) is not None


def may_be_password(value: str) -> bool:
    """At a glance: long enough, no word and no reference to where the password is."""
    return len(value) >= MIN_PASSWORD and not value.isalpha() and value[0] not in _REFERENCE_MARKS


def may_be_token(value: str) -> bool:
    """At a glance: a long value with digits."""
    return len(value) >= MIN_TOKEN and _DIGIT.search(value) is not None and may_be_password(value)


def is_password(value: str, written: Written) -> bool:
    """A password somebody could sign in with, hard-coded rather than named or fetched.

    Words without a digit or a mark are left alone: labels, types and validation rules look alike.
    """
    if not MIN_PASSWORD <= len(value) <= MAX_PASSWORD or any(map(str.isspace, value)):
        return False
    quoted = written in (Written.QUOTED, Written.BESIDE)
    if written is Written.BESIDE:
        return is_strong_password(value)
    if not quoted and (_CALL.match(value) or (value[0] == "-" and written is not Written.LINE)):
        return False
    if written is Written.PLAIN and _NUMBERED_NAME.fullmatch(value):
        return False  # `password = input2`
    if written is Written.ARGUMENT and _IDENTIFIER.fullmatch(value) and len(value) < MIN_ARGUMENT:
        return False  # `pass: Pass2D,`
    if value.isdigit():
        return quoted and len(value) > MIN_PASSWORD and not _is_no_secret(value)
    if _PORTS.fullmatch(value) or _VERSION.fullmatch(value):
        return False
    if _CAMEL.fullmatch(value):
        parts = _CAMEL_BREAK.sub(" ", value).lower().split()
        if not _INTERFACE_WORDS.isdisjoint(parts):
            return False  # `resetPasswordToken2`
    named = _NAMES.fullmatch(value.strip(_PUNCTUATION)) is not None
    if named and not (
        _is_passphrase(value) or _is_scrambled(value) or any(map(_is_mixed, _NOT_WORD.split(value)))
    ):
        return False
    if _TAG.search(value) or "://" in value or not any(map(str.isalnum, value)):
        return False
    return not _is_no_secret(value)


def is_strong_password(value: str) -> bool:
    """A password by its looks alone, where only a sentence says that there is one."""
    if len(value) < MIN_STRONG or not any(map(str.isdigit, value)):
        return False
    if not any(map(str.isalpha, value)) or _UUID.fullmatch(value) or not value.isascii():
        return False
    marked = not _STRONG_MARKS.isdisjoint(value)
    mixed = any(map(str.isupper, value)) and any(map(str.islower, value))
    if not (marked or mixed or _is_passphrase(value) or _HEX.fullmatch(value)):
        return False
    if _CAMEL.fullmatch(value) and not value[-2:].isdigit():
        return False  # `Http2Client`
    return is_password(value, Written.QUOTED) and (marked or not _WORDY.fullmatch(value))


def is_token(value: str) -> bool:
    """A random value long enough for a key or a token."""
    if not MIN_TOKEN <= len(value) <= MAX_TOKEN:
        return False
    if not any(map(str.isdigit, value)) or not any(map(str.isalpha, value)):
        return False
    if any(map(str.isspace, value)) or _CALL.match(value) or _UUID.fullmatch(value):
        return False
    if any(shape.fullmatch(value) for shape in (_WORDY, _DOTTED, _CAMEL, _FILE)):
        return False
    least = MIN_HEX_BITS if _HEX.fullmatch(value) else MIN_BITS
    return entropy(value) >= least and not _is_no_secret(value)


def is_random(value: str) -> bool:
    """A token that is random by its looks alone: long, and of mixed characters or hexadecimal."""
    if len(value) < MIN_RANDOM or not is_token(value):
        return False
    if _HEX.fullmatch(value):
        return len(value) >= MIN_RANDOM_HEX
    return any(map(str.isupper, value)) and any(map(str.islower, value))


def is_uuid(value: str) -> bool:
    """A UUID with digits enough to be a random one."""
    return _UUID.fullmatch(value) is not None and len(set(value)) > MIN_UUID_CHARACTERS


def _is_scrambled(value: str) -> bool:
    """Letters whose case changes more often than in any name: `KtElzNjiCegAp`."""
    if len(value) < MIN_SCRAMBLED or not value.isalpha():
        return False
    changes = sum(one.isupper() != other.isupper() for one, other in pairwise(value))
    return changes >= len(value) * SCRAMBLED


def _is_mixed(part: str) -> bool:
    """A part of a value like a dotted name that no name has: `kPSVp6qEt4DIsLen1ng`."""
    return (
        len(part) >= MIN_SCRAMBLED
        and sum(map(str.isdigit, part)) >= MIN_MIXED_DIGITS
        and any(map(str.isupper, part))
        and any(map(str.islower, part))
        and _CAMEL.fullmatch(part) is None
    )


def _is_passphrase(value: str) -> bool:
    """Words joined by marks and closed by a number: `harbor-quartz-lantern42`."""
    found = _PASSPHRASE.fullmatch(value)
    if found is None:
        return False
    parts = [part for part in _PASSPHRASE_BREAK.split(value.lower()) if part]
    if not _INTERFACE_WORDS.isdisjoint(part.rstrip("0123456789") for part in parts):
        return False
    return len(found["number"]) > 1 or len(parts) > MIN_WORDS


def entropy(value: str) -> float:
    """Bits per character, by how often each occurs in `value`."""
    length = len(value)
    return -sum(n / length * log2(n / length) for n in Counter(value).values())


def _is_no_secret(value: str) -> bool:
    return (
        value.lower().strip("!\"'.,") in _PLAIN_WORDS
        or (_REFERENCE.match(value) is not None and not _is_base64_key(value))
        or _HASHED.match(value) is not None
        or is_filler(value)
    )


def _is_base64_key(value: str) -> bool:
    """Key material that begins like a path: base64 has slashes too."""
    return (
        _BASE64.fullmatch(value) is not None
        and any(map(str.isdigit, value))
        and any(map(str.isupper, value))
        and any(map(str.islower, value))
        and entropy(value) > MIN_KEY_BITS
    )
