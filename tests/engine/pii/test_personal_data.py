"""Personal data is found where it is, and nothing that only looks like it."""

import phonenumbers
import pytest
from stdnum import luhn

from policies.engine.findings import Finding, Report, View
from policies.engine.pii import PersonalData, numbers, phones
from policies.engine.pii.samples import SAMPLES
from policies.engine.signs import SignScanner

FAMILY = PersonalData()
SCANNER = SignScanner((FAMILY.name, sign) for sign in FAMILY.signs)


def examine(text: str, *, key: str = "", offset: int = 0) -> list[Finding]:
    report = Report()
    view = View(text=text, offset=offset, language="auto", path=(key,) if key else ())
    FAMILY.examine(view, frozenset(SCANNER.scan(text).get(FAMILY.name, ())), report)
    return sorted(report.findings, key=lambda found: found.start)


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample.name)
def test_every_sample_is_found_exactly(sample):
    found = examine(sample.text, key=sample.key)

    assert [(f.kind, sample.text[f.start : f.end]) for f in found] == list(sample.found)


def test_places_count_in_the_text_of_the_operation():
    text = "ssn 536-22-8726"

    (found,) = examine(text, offset=1_000)

    assert (found.start, found.end) == (1_004, 1_015)


def test_what_the_text_says_raises_the_confidence():
    (alone,) = examine("536-22-8726")
    (named,) = examine("ssn: 536-22-8726")

    assert alone.confidence < named.confidence
    assert "named" in named.reason


def test_an_example_address_beside_personal_data_is_only_half_sure():
    email, _ssn = examine("jane.roe@example.com 536-22-8726")

    assert (email.rule, email.confidence) == ("email.example", 0.5)


def test_no_reason_repeats_what_was_found():
    for sample in SAMPLES:
        for found in examine(sample.text, key=sample.key):
            assert sample.text[found.start : found.end] not in found.reason


@pytest.mark.parametrize("region", sorted(phonenumbers.SUPPORTED_REGIONS))
def test_the_numbering_plans_agree_with_phonenumbers(region):
    example = phonenumbers.example_number(region)
    assert example is not None
    number = phonenumbers.format_number(example, phonenumbers.PhoneNumberFormat.E164)

    assert phones.is_international(number.removeprefix("+"))
    assert [f.kind for f in examine(f"phone {number}")] == ["pii.phone"]


@pytest.mark.parametrize("digits", ["79927398713", "4111111111111111", "378282246310005", "18"])
def test_the_check_digit_agrees_with_stdnum(digits):
    for last in "0123456789":
        candidate = digits[:-1] + last
        assert numbers.luhn(candidate) == luhn.is_valid(candidate)
