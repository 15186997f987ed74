"""The body of an API call: read once, bounded, strictly JSON, whatever it calls itself.

`curl -d` sends JSON as a form, and the integration guide uses it so; the content type is
therefore no obstacle as long as the body is JSON.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from typing import Any

import orjson
from django.conf import settings
from django.http import HttpRequest
from rest_framework.request import Request

from axonportal.common.errors import (
    Invalid,
    LengthMissing,
    NotJson,
    TooLarge,
    UnsupportedMediaType,
)

MAX_NESTING = 100  # objects and lists inside each other
_FORM = "application/x-www-form-urlencoded"
# What the quick reader leaves to the thorough one: escapes that could stand for a colon, and
# integers that may pass 64 bits.
_THOROUGH = re.compile(rb"\\u|[0-9]{19}")


def read_object(request: HttpRequest | Request) -> dict[str, Any]:
    """The JSON object in the body.

    Lone surrogates (JavaScript may send them) become U+FFFD: they can neither be stored nor
    encoded, and nothing that matters can hide behind them then.

    Raises:
        LengthMissing, TooLarge, UnsupportedMediaType, NotJson, Invalid: with what would be right.
    """
    value = read_json(request)
    if not isinstance(value, dict):
        raise Invalid(
            f"The body is a JSON {_kind(value)}; it must be an object, for example "
            '{"client_id": "claude-code", "query": "ls"}.'
        )
    return value


def read_json(request: HttpRequest | Request) -> Any:
    """The JSON value in the body; see `read_object`."""
    most = settings.AXON_MAX_BODY_BYTES
    if "HTTP_TRANSFER_ENCODING" in request.META and not request.META.get("CONTENT_LENGTH"):
        # The server's interface (WSGI) hands over bodies of a known length only.
        raise LengthMissing("Chunked bodies are not read; send the body with a Content-Length.")
    length = request.META.get("CONTENT_LENGTH") or "0"
    if length.isdigit() and int(length) > most:
        raise TooLarge(f"The body has {length} bytes; at most {most} are read.")
    data = request.read(most + 1)
    if len(data) > most:
        raise TooLarge(f"The body has more than {most} bytes, which is the most that is read.")
    if request.META.get("HTTP_CONTENT_ENCODING", "identity") not in {"identity", ""}:
        raise UnsupportedMediaType("Compressed bodies are not read; send plain JSON.")
    if (request.content_type or "").startswith("multipart/"):
        raise UnsupportedMediaType("Send a JSON body (Content-Type: application/json).")
    return decode(data, form=request.content_type == _FORM)


def decode(data: bytes, *, form: bool = False) -> Any:
    """Decode strict JSON: UTF-8, no duplicate keys, no NaN, bounded nesting."""
    if not data.strip():
        raise NotJson("The body is empty; send a JSON object.")
    brackets = data.count(b"[") + data.count(b"{")
    if brackets <= MAX_NESTING and not _THOROUGH.search(data):
        try:
            value = orjson.loads(data)
        except orjson.JSONDecodeError:
            pass  # the thorough reader says what is wrong
        else:
            # Each member has one colon outside of the texts. A key that occurs twice is one
            # member less in the value, so its colon is left over.
            if _colons(value) == data.count(b":"):
                return value
    return _thorough(data, brackets, form=form)


def _colons(value: Any) -> int:
    """How many colons the JSON of `value` has."""
    if isinstance(value, str):
        return value.count(":")
    if isinstance(value, dict):
        return sum(1 + key.count(":") + _colons(item) for key, item in value.items())
    if isinstance(value, list):
        return sum(map(_colons, value))
    return 0


def _thorough(data: bytes, brackets: int, *, form: bool) -> Any:
    """As `decode`, in several times the time; knows what is wrong."""
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise NotJson(f"The body is not UTF-8 at byte {error.start}.") from None
    if brackets > MAX_NESTING and _nesting(text) > MAX_NESTING:
        raise Invalid(f"The JSON is nested deeper than {MAX_NESTING} levels.")
    try:
        value = json.loads(text, object_pairs_hook=_unique, parse_constant=_no_constant)
    except json.JSONDecodeError as error:
        hint = " The content type says form data; send JSON." if form else ""
        raise NotJson(
            f"Not JSON: {error.msg} at line {error.lineno}, column {error.colno}.{hint}"
        ) from None
    except ValueError:  # Python reads integers of at most 4,300 digits
        raise Invalid("A number in the body is too long.") from None
    return _without_surrogates(value) if "\\u" in text or "\\U" in text else value


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result = dict(pairs)
    if len(result) != len(pairs):
        counts = Counter(key for key, _ in pairs)
        twice = next(key for key, count in counts.items() if count > 1)
        raise Invalid(
            f"The key {twice!r} occurs twice in one object; which of the two counts would "
            "depend on the reader. Send it once."
        )
    return result


def _no_constant(name: str) -> Any:
    raise Invalid(f"{name} is not JSON; send a number or null.")


def _nesting(text: str) -> int:
    """The deepest nesting, brackets in strings left out; linear."""
    depth = deepest = 0
    in_string = escaped = False
    for char in text:
        if in_string:
            if escaped:
                escaped = False
            elif char == "\\":
                escaped = True
            elif char == '"':
                in_string = False
        elif char == '"':
            in_string = True
        elif char in "[{":
            depth += 1
            deepest = max(deepest, depth)
            if deepest > MAX_NESTING:
                return deepest
        elif char in "]}":
            depth -= 1
    return deepest


def _without_surrogates(value: Any) -> Any:
    if isinstance(value, str):
        if value.isascii():
            return value
        return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    if isinstance(value, list):
        return [_without_surrogates(item) for item in value]
    if isinstance(value, dict):
        return {_without_surrogates(key): _without_surrogates(item) for key, item in value.items()}
    return value


def _kind(value: Any) -> str:
    if value is None:
        return "null"
    names = {bool: "boolean", int: "number", float: "number", str: "string", list: "list"}
    return names.get(type(value), "value")
