"""National identity and tax numbers, each behind a switch for its country; all off by default.

A number of eleven digits is a person's in one country and an order in another, so a deployment
names the countries whose people it has to do with: `PersonalData(countries=("de", "fr"))`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from stdnum.au import tfn
from stdnum.br import cpf
from stdnum.ca import sin
from stdnum.de import idnr
from stdnum.es import dni, nie
from stdnum.fr import nir
from stdnum.it import codicefiscale
from stdnum.nl import bsn
from stdnum.pl import pesel

from policies.engine.family import Sign
from policies.engine.pii.context import Evidence, Reading, isolated

KIND = "pii.national_id"
_SEPARATORS = re.compile(r"[ ./\-]")


@dataclass(frozen=True, slots=True, kw_only=True)
class NationalId:
    """The number of one country.

    `valid` gets the number without separators, in upper case. `least` is the evidence that it
    takes: of a number whose check is weak, the text must say what it is.
    """

    country: str
    called: str
    pattern: re.Pattern[str]
    sign: str
    valid: Callable[[str], bool]
    least: Evidence = Evidence.NEAR

    @property
    def kind(self) -> str:
        """`pii.national_id.de`."""
        return f"{KIND}.{self.country}"


# The prefixes that HM Revenue & Customs does not give out, and the letters it does not use.
_NINO = re.compile(r"(?!BG|GB|NK|KN|TN|NT|ZZ)[A-CEGHJ-PR-TW-Z][A-CEGHJ-NPR-TW-Z][0-9]{6}[A-D]")


def _nine_digits_apart(text: str) -> bool:
    return len(set(text)) > 1


NATIONAL_IDS = (
    NationalId(
        country="de",
        called="German tax number (Steuer-ID)",
        pattern=re.compile(r"[1-9][0-9](?:[0-9]{9}| [0-9]{3} [0-9]{3} [0-9]{3})(?![0-9])"),
        sign=r"\d{2} \d{3} \d{3} \d{3}|\d{11}",
        valid=idnr.is_valid,
    ),
    NationalId(
        country="gb",
        called="UK National Insurance number",
        pattern=re.compile(r"[A-Z]{2}(?:[0-9]{6}|( ?)[0-9]{2}\1[0-9]{2}\1[0-9]{2}\1)[A-D](?!\w)"),
        sign=r"\b[a-z]{2} ?\d{2} ?\d{2} ?\d{2} ?[a-d]\b",
        valid=lambda text: _NINO.fullmatch(text) is not None,
        least=Evidence.NOTHING,
    ),
    NationalId(
        country="fr",
        called="French social security number (NIR)",
        pattern=re.compile(
            r"[12](?: ?[0-9]{2}){2} ?[0-9][0-9AB] ?[0-9]{3} ?[0-9]{3} ?[0-9]{2}(?![0-9])"
        ),
        sign=r"[12] ?\d{2} ?\d{2} ?\d[\dab] ?\d{3} ?\d{3} ?\d{2}",
        valid=nir.is_valid,
        least=Evidence.NOTHING,
    ),
    NationalId(
        country="es",
        called="Spanish identity number (DNI or NIE)",
        pattern=re.compile(r"(?:[0-9]{8}|[XYZ]-?[0-9]{7})-?[A-Z](?!\w)"),
        sign=r"\d{7}-?[a-z]\b",
        valid=lambda text: dni.is_valid(text) or nie.is_valid(text),
    ),
    NationalId(
        country="it",
        called="Italian tax number (codice fiscale)",
        pattern=re.compile(
            r"[A-Z]{6}[0-9LMNPQRSTUV]{2}[ABCDEHLMPRST][0-9LMNPQRSTUV]{2}[A-Z]"
            r"[0-9LMNPQRSTUV]{3}[A-Z](?!\w)"
        ),
        sign=r"[a-z]{6}[0-9l-v]{2}[a-t][0-9l-v]{2}[a-z]",
        valid=codicefiscale.is_valid,
        least=Evidence.NOTHING,
    ),
    NationalId(
        country="br",
        called="Brazilian tax number (CPF)",
        pattern=re.compile(r"[0-9]{3}(?:\.[0-9]{3}\.[0-9]{3}-|[0-9]{6})[0-9]{2}(?![0-9])"),
        sign=r"\d{3}\.\d{3}\.\d{3}-\d{2}|\d{11}",
        valid=cpf.is_valid,
    ),
    NationalId(
        country="ca",
        called="Canadian social insurance number",
        pattern=re.compile(r"[0-9]{3}([ -]?)[0-9]{3}\1[0-9]{3}(?![0-9])"),
        sign=r"\d{3}[ -]?\d{3}[ -]?\d{3}",
        valid=lambda text: sin.is_valid(text) and _nine_digits_apart(text),
    ),
    NationalId(
        country="au",
        called="Australian tax file number",
        pattern=re.compile(r"[0-9]{3}( ?)[0-9]{3}\1[0-9]{2,3}(?![0-9])"),
        sign=r"\d{3} ?\d{3} ?\d{2}",
        valid=lambda text: tfn.is_valid(text) and _nine_digits_apart(text),
    ),
    NationalId(
        country="nl",
        called="Dutch citizen service number (BSN)",
        pattern=re.compile(r"[0-9]{4}(?:\.[0-9]{2}\.|[0-9]{2})[0-9]{3}(?![0-9])"),
        sign=r"\d{4}\.\d{2}\.\d{3}|\d{9}",
        valid=lambda text: bsn.is_valid(text) and _nine_digits_apart(text),
    ),
    NationalId(
        country="pl",
        called="Polish identity number (PESEL)",
        pattern=re.compile(r"[0-9]{11}(?![0-9])"),
        sign=r"\d{11}",
        valid=pesel.is_valid,
    ),
)
COUNTRIES = frozenset(each.country for each in NATIONAL_IDS)


def national_ids(countries: Iterable[str]) -> tuple[NationalId, ...]:
    """The numbers of `countries`, by their codes of ISO 3166 (`"de"`; without case).

    Raises:
        ValueError: a country whose number the engine does not know.
    """
    wanted = {country.lower() for country in countries}
    if unknown := wanted - COUNTRIES:
        raise ValueError(
            f"No national number is known of {', '.join(sorted(unknown))}; "
            f"there are those of {', '.join(sorted(COUNTRIES))}."
        )
    return tuple(each for each in NATIONAL_IDS if each.country in wanted)


def sign_of(number: NationalId) -> Sign:
    """The sign that calls for `find`."""
    return Sign(name=f"national.{number.country}", pattern=number.sign)


def find(reading: Reading, number: NationalId) -> None:
    """Report every such number of the country."""
    text = reading.text
    for match in number.pattern.finditer(text):
        start, end = match.span()
        if not isolated(text, start, end, in_path=True) or not reading.free(start, end):
            continue
        if not number.valid(_SEPARATORS.sub("", match[0]).upper()):
            continue
        evidence = reading.evidence(f"national.{number.country}", start, end)
        if evidence < number.least:
            continue
        named = evidence >= Evidence.NEAR
        reading.claim(
            start,
            end,
            kind=number.kind,
            rule=f"national.{number.country}",
            confidence=0.97 if named else 0.85,
            reason=f"A {number.called}: its check holds"
            + (" and the text names it." if named else "."),
        )
