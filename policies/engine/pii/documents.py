"""Account and document numbers, and dates of birth."""

from __future__ import annotations

import re
from functools import cache
from itertools import chain

from stdnum import numdb

from policies.engine.pii.context import Evidence, Reading, isolated, open_left, open_right
from policies.engine.stretches import matches

# Both begin at their first digit, with the letters before it looked back at: of a text's letters
# every one could begin them, of its digits few do.
_IBAN = re.compile(r"[0-9](?<=[A-Za-z]{2}[0-9])[0-9](?:[ -]?[A-Za-z0-9]){11,32}")
_IBAN_LETTERS = 2
_PAN = re.compile(
    r"[0-9](?<=[A-Za-z]{3}[ABCEFGHJKLPTabcefghjklpt][A-Za-z][0-9])[0-9]{3}[A-Za-z](?!\w)"
)
_PAN_LETTERS = 5
_PASSPORT = re.compile(
    r"[A-Za-z0-9](?<![a-z]{2})(?<![A-Z0-9]{2})"
    r"(?:(?<=[A-Z0-9])(?:(?<=[0-9])|(?=[A-Z]{0,8}[0-9]))[A-Z0-9]{5,8}"
    r"|(?<=[A-Z])[A-Z]? [0-9]{6,8}|(?<=[a-z])[a-z]?[0-9]{6,8})(?!\w)"
)
_MONTH = r"(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]{0,6}"
_YEAR = r"(?:19|20)[0-9]{2}(?![0-9])"
_DATE = re.compile(
    r"[0-9](?<![0-9]{2})(?:(?<=[12])[0-9]{3}([-/.])(?:0?[1-9]|1[0-2])\1(?:0?[1-9]|[12][0-9]|3[01])"
    r"|(?:(?<=[0-3])[0-9])?([-/.])[0-3]?[0-9]\2(?:(?:19|20)[0-9]{2}|[0-9]{2}))(?![0-9])"
)
_CENTURIES = ("19", "20")
_LONGEST_DATE = 40  # characters
_WRITTEN_DATES = (
    re.compile(
        r"[0-9](?<![0-9]{2})(?:(?<=[0-3])[0-9])?(?:st|nd|rd|th)?\.?[ -]"
        rf"(?:of )?(?i:{_MONTH})\.?,?[ -]{_YEAR}"
    ),
    re.compile(
        rf"[JFMASONDjfmasond](?<![A-Za-z]{{2}})(?i:(?<=[jfmasond])[a-z]{{2,8}})\.? [0-3]?[0-9]"
        rf"(?:st|nd|rd|th)?,? {_YEAR}"
    ),
)
MIN_PASSPORT_DIGITS = 2
# Letters count from ten on; what separates the groups does not count.
_AS_NUMBERS = str.maketrans(
    {
        **{letter: str(value) for value, letter in enumerate("ABCDEFGHIJKLMNOPQRSTUVWXYZ", 10)},
        **{letter: str(value) for value, letter in enumerate("abcdefghijklmnopqrstuvwxyz", 10)},
        **dict.fromkeys(" -", ""),
    }
)


def find_ibans(reading: Reading) -> None:
    """International bank account numbers: the country's length and the checksum (ISO 13616)."""
    text, position = reading.text, 0
    while (match := _IBAN.search(text, position)) is not None:
        start, position = match.start() - _IBAN_LETTERS, match.start() + 1
        length = _iban_lengths().get(text[start : match.start()].upper())
        if length is None:
            continue
        end = _end_of(text, start, match.end(), length)
        if end and reading.joins("iban.checked", start, end):
            position = end
            continue
        if not end or not isolated(text, start, end, in_path=True):
            continue
        if not _checksum_holds(text[start:end]) or not reading.free(start, end):
            continue
        evidence = reading.evidence("iban", start, end)
        upper = text[start:end].isupper()
        if evidence < (Evidence.DOUBTFUL if upper else Evidence.NEAR):
            continue
        position = end
        reading.claim(
            start,
            end,
            kind="pii.iban",
            rule="iban.checked",
            confidence=0.99 if evidence >= Evidence.NEAR else 0.95,
            reason="A bank account number (IBAN): length and checksum hold.",
        )


