"""The words by which texts, keys and columns say what a value is. The lists are our own."""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from functools import lru_cache

from policies.engine.pii.shapes import words

_TOPICS = {
    "ssn": "ssn s.s.n ssnno ssnnumber socialsecurity socialsecuritynumber",
    "itin": "itin tin taxpayer taxid",
    "aadhaar": (
        "aadhaar aadhar adhaar adhar aadhaarno aadharno aadhaarnumber aadharnumber uidai uid आधार"
    ),
    "pan": "pan panno pannumber pancard पैन",
    "passport": (
        "passport passports passportno passportnumber passeport reisepass reisepassnummer "
        "passnummer passnr pasaporte passaporto passaporte paspoort paszport pasaport паспорт "
        "паспорта पासपोर्ट"
    ),
    "iban": "iban bankaccount bankverbindung kontonummer rekening sepa",
    "card": (
        "card cc ccn ccnum ccnumber cardno cardnum cardnumber creditcard creditcardnumber "
        "debitcard visa mastercard amex maestro discover diners jcb rupay unionpay verve elo "
        "kreditkarte kreditkartennummer karte kartennummer tarjeta carte cartão cartao carta "
        "creditcardnummer карта карты कार्ड"
    ),
    "birth": (
        "dob birth birthday birthdate dateofbirth born d.o.b geburtsdatum geburtstag geboren geb "
        "bday naissance né née nacimiento nacido nacida nascimento nascita geboortedatum "
        "рождения जन्म जन्मतिथि"
    ),
    "email": "email mail emailaddress correo courriel ईमेल",
    "phone": (
        "phone telephone smartphone cellphone phoneno phonenumber telefon telefono teléfono "
        "telefone telefoon téléphone telephono tel tél telno telnr mobile mobil mobiel mob "
        "mobileno mobilenumber mobilnummer mobiltelefon cell cellular celular cellulare handy "
        "handynr móvil movil telemóvel portable fax faxno whatsapp sms msisdn landline hotline "
        "ph caller anrufer rufnummer contact contactno contactnumber call called calling ring bell "
        "dial reach text rückruf тел телефон телефона мобильный फ़ोन फोन मोबाइल 電話 电话 手机 "
        "携帯 전화"
    ),
    "ip": (
        "ip ipv4 ipv6 ipaddr ipaddress clientip remoteip sourceip srcip whois geoip geo lookup "
        "visitor"
    ),
    "mac": "mac macaddr macaddress hwaddr hwaddress bssid",
    "national.de": "steuerid steueridnr idnr steueridentifikationsnummer",
    "national.gb": "nino",
    "national.fr": "nir insee",
    "national.es": "dni nie",
    "national.it": "codicefiscale",
    "national.br": "cpf",
    "national.au": "tfn",
    "national.nl": "bsn burgerservicenummer",
    "national.pl": "pesel",
    "other": (
        "order invoice inv sku isbn isbn10 isbn13 issn ean upc gtin asin uuid guid sha sha1 sha256 "
        "sha512 md5 hash hashes digest checksum commit build version release rev ticket tracking "
        "part serial timestamp ts epoch pid port ref reference batch job trace span size bytes qty "
        "quantity price total amount lat lon lng latitude longitude coord coordinate regex pattern "
        "model item product case rma po seed nonce offset token last4 shipment transaction txn tx "
        "duration elapsed ms orderid invoiceid transactionid trackingnumber ordernumber plate "
        "imei iccid imsi vin bestellung bestellnummer auftrag auftragsnummer rechnung "
        "rechnungsnummer commande facture pedido factura ordine fattura page lot seq sequence "
        "block height shard barcode policy claim badge asset docket voucher coupon receipt pallet "
        "container meter flight locker firmware sensor frame"
    ),
    "id": "id pk key index idx row count line code",
}
# Languages that build compounds: `Telefonnummer`, `Handynummer`, `telefoonnummer`.
_STEMS = (
    ("telefonn", "phone"),
    ("telefoonn", "phone"),
    ("handyn", "phone"),
    ("rufnum", "phone"),
    ("rückruf", "phone"),
    ("kreditkart", "card"),
    ("reisepass", "passport"),
    ("geburts", "birth"),
    ("bestell", "other"),
    ("auftrags", "other"),
    ("rechnung", "other"),
)
_STEM_WORDS = tuple(stem for stem, _ in _STEMS)
_PHRASES = {
    "ssn": "social security,soc sec",
    "itin": "tax payer,tax id,tax identification",
    "pan": "permanent account,income tax,pan card",
    "iban": "bank account,bank acct",
    "passport": "pass nr,pass no",
    "aadhaar": "aadhaar card,aadhar card,adhaar card,uidai card",
    "card": "american express,master card,credit card,primary account,carte bancaire",
    "birth": "of birth,birth date,birth day,di nascita,nato il,nata il,जन्म तिथि",
    "email": "e mail",
    "phone": "phone no,tel no,contact no,mobile no,cell phone,mobile phone,wa me",
    "ip": "remote addr,client addr,source addr,src addr,peer addr,remote address,client address",
    "mac": "mac address,hardware address,physical address",
    "national.de": "steuer id,steuer identifikationsnummer,steuerliche identifikationsnummer",
    "national.gb": "national insurance,ni number,ni no",
    "national.fr": "sécurité sociale,sécu no",
    "national.it": "codice fiscale",
    "national.ca": "social insurance,sin number,sin no",
    "national.au": "tax file",
    "other": "last four,last 4,order id,model no,license plate,licence plate",
    "": "passport js,passport local,passport jwt,passport oauth,passport google,passport saml,"
    "phone model,text file,text field,call stack,call graph,call site,call id,call count,text size,"
    "dial timeout,ring buffer,ring size",
}
_WORD_TOPIC = {word: topic for topic, listed in _TOPICS.items() for word in listed.split()}
_PHRASE_TOPIC = {
    phrase: topic for topic, listed in _PHRASES.items() for phrase in listed.split(",")
}
_SECOND_WORDS = frozenset(phrase.partition(" ")[2] for phrase in _PHRASE_TOPIC)
_FIRST_WORDS = frozenset(phrase.partition(" ")[0] for phrase in _PHRASE_TOPIC)
# A key of this name holds a social security number; in prose the word says nothing.
_LABEL_WORD_TOPIC = {
    **_WORD_TOPIC,
    "social": "ssn",
    "ccno": "card",
    "sin": "national.ca",
    # In prose these stand in addresses, beside a telephone.
    **dict.fromkeys(
        words("unit room seat ext extension box zip zipcode postcode plz member"), "other"
    ),
}
# Verbs that speak for a phone number in a sentence, but are names of other things as keys.
_VERBS = words("call called calling ring bell dial reach text")
# `card_hash`, `phone_type`: about the value, whatever the rest of the name says.
_OVERRULING = words("hash hashed token digest last4 masked count type brand")
_MACHINE_NOUNS = words(
    "row line index idx count code account key request object node job task device event message "
    "thread cluster instance process transaction group project deployment"
)
_NO_ROWS = frozenset(["phone", "card", "email", "ip"])

