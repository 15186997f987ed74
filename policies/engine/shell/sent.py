"""What a client of HTTP sends: URLs, bodies, headers and cookies, whose values may be attacks."""

from __future__ import annotations

import re
from collections.abc import Iterator

from policies.engine.findings import View
from policies.engine.shell.call import Call
from policies.engine.shell.inputs import given
from policies.engine.shell.model import Word
from policies.engine.shell.reader import Reader
from policies.engine.shell.views import joined

SENT = "request"  # in the names of the layers of what is sent
_BODY = frozenset(
    [
        "-d",
        "--data",
        "--data-raw",
        "--data-urlencode",
        "--data-binary",
        "--data-ascii",
        "-F",
        "--form",
        "--form-string",
        "--post-data",
        "--body-data",
        "--url-query",
        "--json",
        "--raw",
        "-b",
        "--cookie",
    ]
)
_PLAIN_VALUES = frozenset(["-A", "--user-agent", "-e", "--referer"])
MAX_COOKIES = 50  # of one header
_HEADERS = frozenset(["-H", "--header"])
_NO_VALUES = frozenset(
    [
        "-o",
        "-u",
        "-X",
        "-w",
        "-x",
        "-m",
        "-T",
        "-E",
        "-K",
        "--output",
        "--user",
        "--request",
        "--write-out",
    ]
)
_HEADER = re.compile(r"[\w-]{1,60}\s*:\s*")
_ITEM = re.compile(
    r"[\w.\[\]-]{1,80}(?::?=|==)(?!=)"
)  # of httpie: name=value, name:=json, name==value
_PATH_VALUE = re.compile(r"https?://[^/?#\s]+/[^?#]*(?:'|%27|%22|\")[^?#]*\Z", re.IGNORECASE)


def values(view: View, call: Call, reader: Reader | None) -> Iterator[View]:
    """The texts that are sent, each as a view in the language its place calls for."""
    httpie = call.name in ("http", "https", "xh", "httpie", "curlie")
    before = ""
    for word in call.words[1:]:
        option, text = before, word.text
        before = text if text.startswith("-") else ""
        if option in _NO_VALUES:
            continue
        if text.startswith("--") and "=" in text:
            option, _, value = text.partition("=")
            if option in _BODY or option in _PLAIN_VALUES:
                whole = joined(view, [word], "url", "request")
                language = _language(value, option)
                yield whole.part(len(option) + 1, len(text), language=language, layer=option)
        elif option in ("-b", "--cookie"):
            yield from _cookies(view, word)
        elif option in _BODY and text in ("@-", "-"):
            if (data := given(view, call, reader, "url")) is not None:
                yield data
        elif option in _BODY:
            yield joined(view, [word], _language(text, option), "request body")
        elif option in _PLAIN_VALUES:
            yield joined(view, [word], "value", "request header")
        elif option in _HEADERS:
            yield from _header(view, word)
        else:
            yield from _argument(view, word, httpie=httpie)


def _argument(view: View, word: Word, *, httpie: bool) -> Iterator[View]:
    """What is no value of an option: an address, a body, an item of httpie."""
    text = word.text
    if text.startswith(("{", "[")):
        yield joined(view, [word], "auto", "request body")
    elif "?" in text and "=" in text:
        yield joined(view, [word], "url", "request")
    elif httpie and (item := _ITEM.match(text)):
        whole = joined(view, [word], "value", "request")
        yield whole.part(item.end(), len(text), language="value", layer="item")
    elif _PATH_VALUE.match(text):
        whole = joined(view, [word], "value", "request path")
        yield whole.part(text.rfind("/") + 1, len(text), language="value", layer="path")


def _language(text: str, option: str) -> str:
    if text.lstrip().startswith(("{", "[")):
        return "auto"
    return "url" if "=" in text else "value"


def _header(view: View, word: Word) -> Iterator[View]:
    """The value of a header; those that sign in or name a type are none to look into."""
    name = _HEADER.match(word.text)
    if name is None or re.match(
        r"(?i)authorization|accept|content-|host|x-api-key|private-token|x-csrf", word.text
    ):
        return
    whole = joined(view, [word], "value", "request header")
    if re.match(r"(?i)cookie", word.text):
        yield from _cookies(view, word, name.end())
    else:
        yield whole.part(name.end(), len(word.text), language="value", layer="header")


_COOKIE = re.compile(r"[^;=]{1,100}=([^;]*(?:;(?![^;=]{1,100}=)[^;]*)*)")


def _cookies(view: View, word: Word, start: int = 0) -> Iterator[View]:
    """The values of cookies; a semicolon that no name follows belongs to the value."""
    whole = joined(view, [word], "value", "cookie")
    for count, found in enumerate(_COOKIE.finditer(word.text, start)):
        if count >= MAX_COOKIES:
            return
        if found.end(1) - found.start(1) > 3:
            yield whole.part(*found.span(1), language="value", layer="cookie")
