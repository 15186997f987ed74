"""Numbers of persons and of cards: shape, then check digits, then what the text says of them."""

from __future__ import annotations

import re

from policies.engine.pii.context import (
    Evidence,
    Reading,
    in_a_code_table,
    isolated,
    neighbours,
)
from policies.engine.pii.shapes import DOCUMENTED, words

_DIGITS = re.compile(r"[0-9]+")
# `(?<![0-9][0-9])` behind the first digit keeps a search from starting inside of a run; in front
# of it, it would cost the quick skip to the next digit.
_GROUPED_SSN = re.compile(r"[0-9](?<![0-9][0-9])[0-9]{2}([- .])[0-9]{2}\1[0-9]{4}")
_BARE_NINE = re.compile(r"[0-9](?<![0-9][0-9])[0-9]{8}(?![0-9])")
_AADHAAR = re.compile(r"[0-9](?<![0-9][0-9])[0-9]{3}([- ]?)[0-9]{4}\1[0-9]{4}")
_FOUR_BESIDE = re.compile(r"(?<![0-9])(?:[0-9]{4}[- ]){3}[0-9]{4}(?![0-9])")  # a card's groups
_CARD = re.compile(
    r"[0-9](?<![0-9][0-9])(?:"
    r"[0-9]{3}(?P<four>[- ._])[0-9]{4}(?P=four)[0-9]{4}(?P=four)[0-9]{4}(?:(?P=four)[0-9]{2,3}\b)?"
    r"|[0-9]{3}(?P<six>[- ._])[0-9]{6}(?P=six)[0-9]{4,5}"
    r"|(?<![0-9] [0-9])(?: [0-9]){12,18}(?! ?[0-9])"
    r"|[0-9]{12,18})"
)
# First digits and lengths by issuer: ISO/IEC 7812 ranges as the issuers publish them.
_ISSUED = re.compile(
    r"4(?:[0-9]{15}|[0-9]{18})"  # Visa
    r"|(?:5[1-5][0-9]{2}|222[1-9]|22[3-9][0-9]|2[3-6][0-9]{2}|27[01][0-9]|2720)[0-9]{12}"
    r"|3[47][0-9]{13}"  # American Express
    r"|3(?:0[0-5]|095|[689][0-9])[0-9]{11}"  # Diners Club
    r"|(?:6011|64[4-9][0-9]|65[0-9]{2})[0-9]{12}"  # Discover, RuPay
    r"|62[0-9]{14}(?:[0-9]{3})?"  # UnionPay
    r"|35(?:2[89]|[3-8][0-9])[0-9]{12}"  # JCB
    r"|(?:50[0-9]{2}|56[0-9]{2}|57[0-9]{2}|58[0-9]{2}|63[0-9]{2}|67[0-9]{2})[0-9]{12}"  # Maestro
    r"|220[0-4][0-9]{12}|(?:60|81|82|508)[0-9]{14}|9792[0-9]{12}"  # Mir, RuPay, Troy
)
# The groups that the Internal Revenue Service gives out.
_ITIN = re.compile(r"9[0-9]{2}(?:5[0-9]|6[0-5]|7[0-9]|8[0-8]|9[0-2]|9[4-9])[0-9]{4}")
_ZERO = ord("0")
_DOUBLED = bytes.maketrans(b"0123456789", b"0246813579")
_WITHOUT_SEPARATORS = str.maketrans("", "", " -._")
# The products of the dihedral group of ten, and the powers of Verhoeff's permutation.
_PRODUCTS = tuple(
    tuple(
        (one + other) % 5 + 5 * (other > 4) if one < 5 else (one - other) % 5 + 5 * (other < 5)
        for other in range(10)
    )
    for one in range(10)
)
_PERMUTATION = (1, 5, 7, 6, 2, 8, 3, 0, 9, 4)


def _powers() -> tuple[tuple[int, ...], ...]:
    powers = [tuple(range(10))]
    while len(powers) < 8:
        powers.append(tuple(powers[-1][digit] for digit in _PERMUTATION))
    return tuple(powers)


