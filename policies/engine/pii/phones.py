"""Phone numbers: candidates by shape, validity by the numbering plans of `phonenumbers`."""

from __future__ import annotations

import re
from functools import cache

import re2
from phonenumbers import COUNTRY_CODE_TO_REGION_CODE, PhoneMetadata
from phonenumbers.phonemetadata import PhoneNumberDesc

from policies.engine.pii.context import Evidence, Reading, isolated, neighbours
from policies.engine.pii.shapes import DOCUMENTED, words

MIN_DIGITS = 7
MIN_BARE_DIGITS = 9  # without any mark between the digits, where only a word is near
MAX_DIGITS = 15  # E.164
MIN_PLAUSIBLE = 9  # with the country code, of a number that its plan does not know
MAX_CUTS = 5  # trailing groups taken off a candidate before it is given up

# Where a number without a country code is looked up, when the text says that it is a phone.
HOME_REGIONS = words(
    "US GB IN DE FR ES IT NL BE CH AT IE PT SE NO DK FI PL CZ GR RO HU TR IL ZA NG KE EG "
    "AE SA AU NZ JP KR CN HK TW SG MY ID TH VN PH PK BD BR MX AR CL CO PE UA RU"
)

_INTERNATIONAL = re.compile(r"\+\(?[0-9](?:[ ().\-/]{0,3}[0-9]){6,16}")
_AMERICAN = re.compile(
    r"[(2-9](?:(?<=\()[2-9][0-9]{2}\)[ -]?[2-9][0-9]{2}[-. ]?"
    r"|(?<=[2-9])[0-9]{2}[-. ][2-9][0-9]{2}[-. ])[0-9]{4}(?![0-9])"
)
_NATIONAL = re.compile(
    r"[(0-9](?<![0-9][0-9])(?:(?<=\()[0-9]{1,5}\))?"
    r"(?:[ .\-/]{0,2}[0-9]|[ ]?\([0-9]{1,4}\)(?=[ .\-/]?[0-9])){5,15}(?![0-9])"
)
# A decimal number, a date, an address of the network.
_NO_PHONE = re.compile(
    r"(?!0[1-9])[0-9]{1,3}\.[0-9]+\Z|[0-9]+\.[0-9]{1,3}\Z"
    r"|(?:19|20)[0-9]{2}-(?:19|20)[0-9]{2}\Z"
    r"|(?:19|20)[0-9]{2}([-/.])[0-9]{1,2}\1[0-9]{1,2}|[0-9]{1,2}([-/.])[0-9]{1,2}\2(?:19|20)[0-9]{2}"
    r"|[0-9]{1,3}(?:\.[0-9]{1,3}){3}(?![.0-9])"
)
_TIME = re.compile(
    r"1[4-9][0-9]{8}(?:[0-9]{3})?"  # seconds or milliseconds since 1970
    r"|(?:19|20)[0-9]{2}(?:0[1-9]|1[0-2])(?:[0-2][0-9]|3[01])(?:[0-9]{4}|[0-9]{6})"
)
# Kept for books and films by the North American plan; manuals take them as well.
_FICTITIOUS = re.compile(r"1?[2-9][0-9]{2}55501[0-9]{2}")
_EXTENSION = re.compile(r"x[0-9]{1,6}(?![0-9a-z])|ext", re.IGNORECASE)
_COUNTED = "12345678901234567890"
_MORE = re.compile(r" [0-9]{3}")
_LISTED = re.compile(r"/[0-9]")  # two numbers with a stroke between them
_CHAT_LINK = "wa.me/"
_DIGITS = re.compile(r"[0-9]+")
_TRUNK_ZERO = re.compile(r"\(0\)")
_NOT_AFTER_PLUS = re.compile(r"[\w)\]]")
_TYPES = (
    "fixed_line",
    "mobile",
    "toll_free",
    "premium_rate",
    "shared_cost",
    "personal_number",
    "voip",
    "pager",
    "uan",
    "voicemail",
)


