"""What makes a text worth reading for personal data, and the plain characters it is read in."""

from __future__ import annotations

import re
import unicodedata

from policies.engine.family import Sign

# Numbers that manuals and test suites print are found like all others, for rows of test systems
# are full of them and nobody can tell; the confidence lets a policy choose.
DOCUMENTED = 0.6
# `\x..` stands for bytes of UTF-8 here: Vectorscan sees bytes.
_ODD_DIGIT = (
    r"(?:\xef\xbc[\x90-\x99]"  # full width
    r"|\xd9[\xa0-\xa9]|\xdb[\xb0-\xb9]"  # Arabic
    r"|\xe0[\xa5-\xb5][\xa6-\xaf]"  # Devanagari and its neighbours
    r"|\xf0\x9d\x9f[\x8e-\xbf])"  # mathematical
)
_ODD_GAP = (
    r"(?:\xe2\x80[\x80-\x95\xa2\xa4\xa7\xaf]|\xc2[\xa0\xb7]|\xe2\x88\x92|\xef\xbc[\x8b-\x8e]"
    r"|\xe3\x80\x80)"
)

SIGNS = (
    Sign(name="email", pattern=r"(?:@|%40|\xef\xbc\xa0)[^\s@]{1,80}[.\xef][a-z\x80-\xff]"),
    Sign(name="ssn", pattern=r"\d{3}[- .]\d{2}[- .]\d{4}"),
    Sign(name="nine", pattern=r"\d{9}"),
    Sign(
        name="fours",
        pattern=r"\d{4}[- ._]\d{4}[- ._]\d{4}|\d{4}[- ._]\d{6}[- ._]\d{4}|\d{12}|(?:\d ){12}\d",
    ),
    Sign(name="plus", pattern=r"\+\(?\d[\d ().\-/]{6}"),
    Sign(name="american", pattern=r"\d{3}(?:\)[- ]?|[-. ])\d{3}[-. ]?\d{4}"),
    Sign(name="pan", pattern=r"[a-z]{5}\d{4}[a-z]"),
    Sign(name="iban", pattern=r"[a-z]{2}\d{2}[- ]?[a-z0-9]{4}[- ]?[a-z0-9]{4}[- ]?[a-z0-9]{3}"),
    Sign(name="ipv4", pattern=r"\d{1,3}\.\d{1,3}\.\d{1,3}\.\d"),
    Sign(name="ipv6", pattern=r"[0-9a-f]{1,4}:[0-9a-f]{1,4}:[0-9a-f]{0,4}:"),
    # Where one of these occurs, an address may be that of a machine, by what stands before it.
    Sign(
        name="host_word",
        pattern=r"://|ssh|scp|sftp|rsync|mosh|git|message-id|in-reply-to|references",
    ),
    Sign(name="mac", pattern=r"(?:[0-9a-f]{2}[:-]){5}[0-9a-f]{2}"),
    Sign(
        name="passport_word",
        pattern=(
            r"pass(?:e?port|aporte?|aporto)|reisepass|pas(?:aporte|zport|aport|poort)"
            r"|pass[- ]?(?:nr|nummer|no\b)"
            # In Cyrillic and Devanagari.
            r"|\xd0\xb0\xd1\x81\xd0\xbf\xd0\xbe\xd1\x80\xd1\x82"
            r"|\xe0\xa4\xaa\xe0\xa4\xbe\xe0\xa4\xb8\xe0\xa4\xaa\xe0\xa5\x8b\xe0\xa4\xb0"
        ),
    ),
    Sign(
        name="birth_word",
        pattern=(
            r"\bd\.?o\.?b\b|birth|\bborn\b|geburt|geboren|\bgeb\b|naissance|nacimiento|nacid[oa]\b"
            r"|nascimento|nascita|\bnat[oa] il\b|geboortedatum|\bn\xc3\xa9e? le\b"
            r"|\xd0\xbe\xd0\xb6\xd0\xb4\xd0\xb5\xd0\xbd\xd0\xb8\xd1\x8f"
            r"|\xe0\xa4\x9c\xe0\xa4\xa8\xe0\xa5\x8d\xe0\xa4\xae"
        ),
    ),
    Sign(
        name="phone_word",
        pattern=(
            r"phone|fon\b|tele?fo|handy|mobil|mobiel|\btel|_tel|cell|whatsapp|wa\.me/|fax|\bsms"
            r"|contact[_ ]?n|msisdn|landline|hotline|\bmob\b|\bph\b|celular|portable|rufnummer"
            r"|caller|anrufer|r\xc3\xbcckruf|m\xc3\xb3vil|t(?:el)?\xc3\xa9l|l\xc3\xa9fon"
            # In Cyrillic, Devanagari, Chinese and Japanese, Korean.
            r"|\xd1\x82\xd0\xb5\xd0\xbb|\xd0\xa2\xd0\xb5\xd0\xbb"
            r"|\xe0\xa4\xab\xe0\xa4?\xbc?\xe0\xa5\x8b\xe0\xa4\xa8|\xe0\xa4\xab\xe0\xa5\x8b\xe0\xa4\xa8"
            r"|\xe0\xa4\xae\xe0\xa5\x8b\xe0\xa4\xac"
            r"|\xe9\x9b\xbb\xe8\xa9\xb1|\xe7\x94\xb5\xe8\xaf\x9d|\xe6\x89\x8b\xe6\x9c\xba|\xe6\x90\xba\xe5\xb8\xaf"
            r"|\xec\xa0\x84\xed\x99\x94"
            r"|(?:call|ring|bell|reach|contact|dial|text)[^0-9\n]{0,40}[0-9(][0-9 ().\-/]{6}"
        ),
    ),
    Sign(
        name="odd",
        pattern=rf"{_ODD_DIGIT}|\d{_ODD_GAP}\d|{_ODD_GAP}\d",
    ),
)


def words(text: str) -> frozenset[str]:
    """The words of a list that is easier to read and to sort as running text."""
    return frozenset(text.split())


_DASHES = "\u2010\u2011\u2012\u2013\u2014\u2015\u2212\ufe58\ufe63\uff0d"
_DOTS = "\u00b7\u2022\u2024\u2027"
_SPACES = (
    "\u00a0\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u202f\u205f\u3000"
)
_END_OF_DIGITS = 0x20000  # Unicode keeps its decimal digits in the first two planes.
_FULL_WIDTH_START, _FULL_WIDTH_END, _FULL_WIDTH_SHIFT = 0xFF01, 0xFF5E, 0xFEE0


def _plain_characters() -> dict[int, str]:
    plain = {
        code: str(unicodedata.decimal(chr(code)))
        for code in range(0x80, _END_OF_DIGITS)
        if unicodedata.category(chr(code)) == "Nd"
    }
    for code in range(_FULL_WIDTH_START, _FULL_WIDTH_END + 1):
        plain.setdefault(code, chr(code - _FULL_WIDTH_SHIFT))
    plain.update(dict.fromkeys(map(ord, _DASHES), "-"))
    plain.update(dict.fromkeys(map(ord, _SPACES), " "))
    plain.update(dict.fromkeys(map(ord, _DOTS), "."))
    return plain


_PLAIN = _plain_characters()
_FOREIGN = re.compile(r"[^\x00-\x7f]+")


def plain(text: str) -> str:
    """`text` with digits, dashes and spaces of all scripts as ASCII, character for character.

    The length does not change, so that offsets hold in both.
    """
    return _FOREIGN.sub(lambda run: run[0].translate(_PLAIN), text)