_PERMUTED = _powers()
_NEVER_ISSUED_AREAS = ("000", "666")
_TEST_CARDS = words(  # of the networks and the larger payment providers
    "4111111111111111 4242424242424242 4012888888881881 4222222222222 5555555555554444 "
    "5105105105105100 2223003122003222 378282246310005 371449635398431 378734493671000 "
    "6011111111111117 6011000990139424 30569309025904 38520000023237 3056930009020004 "
    "36227206271667 3530111333300000 3566002020360505 6200000000000005 4000000000000002"
)
_KNOWN_SSNS = words(  # of advertisements, and the shapes that texts about it use
    "123456789 111223333 078051120 219099999 111111111 222222222 333333333 444444444 555555555"
)


def find_cards(reading: Reading) -> None:
    """Payment cards: Luhn and a known issuer, or the word for it in place of the issuer."""
    text, position = reading.text, 0
    while (match := _CARD.search(text, position)) is not None:
        start, end = match.span()
        position = _next_group(text, start)
        digits = match[0].translate(_WITHOUT_SEPARATORS)
        if match["four"] is not None and len(digits) > 16 and not luhn(digits):
            end -= len(digits) - 15  # Digits more, such as a security code, are not its own.
            digits = digits[:16]
        if not luhn(digits):
            continue
        grouped = len(digits) != end - start
        if reading.joins("card.grouped" if grouped else "card.bare", start, end):
            position = end
            continue
        usual = (match["four"] or match["six"] or "") in "- "
        if match["four"] == " " and in_a_code_table(text, start, end):
            usual = False
        on_a_track = text[start - 2 : start] == "%B" and text[end : end + 1] == "^"  # ISO/IEC 7813
        if len(set(digits)) < 2 or not (on_a_track or isolated(text, start, end, in_path=True)):
            continue
        # A card's number is also called its PAN, the primary account number.
        evidence = reading.evidence("card", start, end)
        if evidence < Evidence.NEAR:
            evidence = max(evidence, reading.evidence("pan", start, end))
        issued = _ISSUED.fullmatch(digits) is not None
        least = Evidence.NEAR
        if issued and usual and (not grouped or match["four"] or match["six"]):
            least = Evidence.DOUBTFUL if grouped else Evidence.NOTHING
        if evidence < least or not reading.free(start, end):
            continue
        position = end
        reading.claim(
            start,
            end,
            kind="pii.credit_card",
            rule="card.grouped" if grouped else "card.bare",
            confidence=DOCUMENTED
            if digits in _TEST_CARDS
            else 0.99
            if evidence >= Evidence.NEAR
            else 0.9
            if grouped
            else 0.8,
            reason="A payment card number: its check digit holds"
            + (" and an issuer uses its range." if issued else " and the text calls it a card."),
        )


def find_aadhaar(reading: Reading) -> None:
    """Aadhaar numbers: Verhoeff; without groups only where the text says what they are."""
    text, position = reading.text, 0
    while (match := _AADHAAR.search(text, position)) is not None:
        start, end = match.span()
        position = _next_group(text, start)
        digits = match[0].translate(_WITHOUT_SEPARATORS)
        if digits[0] in "01":
            continue
        beside = neighbours(text, start, end, match[1]) or (
            match[1] == " " and in_a_code_table(text, start, end)
        )
        if beside and _FOUR_BESIDE.search(text[max(0, start - 6) : end + 6]):
            continue
        if not isolated(text, start, end, in_path=True) or not verhoeff(digits):
            continue
        if not reading.free(start, end):
            continue
        evidence = reading.evidence("aadhaar", start, end)
        grouped = bool(match[1])
        if evidence < (Evidence.NOTHING if grouped and not beside else Evidence.NEAR):
            continue
        position = end
        reading.claim(
            start,
            end,
            kind="pii.aadhaar",
            rule="aadhaar.grouped" if grouped else "aadhaar.bare",
            confidence=0.99 if evidence >= Evidence.NEAR else 0.85,
            reason="An Aadhaar number: its check digit holds"
            + (" and the text names it." if evidence >= Evidence.NEAR else "."),
        )


