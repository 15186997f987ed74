"""Personal data: shape, then check digits and numbering plans, then what the text says."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from policies.engine.family import Sign
from policies.engine.findings import Report, View
from policies.engine.pii import addresses, documents, numbers, phones
from policies.engine.pii.context import Reading, path_topics
from policies.engine.pii.shapes import SIGNS, plain, words


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
        (addresses.find_ipv4, "ipv4", ""),
        (addresses.find_ipv6, "ipv6", ""),
        (addresses.find_emails, "email", ""),
    )
)


class PersonalData:
    """Findings `pii.ssn`, `pii.credit_card`, `pii.aadhaar`, `pii.pan`, `pii.email`, `pii.phone`,
    `pii.iban`, `pii.passport`, `pii.ip` and `pii.date_of_birth`, every occurrence."""

    name = "pii"
    signs: Sequence[Sign] = SIGNS

    def examine(self, view: View, signs: frozenset[str], report: Report) -> None:
        """Report the personal data in `view`; see `Family.examine`."""
        topics = path_topics(view.path)
        if not signs and not topics:
            return
        odd = "odd" in signs  # Its digits may be any: nothing can be ruled out by the scan.
        reading = Reading(view, plain(view.text) if odd else view.text, topics, report)
        for detector in _DETECTORS:
            if odd or not signs.isdisjoint(detector.signs) or detector.topic in topics:
                detector.run(reading)
