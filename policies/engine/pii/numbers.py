"""Numbers of persons and of cards: shape, then check digits, then what the text says of them."""

from __future__ import annotations

import re

from stdnum import verhoeff

from policies.engine.pii.context import Evidence, Reading, isolated, neighbours

_DIGITS = re.compile(r"[0-9]+")
_GROUPED_SSN = re.compile(r"[0-9][0-9]{2}([- .])[0-9]{2}\1[0-9]{4}")
_BARE_NINE = re.compile(r"[0-9][0-9]{8}(?![0-9])")
_AADHAAR = re.compile(r"[0-9][0-9]{3}([- ]?)[0-9]{4}\1[0-9]{4}")
_FOUR_BESIDE = re.compile(r"(?<![0-9])(?:[0-9]{4}[- ]){3}[0-9]{4}(?![0-9])")  # a card's groups
_CARD = re.compile(
    r"[0-9](?:"
    r"[0-9]{3}(?P<four>[- ])[0-9]{4}(?P=four)[0-9]{4}(?P=four)[0-9]{4}(?:(?P=four)[0-9]{3}\b)?"
    r"|[0-9]{3}(?P<six>[- ])[0-9]{6}(?P=six)[0-9]{4,5}"
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
_ZERO = ord("0")
_DOUBLED = bytes.maketrans(b"0123456789", b"0246813579")
_NEVER_ISSUED_AREAS = ("000", "666")


def find_cards(reading: Reading) -> None:
    """Payment cards: Luhn and a known issuer, or the word for it in place of the issuer."""
    text, position = reading.text, 0
    while (match := _CARD.search(text, position)) is not None:
        start, end = match.span()
        position = _next_group(text, start)
        digits = _only_digits(match[0])
        if match["four"] is not None and len(digits) == 19 and not luhn(digits):
            end -= 4  # Three digits more, such as a security code, are not its own.
            digits = digits[:16]
        grouped = len(digits) != end - start
        if not isolated(text, start, end, in_path=True) or not luhn(digits):
            continue
        if len(set(digits)) < 2:
            continue
        evidence = reading.evidence("card", start, end)
        issued = _ISSUED.fullmatch(digits) is not None
        least = Evidence.NEAR
        if issued:
            least = Evidence.DOUBTFUL if grouped else Evidence.NOTHING
        if evidence < least or not reading.free(start, end):
            continue
        position = end
        reading.claim(
            start,
            end,
            kind="pii.credit_card",
            rule="card.grouped" if grouped else "card.bare",
            confidence=0.99 if evidence >= Evidence.NEAR else 0.9 if grouped else 0.8,
            reason="A payment card number: its check digit holds"
            + (" and an issuer uses its range." if issued else " and the text calls it a card."),
        )


def find_aadhaar(reading: Reading) -> None:
    """Aadhaar numbers: Verhoeff; without groups only where the text says what they are."""
    text, position = reading.text, 0
    while (match := _AADHAAR.search(text, position)) is not None:
        start, end = match.span()
        position = _next_group(text, start)
        digits = _only_digits(match[0])
        if digits[0] in "01" or not isolated(text, start, end, in_path=True):
            continue
        beside = neighbours(text, start, end, match[1])
        if beside and _FOUR_BESIDE.search(text[max(0, start - 6) : end + 6]):
            continue
        if not verhoeff.is_valid(digits) or not reading.free(start, end):
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
        position = _next_group(text, start)
        if not isolated(text, start, end, in_path=True) or not _is_ssn(_only_digits(match[0])):
            continue
        if neighbours(text, start, end, match[1]) or not reading.free(start, end):
            continue
        evidence = reading.evidence("ssn", start, end)
        if evidence < (Evidence.DOUBTFUL if match[1] == "-" else Evidence.NEAR):
            continue
        position = end
        _claim_ssn(reading, start, end, "ssn.grouped", evidence)


def find_bare_ssns(reading: Reading) -> None:
    """Nine digits that a key, a column or a word beside them calls a social security number."""
    text, position = reading.text, 0
    while (match := _BARE_NINE.search(text, position)) is not None:
        start, end = match.span()
        position = end
        if not isolated(text, start, end) or not _is_ssn(match[0]):
            continue
        if not reading.free(start, end):
            continue
        evidence = reading.evidence("ssn", start, end)
        if evidence >= Evidence.NEAR:
            _claim_ssn(reading, start, end, "ssn.bare", evidence)


def luhn(digits: str) -> bool:
    """Whether the check digit of ISO/IEC 7812-1 holds.

    A tenth of the time that `stdnum.luhn` takes: a log can hold thousands of candidates.
    """
    backwards = digits.encode("ascii")[::-1]
    doubled = backwards[1::2].translate(_DOUBLED)
    return (sum(backwards[::2]) + sum(doubled) - len(digits) * _ZERO) % 10 == 0


def _claim_ssn(reading: Reading, start: int, end: int, rule: str, evidence: Evidence) -> None:
    named = evidence >= Evidence.NEAR
    reading.claim(
        start,
        end,
        kind="pii.ssn",
        rule=rule,
        confidence=0.99 if named else 0.85 if evidence == Evidence.NOTHING else 0.7,
        reason="A US social security number"
        + (", named as one in the text." if named else ": its shape, in the ranges issued."),
    )


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