def find_grouped_ssns(reading: Reading) -> None:
    """Social security numbers written 3-2-4; with blanks or dots only where the text says so."""
    text, position = reading.text, 0
    while (match := _GROUPED_SSN.search(text, position)) is not None:
        start, end = match.span()
        if reading.joins("ssn.grouped", start, end):
            position = end
            continue
        position = _next_group(text, start)
        digits = _only_digits(match[0])
        if not isolated(text, start, end, in_path=True):
            continue
        if neighbours(text, start, end, match[1]) or not reading.free(start, end):
            continue
        evidence = _ssn_evidence(reading, start, end, digits)
        if evidence is None or evidence < (Evidence.DOUBTFUL if match[1] == "-" else Evidence.NEAR):
            continue
        if evidence < Evidence.NEAR and reading.numbers_a_row(start):
            continue
        position = end
        _claim_ssn(reading, start, end, digits, evidence)


def find_bare_ssns(reading: Reading) -> None:
    """Nine digits that a key, a column or a word beside them calls a social security number."""
    text, position = reading.text, 0
    while (match := _BARE_NINE.search(text, position)) is not None:
        start, end = match.span()
        position = end
        if reading.joins("ssn.bare", start, end):
            continue
        if not isolated(text, start, end) or not reading.free(start, end):
            continue
        evidence = _ssn_evidence(reading, start, end, match[0])
        if evidence is not None and evidence >= Evidence.NEAR:
            _claim_ssn(reading, start, end, match[0], evidence)


def luhn(digits: str) -> bool:
    """Whether the check digit of ISO/IEC 7812-1 holds.

    A tenth of the time that `stdnum.luhn` takes: a log can hold thousands of candidates.
    """
    backwards = digits.encode("ascii")[::-1]
    doubled = backwards[1::2].translate(_DOUBLED)
    return (sum(backwards[::2]) + sum(doubled) - len(digits) * _ZERO) % 10 == 0


def verhoeff(digits: str) -> bool:
    """Whether the check digit of Verhoeff's dihedral group holds.

    The time matters as that of `luhn` does; the tables are those of `stdnum.verhoeff`.
    """
    check = 0
    for place, digit in enumerate(reversed(digits)):
        check = _PRODUCTS[check][_PERMUTED[place % 8][ord(digit) - _ZERO]]
    return check == 0


def _claim_ssn(reading: Reading, start: int, end: int, digits: str, evidence: Evidence) -> None:
    named = evidence >= Evidence.NEAR
    taxpayer = digits[0] == "9"
    sure = 0.99 if named else 0.85 if evidence == Evidence.NOTHING else 0.7
    grouped = "ssn.grouped" if len(digits) < end - start else "ssn.bare"
    number = "A US taxpayer number (ITIN)" if taxpayer else "A US social security number"
    reading.claim(
        start,
        end,
        kind="pii.ssn",
        rule="ssn.itin" if taxpayer else grouped,
        confidence=min(sure, DOCUMENTED) if digits in _KNOWN_SSNS else sure,
        reason=number
        + (", named as one in the text." if named else ": its shape, in the ranges issued."),
    )


def _ssn_evidence(reading: Reading, start: int, end: int, digits: str) -> Evidence | None:
    """How strongly the text says that `digits` are a tax payer's number; None: they cannot be."""
    taxpayer = reading.evidence("itin", start, end)
    if _is_ssn(digits):
        return max(reading.evidence("ssn", start, end), taxpayer)
    # An ITIN is issued to those who have no social security number: named, never by shape alone.
    return taxpayer if _ITIN.fullmatch(digits) and taxpayer >= Evidence.NEAR else None


def _is_ssn(digits: str) -> bool:
    # The Social Security Administration never issues these areas, groups and serials.
    area, group, serial = digits[:3], digits[3:5], digits[5:]
    return area not in _NEVER_ISSUED_AREAS and area[0] != "9" and group != "00" and serial != "0000"


def _only_digits(text: str) -> str:
    return "".join(_DIGITS.findall(text))


def _next_group(text: str, start: int) -> int:
    """The end of the run of digits at `start`, from where a search goes on after a miss."""
    run = _DIGITS.match(text, start)
    return run.end() if run else start + 1
