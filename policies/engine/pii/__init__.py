"""Personal data: shape, then check digits and numbering plans, then what the text says."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from policies.engine.family import Sign
from policies.engine.findings import Report, View
from policies.engine.pii import addresses, documents, names, national, numbers, phones
from policies.engine.pii.context import Reading, path_topics
from policies.engine.pii.rules import RULES
from policies.engine.pii.shapes import SIGNS, plain, words
from policies.engine.rules import Rule


@dataclass(frozen=True, slots=True, kw_only=True)
class _Detector:
    """A detector, the signs any of which call for it, and the topic of a key that does."""

    run: Callable[[Reading], None]
    signs: frozenset[str]
    topic: str = ""


# The most distinctive first: what they claim is no candidate for the others.
_DETECTORS = tuple(
    _Detector(run=run, signs=words(signs), topic=topic)
    for run, signs, topic in (
        (documents.find_ibans, "iban", ""),
        (numbers.find_cards, "fours", ""),
        (numbers.find_aadhaar, "fours", ""),
        (numbers.find_grouped_ssns, "ssn", ""),
        (documents.find_pans, "pan", ""),
        (documents.find_passports, "passport_word", "passport"),
        (numbers.find_bare_ssns, "nine", ""),
        (phones.find_international, "plus", ""),
        (phones.find_american, "american", ""),
        (phones.find_national, "phone_word", "phone"),
        (documents.find_births, "birth_word", "birth"),
        # Beside a person's data an example address counts, beside an IP address it does not.
        (addresses.find_emails, "email", ""),
        (addresses.find_ipv4, "ipv4", ""),
        (addresses.find_ipv6, "ipv6", ""),
        (addresses.find_macs, "mac", ""),
    )
)


_TELL_NOTHING = frozenset(["host_word"])  # signs that call for no detector by themselves


class PersonalData:
    """Findings `pii.ssn`, `pii.credit_card`, `pii.aadhaar`, `pii.pan`, `pii.email`, `pii.phone`,
    `pii.iban`, `pii.passport`, `pii.ip`, `pii.date_of_birth` and `pii.mac_address`, every
    occurrence; of the countries asked for also `pii.national_id.<country>`, and `pii.name` where
    a finder of names is registered (see `names`)."""

    name = "pii"
    rules: Sequence[Rule] = RULES

    def __init__(self, *, countries: Iterable[str] = ()) -> None:
        """Look for the national numbers of `countries` too (`"de"`); see `national`.

        Raises:
            ValueError: a country whose number the engine does not know.
        """
        numbers_of = {national.sign_of(each): each for each in national.national_ids(countries)}
        self.signs: Sequence[Sign] = (*SIGNS, *numbers_of)
        self._national = tuple((sign.name, each) for sign, each in numbers_of.items())

    def examine(self, view: View, signs: frozenset[str], report: Report) -> None:
        """Report the personal data in `view`; see `Family.examine`."""
        topics = path_topics(view.path)
        finder = names.registered()
        if signs <= _TELL_NOTHING and not topics and finder is None:
            return
        odd = "odd" in signs  # Its digits may be any: nothing can be ruled out by the scan.
        text = plain(view.text) if odd else view.text
        reading = Reading(view, text, topics, report, signs)
        for sign, number in self._national:
            if odd or sign in signs:
                national.find(reading, number)
        for detector in _DETECTORS:
            if odd or not signs.isdisjoint(detector.signs) or detector.topic in topics:
                detector.run(reading)
        if finder is not None:
            names.find_names(reading, finder)
        reading.close_run()
