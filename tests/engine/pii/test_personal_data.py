"""Personal data is found where it is, and nothing that only looks like it."""

from functools import cache

import phonenumbers
import pytest
from stdnum import luhn, verhoeff

from policies.engine.findings import Finding, Report, View
from policies.engine.pii import PersonalData, numbers, phones
from policies.engine.pii.rules import RULES
from policies.engine.pii.samples import SAMPLES, Sample
from policies.engine.signs import SignScanner


@cache
def _family(countries: tuple[str, ...]) -> tuple[PersonalData, SignScanner]:
    family = PersonalData(countries=countries)
    return family, SignScanner((family.name, sign) for sign in family.signs)


def examine(
    text: str, *, key: str = "", offset: int = 0, countries: tuple[str, ...] = ()
) -> list[Finding]:
    return report_of(text, key=key, offset=offset, countries=countries).findings


def report_of(
    text: str, *, key: str = "", offset: int = 0, countries: tuple[str, ...] = ()
) -> Report:
    family, scanner = _family(countries)
    report = Report()
    view = View(text=text, offset=offset, language="auto", path=(key,) if key else ())
    family.examine(view, frozenset(scanner.scan(text).get(family.name, ())), report)
    report.findings.sort(key=lambda found: found.start)
    return report


def examine_sample(sample: Sample) -> list[Finding]:
    return examine(sample.text, key=sample.key, countries=sample.countries)


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample.name)
def test_every_sample_is_found_exactly(sample):
    found = examine_sample(sample)

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
        for found in examine_sample(sample):
            assert sample.text[found.start : found.end] not in found.reason


@pytest.mark.parametrize("region", sorted(phonenumbers.SUPPORTED_REGIONS))
def test_the_numbering_plans_agree_with_phonenumbers(region):
    example = phonenumbers.example_number(region)
    assert example is not None
    number = phonenumbers.format_number(example, phonenumbers.PhoneNumberFormat.E164)

    assert phones.is_international(number.removeprefix("+"))
    assert [f.kind for f in examine(f"phone {number}")] == ["pii.phone"]


@pytest.mark.parametrize("digits", ["79927398713", "4111111111111111", "378282246310005", "18"])
def test_the_check_digits_agree_with_stdnum(digits):
    for last in "0123456789":
        candidate = digits[:-1] + last
        assert numbers.luhn(candidate) == luhn.is_valid(candidate)
        assert numbers.verhoeff(candidate) == verhoeff.is_valid(candidate)


def test_every_finding_is_of_a_listed_rule():
    listed = {rule.id for rule in RULES}

    found = {f"{f.kind}/{f.rule}" for sample in SAMPLES for f in examine_sample(sample)}

    assert found <= listed
    assert PersonalData.rules == RULES


@pytest.mark.parametrize(
    "rule",
    [rule for rule in RULES if rule.kind != "pii.name"],  # test_names.py brings a finder along
    ids=lambda rule: rule.id,
)
def test_every_rule_has_a_hit_and_a_harmless_twin(rule):
    hits = [s for s in SAMPLES if rule.name in {f.rule for f in examine_sample(s)}]
    twins = [s for s in SAMPLES if s.twin == rule.name and not s.found]

    assert hits
    assert twins


def test_an_unknown_country_is_refused():
    with pytest.raises(ValueError, match="No national number is known of xx"):
        PersonalData(countries=["de", "xx"])


@pytest.mark.parametrize(
    "text",
    [
        "card 4111 1111 1111 1111",
        "ssn 123-45-6789",
        "call +1 415 555 0132",
        "(415) 555-0132",
        "phone: 415-555-0132",
        "phone: 4155550132",
    ],
)
def test_what_manuals_use_as_examples_is_found_with_less_confidence(text):
    (found,) = examine(text)

    assert found.confidence == 0.6