def find_international(reading: Reading) -> None:
    """Numbers with a plus and a country code; the numbering plan of that country must allow it."""
    text, position = reading.text, 0
    while (match := _INTERNATIONAL.search(text, position)) is not None:
        start, position = match.start(), match.start() + 1
        if reading.joins("phone.international", start, match.end()):
            position = match.end()
            continue
        if start and (
            _NOT_AFTER_PLUS.match(text[start - 1]) and text[start - 2 : start - 1] != "\\"
        ):
            continue
        end = _valid_end(text, start, match.end())
        if not end:
            # Plans change, and old spellings live on: where it is named, its length will do.
            end = _plausible_end(text, start, match.end())
            if not end or reading.evidence("phone", start, end) < Evidence.NEAR:
                continue
        if not reading.free(start, end):
            continue
        evidence = reading.evidence("phone", start, end)
        if evidence == Evidence.AGAINST:
            continue
        position = end
        bracket = text[start - 1 : start] == "(" and ")" in text[start:end]
        digits = "".join(_DIGITS.findall(text, start, end))
        _claim(reading, start - bracket, end, "phone.international", evidence, digits=digits)


def find_american(reading: Reading) -> None:
    """`(415) 555-2671` and `415-555-2671`; with blanks only where the text calls it a phone."""
    text, position = reading.text, 0
    while (match := _AMERICAN.search(text, position)) is not None:
        start, end = match.span()
        position = start + 1
        if reading.joins("phone.american", start, end):
            position = end
            continue
        digits = "".join(_DIGITS.findall(match[0]))
        if text[start - 2 : start] in ("1-", "1 ", "1."):
            start -= 4 if text.startswith("00", start - 4) and start >= 4 else 2
        marks = [mark for mark in "-.(" if mark in match[0]]
        # `415 555 2671` may be three numbers, `252.227-7013` a clause.
        unusual = not marks or marks == ["-", "."]
        if not isolated(text, start, end) or (not marks and neighbours(text, start, end, " ")):
            continue
        if not _plan(1).fullmatch(digits) or not reading.free(start, end):
            continue
        evidence = reading.evidence("phone", start, end)
        if evidence < (Evidence.NEAR if unusual else Evidence.NOTHING):
            continue
        position = end
        _claim(reading, start, end, "phone.american", evidence, digits=digits)


def find_national(reading: Reading) -> None:
    """Numbers without a country code, where a key, a column or a word calls them a phone."""
    text, position = reading.text, 0
    while (match := _NATIONAL.search(text, position)) is not None:
        start, end = match.span()
        position = end
        # Most numbers of a text are others', found before.
        others = "/" not in match[0] and not reading.free(start, end)
        if others or reading.joins("phone.national", start, end):
            continue
        start += match[0][0] == "(" and ")" not in match[0]  # the phone stands in brackets
        digits = "".join(_DIGITS.findall(match[0]))
        if len(digits) > MAX_DIGITS and "/" in match[0]:  # two of them
            position = end = text.index("/", start)
            digits = "".join(_DIGITS.findall(text, start, end))
        if not MIN_DIGITS <= len(digits) <= MAX_DIGITS + 3:
            continue
        listed = _LISTED.match(text, end) or _LISTED.match(text[max(0, start - 2) : start][::-1])
        in_path = text.startswith(_CHAT_LINK, start - len(_CHAT_LINK))
        if not isolated(text, start, end, in_path=in_path or listed is not None):
            continue
        if _NO_PHONE.match(text, start, end):
            continue
        if not reading.free(start, end):
            continue
        evidence = reading.evidence("phone", start, end)
        if evidence < Evidence.NEAR:
            continue
        bare = end - start == len(digits)
        doubtful = bare and (len(digits) < MIN_BARE_DIGITS or _TIME.fullmatch(digits))
        if evidence == Evidence.NEAR and (doubtful or digits.endswith("0000")):
            continue  # a count, a time, a round sum
        if evidence == Evidence.NEAR and (digits in _COUNTED or _MORE.match(text, end)):
            continue  # made up for a text, or one of many numbers
        if evidence == Evidence.LABELLED or reading.hurried or is_national(digits):
            _claim(reading, start, end, "phone.national", evidence, digits=digits)