def find_pans(reading: Reading) -> None:
    """Permanent account numbers of the Indian income tax department."""
    text = reading.text
    for match in _PAN.finditer(text):
        start, end = match.start() - _PAN_LETTERS, match.end()
        if reading.joins("pan.shape", start, end):
            continue
        if match[0].startswith("0000") or not isolated(text, start, end, in_path=True):
            continue
        evidence = reading.evidence("pan", start, end)
        if evidence < (Evidence.DOUBTFUL if text[start:end].isupper() else Evidence.NEAR):
            continue
        if reading.free(start, end):
            reading.claim(
                start,
                end,
                kind="pii.pan",
                rule="pan.shape",
                confidence=0.98 if evidence >= Evidence.NEAR else 0.85,
                reason="An Indian permanent account number (PAN).",
            )


def find_passports(reading: Reading) -> None:
    """Passport numbers: too many shapes to know by themselves, so only where they are named."""
    text = reading.text
    for match in _PASSPORT.finditer(text):
        start, end = match.span()
        if reading.joins("passport.named", start, end):
            continue
        digits = sum(map(str.isdigit, match[0]))
        if not digits or not isolated(text, start, end) or not reading.free(start, end):
            continue
        least = Evidence.NEAR if digits >= MIN_PASSPORT_DIGITS else Evidence.LABELLED
        if reading.evidence("passport", start, end) >= least:
            reading.claim(
                start,
                end,
                kind="pii.passport",
                rule="passport.named",
                confidence=0.9,
                reason="A passport number, named as one in the text.",
            )


def find_births(reading: Reading) -> None:
    """Dates that a key, a column or a word calls a date of birth."""
    text = reading.text
    for match in chain(
        _DATE.finditer(text),
        *(matches(shape, text, _CENTURIES, _LONGEST_DATE) for shape in _WRITTEN_DATES),
    ):
        start, end = match.span()
        if reading.joins("birth.named", start, end):
            continue
        if not open_left(text, start):
            continue
        if text[end : end + 1] != "T" and not open_right(text, end):
            continue
        if reading.evidence("birth", start, end) >= Evidence.NEAR and reading.free(start, end):
            reading.claim(
                start,
                end,
                kind="pii.date_of_birth",
                rule="birth.named",
                confidence=0.9,
                reason="A date of birth, named as one in the text.",
            )


def _checksum_holds(written: str) -> bool:
    """ISO 7064, mod 97-10; a third of the time that `stdnum.iso7064.mod_97_10` takes."""
    compact = written.translate(_AS_NUMBERS)
    # The country and the check digits go to the end: two letters of two digits each, and two.
    return int(compact[6:] + compact[:6]) % 97 == 1


def _end_of(text: str, start: int, limit: int, length: int) -> int:
    """Where `length` letters and digits from `start` end; 0 when there are not so many."""
    left = length
    for place in range(start, limit):
        if text[place] not in " -":
            left -= 1
            if not left:
                return place + 1
    return 0


@cache
def _iban_lengths() -> dict[str, int]:
    # python-stdnum carries the registry of SWIFT: country, and the shape of the rest.
    lengths = {}
    registry = numdb.get("iban")
    for first in "ABCDEFGHIJKLMNOPQRSTUVWXYZ":
        for second in "ABCDEFGHIJKLMNOPQRSTUVWXYZ":
            properties = registry.info(first + second)[0][1]
            if "bban" in properties:
                groups = re.findall(r"([0-9]+)!", properties["bban"])
                lengths[first + second] = 4 + sum(map(int, groups))
    return lengths