_HUMP = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
# The marks of Devanagari belong to their letters, though `\w` has them not.
_MARKS = "\u0300-\u036f\u0900-\u0903\u093a-\u094f\u0951-\u0957"
_TOKEN = re.compile(
    rf"[^\W_](?:(?<=\D)(?:(?<=d)\.o\.b|(?<=s)\.s\.n|[^\W\d_]*+(?:[{_MARKS}]+[^\W\d_]*)*[0-9]*)"
    r"|(?<=4)(?<![0-9]4)(?![0-9]))"
)
# The same of ASCII, in a third of the time: what begins no token is passed by at once.
_ASCII_TOKEN = re.compile(
    r"[a-z4](?:(?<=[a-z])(?:(?<=d)\.o\.b|(?<=s)\.s\.n|[a-z]*+[0-9]*+)|(?<=4)(?<![0-9]4)(?![0-9]))"
)
_CELL_OF_A_SHEET = re.compile(r" [a-z]{1,2}[0-9]{1,5}\b")
_LONGEST_GAP = 2  # characters between the two words of a phrase

NOTHING: frozenset[str] = frozenset()
OTHER = frozenset(["other"])
ID = frozenset(["id"])


def _tokens(text: str) -> Iterator[re.Match[str]]:
    return (_ASCII_TOKEN if text.isascii() else _TOKEN).finditer(text)


