"""The rules of personal data, for the reference page: one entry per kind and name reported."""

from __future__ import annotations

from policies.engine.pii.national import NATIONAL_IDS
from policies.engine.rules import Rule

_LUHN = "https://www.iso.org/standard/70484.html"
_SSA = "https://www.ssa.gov/employer/randomization.html"
_E164 = "https://www.itu.int/rec/T-REC-E.164"
_AADHAAR = "https://uidai.gov.in/en/my-aadhaar/about-your-aadhaar.html"

RULES: tuple[Rule, ...] = (
    Rule(
        kind="pii.ssn",
        name="ssn.grouped",
        finds="A US social security number written 3-2-4, in the ranges that are issued; with "
        "blanks or dots only where the text names it.",
        reference=_SSA,
    ),
    Rule(
        kind="pii.ssn",
        name="ssn.bare",
        finds="Nine digits that a key, a column or a word beside them calls a social security "
        "number.",
        reference=_SSA,
    ),
    Rule(
        kind="pii.ssn",
        name="ssn.itin",
        finds="A number that the US tax authority gives to those without a social security "
        "number, named as one.",
        reference="https://www.irs.gov/individuals/individual-taxpayer-identification-number",
    ),
    Rule(
        kind="pii.credit_card",
        name="card.grouped",
        finds="A payment card number in groups: its check digit holds and an issuer uses its "
        "range, or the text calls it a card.",
        reference=_LUHN,
    ),
    Rule(
        kind="pii.credit_card",
        name="card.bare",
        finds="A payment card number without separators: its check digit holds, an issuer uses "
        "its range, and no key says that it is something else.",
        reference=_LUHN,
    ),
    Rule(
        kind="pii.aadhaar",
        name="aadhaar.grouped",
        finds="An Aadhaar number in groups of four: its check digit holds.",
        reference=_AADHAAR,
    ),
    Rule(
        kind="pii.aadhaar",
        name="aadhaar.bare",
        finds="Twelve digits with the check digit of an Aadhaar number that the text names as one.",
        reference=_AADHAAR,
    ),
    Rule(
        kind="pii.pan",
        name="pan.shape",
        finds="An Indian permanent account number, by its letters and the kind of its holder; in "
        "lower case only where the text names it.",
        reference="https://incometaxindia.gov.in/pages/pan.aspx",
    ),
    Rule(
        kind="pii.email",
        name="email.address",
        finds="An email address of a person: not one of a machine, of a repository or of a "
        "remote host.",
        reference="https://www.rfc-editor.org/rfc/rfc5322",
    ),
    Rule(
        kind="pii.email",
        name="email.example",
        finds="An address in a domain kept for examples, beside other personal data or under an "
        "email key or column.",
        reference="https://www.rfc-editor.org/rfc/rfc2606",
    ),
    Rule(
        kind="pii.phone",
        name="phone.international",
        finds="A telephone number with its country code, allowed by that country's plan.",
        reference=_E164,
    ),
    Rule(
        kind="pii.phone",
        name="phone.american",
        finds="A telephone number as it is written in North America.",
        reference="https://www.nanpa.com/numbering",
    ),
    Rule(
        kind="pii.phone",
        name="phone.national",
        finds="A telephone number without country code, where a key, a column or a word calls it "
        "one.",
        reference=_E164,
    ),
    Rule(
        kind="pii.iban",
        name="iban.checked",
        finds="An international bank account number: the country's length and the checksum hold.",
        reference="https://www.swift.com/standards/data-standards/iban",
    ),
    Rule(
        kind="pii.passport",
        name="passport.named",
        finds="A passport number that the text names as one.",
    ),
    Rule(
        kind="pii.date_of_birth",
        name="birth.named",
        finds="A date that a key, a column or a word calls a date of birth.",
    ),
    Rule(
        kind="pii.ip",
        name="ip.four",
        finds="A public IPv4 address; private, reserved and well-known ones pass.",
        reference="https://www.iana.org/assignments/iana-ipv4-special-registry",
    ),
    Rule(
        kind="pii.ip",
        name="ip.six",
        finds="A public IPv6 address; private, reserved and well-known ones pass.",
        reference="https://www.iana.org/assignments/iana-ipv6-special-registry",
    ),
    Rule(
        kind="pii.mac_address",
        name="mac.named",
        finds="The hardware address of a device, where the text names it.",
        reference="https://standards.ieee.org/products-programs/regauth",
    ),
    Rule(
        kind="pii.name",
        name="name.registered",
        finds="The name of a person, by the finder that a deployment registered; off without one.",
    ),
    *(
        Rule(
            kind=number.kind,
            name=f"national.{number.country}",
            finds=f"A {number.called}; off unless the country is switched on.",
        )
        for number in NATIONAL_IDS
    ),
)
