"""The words by which texts, keys and columns say what a value is. The lists are our own."""

from __future__ import annotations

import re
from functools import lru_cache

from policies.engine.pii.shapes import words

_TOPICS = {
    "ssn": "ssn ssnno ssnnumber socialsecurity socialsecuritynumber itin tin taxpayer taxid",
    "aadhaar": (
        "aadhaar aadhar adhaar adhar aadhaarno aadharno aadhaarnumber aadharnumber uidai uid"
    ),
    "pan": "pan panno pannumber pancard",
    "passport": "passport passeport reisepass reisepassnummer pasaporte passportno passportnumber",
    "iban": "iban bankaccount bankverbindung sepa",
    "card": (
        "card cc ccn ccnum ccnumber cardno cardnum cardnumber creditcard creditcardnumber "
        "debitcard visa mastercard amex maestro discover diners jcb rupay unionpay "
        "kreditkarte tarjeta"
    ),
    "birth": (
        "dob birth birthday birthdate dateofbirth born geburtsdatum geb naissance nacimiento d.o.b"
    ),
    "email": "email mail emailaddress",
    "phone": (
        "phone telephone smartphone cellphone phoneno phonenumber telefon telefono teléfono "
        "telefoon téléphone telephono tel telno mobile mobil mob mobileno mobilenumber cell "
        "cellular celular handy móvil movil fax faxno whatsapp sms msisdn landline hotline ph "
        "rufnummer contact contactno contactnumber call called calling ring dial reach text"
    ),
    "ip": "ip ipv4 ipv6 ipaddr ipaddress clientip remoteip sourceip srcip",
    "other": (
        "order invoice inv sku isbn isbn10 isbn13 issn ean upc gtin asin uuid guid sha sha1 sha256 "
        "sha512 md5 hash hashes digest checksum commit build version release rev ticket tracking "
        "part serial timestamp ts epoch pid port ref reference batch job trace span size bytes qty "
        "quantity price total amount lat lon lng latitude longitude coord coordinate regex pattern "
        "model item product case rma po seed nonce offset token last4 shipment transaction txn "
        "duration elapsed ms orderid invoiceid transactionid trackingnumber ordernumber"
    ),
    "id": "id pk key index idx row count line code",
}
_PHRASES = {
    "ssn": "social security,soc sec,tax payer,tax id,tax identification",
    "pan": "permanent account,income tax,pan card",
    "iban": "bank account,bank acct",
    "card": "american express,master card,credit card,primary account",
    "birth": "of birth,birth date,birth day",
    "email": "e mail",
    "phone": "phone no,tel no,contact no,mobile no,cell phone,mobile phone",
    "ip": "remote addr,client addr,source addr,src addr,peer addr,remote address,client address",
    "other": "last four,last 4,order id,model no",
    "": "passport js,passport local,passport jwt,passport oauth,passport google,passport saml,"
    "phone model,text file,text field",
}
_WORD_TOPIC = {word: topic for topic, listed in _TOPICS.items() for word in listed.split()}
_PHRASE_TOPIC = {
    phrase: topic for topic, listed in _PHRASES.items() for phrase in listed.split(",")
}
# A key of this name holds a social security number; in prose the word says nothing.
_LABEL_WORD_TOPIC = {**_WORD_TOPIC, "social": "ssn", "ccno": "card"}
# Verbs that speak for a phone number in a sentence, but are names of other things as keys.
_VERBS = words("call called calling ring dial reach text")
# `card_hash`, `phone_type`: about the value, whatever the rest of the name says.
_OVERRULING = words("hash hashed token digest last4 masked count type brand")
_NO_ROWS = frozenset(["phone", "card", "email", "ip"])

_HUMP = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
_TOKEN = re.compile(r"d\.o\.b|[^\W\d_]+[0-9]*|(?<![0-9])4(?![0-9])")
_LONGEST_GAP = 2  # characters between the two words of a phrase

NOTHING: frozenset[str] = frozenset()
OTHER = frozenset(["other"])
ID = frozenset(["id"])


def last_topic(text: str) -> tuple[str, int] | None:
    """The topic of the last telling word in `text` (lower case) and the word's end."""
    tokens = list(_TOKEN.finditer(text))
    at = len(tokens) - 1
    while at >= 0:
        token = tokens[at]
        phrase = _phrase(tokens[at - 1], token) if at else None
        if phrase is not None:
            if phrase:
                return phrase, token.end()
            at -= 2
            continue
        topic = _topic_of(token, text)
        if topic:
            return topic, token.end()
        at -= 1
    return None


def first_topic(text: str) -> str:
    """The topic of the first telling word in `text` (lower case), or nothing."""
    previous = None
    for token in _TOKEN.finditer(text):
        topic = _topic_of(token, text) or (previous and _phrase(previous, token))
        if topic:
            return topic
        previous = token
    return ""


@lru_cache(maxsize=4_096)
def label_topics(name: str) -> frozenset[str]:
    """What a key or a column called `name` says its values are; empty when it says nothing."""
    tokens = list(_TOKEN.finditer(_HUMP.sub("_", name).lower()))
    topics: set[str] = set()
    for at, token in enumerate(tokens):
        word = token[0]
        if word in _OVERRULING:
            return OTHER
        phrase = _phrase(tokens[at - 1], token) if at else None
        if phrase == "other":
            return OTHER
        topic = phrase or (_look_up(word, _LABEL_WORD_TOPIC) if word not in _VERBS else "")
        if topic:
            topics.add(topic)
    if "id" in topics:
        topics -= _NO_ROWS  # `card_id` and `contact_id` number rows; `tax_id` a person.
    return frozenset(topics - {"other", "id"} or topics)


def _topic_of(token: re.Match[str], text: str) -> str:
    word = token[0]
    if word in _VERBS and text[token.end() : token.end() + 1] != " ":
        return ""
    topic = _look_up(word, _WORD_TOPIC)
    return "" if topic == "id" else topic


def _look_up(word: str, topics: dict[str, str]) -> str:
    return topics.get(word) or (topics.get(word[:-1], "") if word.endswith("s") else "")


def _phrase(first: re.Match[str], second: re.Match[str]) -> str | None:
    if second.start() - first.end() > _LONGEST_GAP:
        return None
    return _PHRASE_TOPIC.get(f"{first[0]} {second[0]}")