def last_topic(text: str) -> tuple[str, int] | None:
    """The topic of the last telling word in `text` (lower case) and the word's end."""
    tokens = list(_tokens(text))
    at = len(tokens) - 1
    while at >= 0:
        token = tokens[at]
        word = token[0]
        if at and word in _SECOND_WORDS:
            phrase = _phrase(tokens[at - 1], token)
            if phrase is not None:
                if phrase:
                    return phrase, token.end()
                at -= 2
                continue
        if _word_topic(word) and (topic := _topic_of(token, text)):
            return topic, token.end()
        at -= 1
    return None


def first_topic(text: str) -> str:
    """The topic of the first telling word in `text` (lower case), or nothing."""
    previous = None
    for token in _tokens(text):
        word = token[0]
        if _word_topic(word) and (topic := _topic_of(token, text)):
            return topic
        if previous and word in _SECOND_WORDS and (topic := _phrase(previous, token) or ""):
            return topic
        previous = token
    return ""


class TopicIndex:
    """The telling words of a whole text, read once: for texts with many values to judge."""

    def __init__(self, text: str) -> None:
        """`text` is in lower case."""
        self._starts: list[int] = []
        self._ends: list[int] = []
        self._topics: list[str] = []
        previous: re.Match[str] | None = None
        for token in _tokens(text):
            word = token[0]
            if not _is_telling(word):
                previous = None
                continue
            start, topic = token.start(), ""
            if previous is not None and word in _SECOND_WORDS:
                phrase = _phrase(previous, token)
                if phrase is not None:
                    start, topic = previous.start(), phrase
                    if self._starts and self._starts[-1] == start:
                        self._forget_last()
            if not topic and _word_topic(word):
                topic = _topic_of(token, text)
            if topic:
                self._starts.append(start)
                self._ends.append(token.end())
                self._topics.append(topic)
            previous = token if word in _FIRST_WORDS else None

    def _forget_last(self) -> None:
        for entries in (self._starts, self._ends, self._topics):
            entries.pop()

    def last(self, start: int, end: int) -> tuple[str, int]:
        """The topic of the last telling word in `[start, end)`, and where it ends."""
        at = bisect_right(self._ends, end) - 1
        if at >= 0 and self._starts[at] >= start:
            return self._topics[at], self._ends[at]
        return "", 0

    def first(self, start: int, end: int) -> str:
        """The topic of the first telling word in `[start, end)`, or nothing."""
        at = bisect_left(self._starts, start)
        if at < len(self._starts) and self._ends[at] <= end:
            return self._topics[at]
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
    if topics == ID and any(token[0] in _MACHINE_NOUNS for token in tokens):
        return OTHER  # `row`, `key_id`: no person's number, as `user_id` or `id` may be
    if "id" in topics:
        topics -= _NO_ROWS  # `card_id` and `contact_id` number rows; `tax_id` a person.
    return frozenset(topics - {"other", "id"} or topics)


def _topic_of(token: re.Match[str], text: str) -> str:
    word = token[0]
    if word in _VERBS and text[token.end() : token.end() + 1] != " ":
        return ""
    if word == "cell" and _CELL_OF_A_SHEET.match(text, token.end()):
        return ""
    topic = _word_topic(word)
    return "" if topic == "id" else topic


def _look_up(word: str, topics: dict[str, str]) -> str:
    found = topics.get(word) or (topics.get(word[:-1], "") if word.endswith("s") else "")
    if found or not word.startswith(_STEM_WORDS):
        return found
    return next(topic for stem, topic in _STEMS if word.startswith(stem))


@lru_cache(maxsize=8_192)
def _is_telling(word: str) -> bool:
    return word in _SECOND_WORDS or word in _FIRST_WORDS or bool(_look_up(word, _WORD_TOPIC))


@lru_cache(maxsize=8_192)
def _word_topic(word: str) -> str:
    return _look_up(word, _WORD_TOPIC)


def _phrase(first: re.Match[str], second: re.Match[str]) -> str | None:
    if second.start() - first.end() > _LONGEST_GAP:
        return None
    return _PHRASE_TOPIC.get(f"{first[0]} {second[0]}")