def is_international(digits: str) -> bool:
    """Whether `digits`, country code first, are a number that the country's plan allows."""
    for length in (1, 2, 3):
        code = int(digits[:length])
        if code in COUNTRY_CODE_TO_REGION_CODE:
            return _plan(code).fullmatch(digits[length:]) is not None
    return False


def is_national(digits: str) -> bool:
    """Whether one of the home regions dials `digits` at home (or `00` abroad)."""
    for prefix in ("00", "011"):  # dialled before a country code
        if digits.startswith(prefix) and is_international(digits.removeprefix(prefix)):
            return True
    return _home_plans().fullmatch(digits.encode()) is not None


def _claim(
    reading: Reading, start: int, end: int, rule: str, evidence: Evidence, *, digits: str = ""
) -> None:
    named = evidence >= Evidence.NEAR
    sure = 0.95 if named else 0.85 if rule == "phone.international" else 0.7
    reading.claim(
        start,
        end,
        kind="pii.phone",
        rule=rule,
        confidence=min(sure, DOCUMENTED) if _FICTITIOUS.fullmatch(digits) else sure,
        reason="A phone number"
        + (" where the text says there is one." if named else " that a numbering plan allows."),
    )


def _plausible_end(text: str, start: int, end: int) -> int:
    digits = "".join(_DIGITS.findall(text[start:end]))
    complete = not text[end : end + 1].isalnum()
    known = any(int(digits[:length]) in COUNTRY_CODE_TO_REGION_CODE for length in (1, 2, 3))
    return end if complete and known and MIN_PLAUSIBLE <= len(digits) <= MAX_DIGITS else 0


def _valid_end(text: str, start: int, end: int) -> int:
    """The end of the longest valid number from `start`, whole groups at a time; 0: none."""
    for _ in range(MAX_CUTS):
        candidate = text[start:end]
        digits = "".join(_DIGITS.findall(_TRUNK_ZERO.sub("", candidate)))
        if len(digits) < MIN_DIGITS:
            return 0
        complete = not text[end : end + 1].isalnum() or _EXTENSION.match(text, end)
        if len(digits) <= MAX_DIGITS and complete and is_international(digits):
            return end
        groups = list(_DIGITS.finditer(candidate))
        if len(groups) < 2:
            return 0
        end = start + groups[-2].end()
    return 0


@cache
def _plan(country_code: int) -> re.Pattern[str]:
    # `phonenumbers.parse` and `is_valid_number` take 80 µs together; a table may hold thousands.
    patterns: list[str] = []
    for region in COUNTRY_CODE_TO_REGION_CODE[country_code]:
        patterns += _patterns(region, country_code)
    return re.compile("|".join(f"(?:{pattern})" for pattern in dict.fromkeys(patterns)) or "(?!)")


@cache
def _home_plans() -> re2._Regexp:
    # All regions in one automaton: linear, and as fast for fifty regions as for one. Of bytes, as
    # places in characters, which nobody asks for, are most of the time of a match.
    options = re2.Options()
    options.never_capture = True
    choices = []
    for region in sorted(HOME_REGIONS):
        metadata = PhoneMetadata.metadata_for_region(region, None)
        trunk = metadata.national_prefix if metadata else None
        prefix = f"(?:{trunk})?" if trunk else ""
        choices.append(f"{prefix}(?:{'|'.join(_patterns(region, 0))})")
    return re2.compile("|".join(choices).encode(), options)


def _patterns(region: str, country_code: int) -> list[str]:
    if region == "001":
        metadata = PhoneMetadata.metadata_for_nongeo_region(country_code, None)
    else:
        metadata = PhoneMetadata.metadata_for_region(region, None)
    if metadata is None:
        return []
    descriptions: list[PhoneNumberDesc | None] = [getattr(metadata, name) for name in _TYPES]
    return [
        description.national_number_pattern
        for description in descriptions
        if description is not None and description.national_number_pattern
    ]
