"""What a name says about the value it is given: a password, a key or token, or nothing secret."""

from __future__ import annotations

import re
from collections.abc import Iterator
from enum import Enum, auto
from functools import lru_cache

from policies.engine.pii.shapes import words

MAX_NAME = 64  # characters of a name on either side of the word that makes it interesting

# Each is looked for by itself: `str.find` passes 20 KB in a few µs, an alternation takes 1.5 ms.
_STEMS = (
    *(
        "pass",
        "pwd",
        "secret",
        "token",
        "key",
        "credential",
        "_auth",
        "-auth",
        "psk",
        "masterauth",
        "pw",
    ),
    *("kennwort", "contrase", "senha", "haslo", "wachtwoord", "parola", "heslo", "jelsz"),
)
_FOREIGN_STEMS = (
    *("пароль", "Пароль", "hasło", "Hasło", "lösen", "密码", "密碼", "パスワード"),
    *("비밀번호", "पासवर्ड"),
)
_NAME_BACKWARDS = re.compile(r"[\w.\-]*")
_NAME = re.compile(r"[\w.\-]*")
_HUMP = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
_SPLIT = re.compile(r"[\W_]+")
_MARKS = re.compile(r"[\u0300-\u036f\u0900-\u0903\u093a-\u094f]")
_PASSWORD_NAME = re.compile(
    r"passw|passphrase|passcode|pwd|requirepass|masterauth|rediscli_auth|(?:^|_)(?:pw|psk)(?:$|_)"
    r"|(?:^|_)(?!by|com|encom|tres|sur|over|under)[a-z]{0,12}pass(?:$|_)|(?:root|bind|user|db|my)pw$"
    r"|passwort|kennwort|contrase|senha|has[lł]o|wachtwoord|parola|heslo|jelsz|lösenord"
    r"|(?:^|_)passe$|motdepasse|пароль|密码|密碼|パスワード|비밀번호|प[ा]?सवर्ड|पसवरड"
)
# Names that end so hold something about the secret, not the secret.
_ABOUT = words(
    "url uri path file filename dir name names type types kind id ids hash hashed count limit ttl "
    "expiry expires expiration expire exp length len size ref reference arn regex pattern field "
    "fields header headers prefix suffix env var variable label placeholder hint error errors "
    "message messages policy policies status selector class title prompt reset change changed "
    "forgot min max required valid validator enabled disabled version format algorithm alg store "
    "manager service provider endpoint usage budget price cost used index position stdin input "
    "output rotation age strength confirmation rule rules attempts mapping cache scope scopes "
    "issuer audience lifetime timeout interval days seconds minutes description help docs testid "
    "fd source backend alias hashers hasher digest"
)
# And names with these words are public, or measure something else.
_HARMLESS = words(
    "public pub publishable csrf xsrf csrfmiddlewaretoken sha sha1 sha256 md5 checksum digest "
    "fingerprint max num next page continuation cursor sync resume idempotency tokenizer tokenize "
    "special bos eos pad sep mask unk completion total design css cached nexttoken pagetoken"
)
_KEY_WORDS = ("apikey", "accesskey", "secretkey", "authkey", "accountkey", "privatekey")
# What makes a `key` a secret one; of the weaker half only where the value is plainly random.
_SECRET_KEYS = words(
    "api access account auth private signing encryption encrypt master shared service webhook "
    "session license licence secret admin subscription hmac aes fernet crypto cipher apim sas"
)
_WEAK_KEYS = words(
    "app application client server storage function functions write deploy deployment live prod "
    "production integration project ingest ingestion consumer merchant developer security rest "
    "management instrumentation org organization team user webhooks bot dd datadog algolia "
    "sendgrid mailgun mailchimp mandrill postmark newrelic cloudflare cf openai anthropic azure "
    "gcp google maps firebase gitlab sentry honeycomb segment mixpanel amplitude rollbar bugsnag "
    "pagerduty opsgenie launchdarkly stripe twilio plaid square braintree adyen razorpay hubspot "
    "intercom linear notion airtable pinecone cohere mistral groq deepseek replicate elevenlabs "
    "deepgram tavily serper serpapi exa wandb langsmith etherscan infura alchemy openweather"
)
# Issuers whose tokens are UUIDs.
_UUID_ISSUERS = words("heroku snyk postmark pushover uptimerobot")


class Says(Enum):
    """What a name says of its value."""

    NOTHING = auto()
    PASSWORD = auto()
    TOKEN = auto()
    WEAK_TOKEN = auto()  # a key of some kind: secret if its value is plainly random
    UUID_TOKEN = auto()  # a token whose issuer uses UUIDs


def places(text: str, lower: str) -> list[int]:
    """Where in `text` a stem of an interesting name begins, in order; `lower` is its twin."""
    found: list[int] = []
    for stem in _STEMS:
        found += _occurrences(lower, stem)
    if not text.isascii():
        for stem in _FOREIGN_STEMS:
            found += _occurrences(text, stem)
    found.sort()
    return found


def _occurrences(text: str, stem: str) -> Iterator[int]:
    at = text.find(stem)
    while at >= 0:
        yield at
        at = text.find(stem, at + len(stem))


def name_at(text: str, place: int) -> tuple[int, int]:
    """Start and end of the name around `place`, at most `MAX_NAME` characters to either side."""
    before = _NAME_BACKWARDS.match(text[max(0, place - MAX_NAME) : place][::-1])
    after = _NAME.match(text, place, place + MAX_NAME)
    start, end = place - (before.end() if before else 0), after.end() if after else place
    if text.startswith(("key", "Key", "KEY"), start) and end - start == len("key"):
        said = text[max(0, start - len("api ")) : start].lower()
        if said in ("api ", "ess ", "ret "):  # `API key`, `access key`, `secret key`
            start -= len("api ")
    return start, end


@lru_cache(maxsize=8_192)
def meaning(name: str) -> Says:
    """What `name` says of the value it is given."""
    parts = [part for part in _SPLIT.split(_HUMP.sub("_", _MARKS.sub("", name)).lower()) if part]
    if not parts or parts[-1] in _ABOUT or not _HARMLESS.isdisjoint(parts):
        return Says.NOTHING
    joined = "_".join(parts)
    if _PASSWORD_NAME.search(joined):
        return Says.PASSWORD
    if not _UUID_ISSUERS.isdisjoint(parts):
        return Says.UUID_TOKEN
    if any(word in joined for word in ("secret", "token", "credential", *_KEY_WORDS)):
        return Says.TOKEN
    if joined.endswith("_auth") or joined == "auth":
        return Says.TOKEN
    if "key" in parts or joined.endswith("key"):
        if joined.startswith(("api_key", "ess_key", "ret_key")) or not _SECRET_KEYS.isdisjoint(
            parts
        ):
            return Says.TOKEN
        if not _WEAK_KEYS.isdisjoint(parts):
            return Says.WEAK_TOKEN
    return Says.NOTHING
