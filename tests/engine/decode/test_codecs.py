"""The pure helpers: what they decode, and that every character knows where it came from."""

import base64
import gzip
import json
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policies.engine.decode import octets
from policies.engine.decode.escapes import (
    entities,
    json_escapes,
    json_letters,
    percent,
    quoted_printable,
    resolved,
)
from policies.engine.decode.octets import (
    MAX_INFLATED,
    as_text,
    base64_text,
    from_base64,
    from_hex,
    hex_text,
    inflated,
)
from policies.engine.findings import View
from policies.engine.mapped import Mapped, Pieces

PRINTABLE = st.text(
    st.characters(exclude_categories=("Cs", "Cc")).filter(lambda c: c != "\ufffd"), min_size=1
)


def stretch(made: Mapped, text: str, found: str) -> str:
    at = made.text.index(found)
    return text[made.starts[at] : made.ends[at + len(found) - 1]]


def check(made: Mapped, length: int) -> None:
    assert len(made.starts) == len(made.ends) == len(made.text)
    starts, ends = list(made.starts), list(made.ends)
    assert starts == sorted(starts)
    assert ends == sorted(ends)
    assert all(0 <= start < end <= length for start, end in zip(starts, ends, strict=True))
    assert [made.starts[at] for at in range(len(starts))] == starts


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("a%20b%27", "a b'"),
        ("%D0%BC%e3%81%82", "мあ"),
        ("x%C0", "xÀ"),
        ("%c1%27", "Á'"),
        ("%ff%27", "ÿ'"),
        ("%u0027%U00E9%ud800", "'é%ud800"),
        ("100% of %zz %4", "100% of %zz %4"),
        ("%2541", "%41"),
        ("%C0%A7 %c1%81 %00%27", "' A '"),
        ("%e9t%C3%A9 %f0%9f%98%80", "été 😀"),
    ],
)
def test_percent_signs(text, plain):
    assert percent(text).text == plain


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("&#39;&#x27;&#x27&quot;&amp;lt;", "'''\"&lt;"),
        ("&copy; &nosuch; &lt &#0; &#xD800;", "© &nosuch; &lt &#0; &#xD800;"),
        ("&#0000000039;&#x0000027;", "''"),
        ("AT&T; R&D", "AT&T; R&D"),
    ],
)
def test_entities(text, plain):
    assert entities(text).text == plain


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        (r"a\n\t\"\\u0041 A \ud83d\ude00 \ud800 \x", 'a\n\t"\\u0041 A 😀 \\ud800 \\x'),
        ("end\\", "end\\"),
    ],
)
def test_escapes_of_json(text, plain):
    assert json_escapes(text).text == plain


def test_letters_of_json_leave_json():
    text = r'{"a": "\u0072m \u0022 \\u0041 \u000a"}'

    made = json_letters(text).text

    assert json.loads(made) == json.loads(text)
    assert "rm" in made


@pytest.mark.parametrize("text", [r"[\u", r'{"\u0068\u', r"\ud800 \u004", "\\", r"\ud83d\ude00"])
def test_letters_of_what_is_no_json(text):
    check(json_letters(text), len(text))


def test_mail():
    assert quoted_printable("a=3D1 =\r\nb=\nc =zz").text == "a=1 bc =zz"


@given(st.binary(min_size=2, max_size=60), st.integers(0, 3))
def test_base64_comes_back_however_it_is_written(data: bytes, style: int):
    encode = base64.b64encode if style % 2 else base64.urlsafe_b64encode
    text = encode(data).decode()
    if style > 1:
        text = "\n".join(text[at : at + 10] for at in range(0, len(text), 10)).rstrip("=")

    made = from_base64(text)

    assert made is not None
    assert made.data == data
    for at, (start, end) in enumerate(zip(made.starts, made.ends, strict=True)):
        group = "".join(text[start:end].split()).rstrip("=")
        assert data[at] in base64.urlsafe_b64decode(
            group.translate(str.maketrans("+/", "-_")) + "=" * (-len(group) % 4)
        )


@pytest.mark.parametrize("text", ["", "=", "A", "QUJDR", "a b!", "é" * 8, "A" * 300_000])
def test_what_is_no_base64(text):
    assert from_base64(text) is None


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("48656c6c6f", "Hello"),
        ("48 65:6c,6c 6F", "Hello"),
        (r"\x48\x65\x6c\x6c\x6f", "Hello"),
        ("0x48 0x65", "He"),
        ("d0bc", "м"),
    ],
)
def test_hex(text, plain):
    made = hex_text(text)

    assert made is not None
    assert made.text == plain
    check(made, len(text))


@pytest.mark.parametrize("text", ["", "4", "zz", "486", "48-65"])
def test_what_is_no_hex(text):
    assert from_hex(text) is None


@pytest.mark.parametrize("pack", [gzip.compress, zlib.compress])
def test_compressed_text_is_placed_on_the_whole(pack):
    text = base64.b64encode(pack(b"rm -rf /srv")).decode()

    made = base64_text(text)

    assert made is not None
    assert made.text == "rm -rf /srv"
    assert stretch(made, text, "rm") == text


def test_a_bomb_is_not_inflated():
    packed = from_base64(base64.b64encode(gzip.compress(b"a" * (MAX_INFLATED + 1))).decode())

    assert packed is not None
    assert inflated(packed) is None


def test_wide_text_is_read():
    text = base64.b64encode("rm é 😀".encode("utf-16-le")).decode()

    made = base64_text(text)

    assert made is not None
    assert made.text == "rm é 😀"
    check(made, len(text))


@pytest.mark.parametrize("data", [b"", b"\x00\x01\x02", b"\xff\xfe\xfd", bytes(range(256))])
def test_bytes_that_are_no_text(data):
    places = range(len(data))
    made = octets.Octets(data=data, starts=places, ends=range(1, len(data) + 1))

    assert as_text(made) is None


@given(PRINTABLE)
def test_every_character_of_a_decoded_text_has_its_place(text: str):
    encoded = base64.b64encode(text.encode()).decode()
    made = base64_text(encoded)
    if made is not None:  # two bytes with a zero are read as wide text
        check(made, len(encoded))


@given(st.text(alphabet='ab%27u0&#39;x;\\"=\nDé', max_size=80))
def test_escapes_map_any_text(text: str):
    made = resolved(text, ("url", "html", "json", "mail"))

    check(made, len(text))


def test_a_view_of_a_view_is_placed_in_the_original():
    outer = View(text="x %2541%2542 y", offset=100, language="text")

    inner = outer.derived(percent(outer.text), language="text", layer="url")
    innermost = inner.derived(percent(inner.text[2:]), language="text", layer="url", start=2)

    assert innermost.text == "AB y"
    assert innermost.place(0, 1) == (102, 107)
    assert innermost.place(1, 2) == (107, 112)
    assert innermost.place(0, 4) == (102, 114)
    assert innermost.part(1, 2, language="text", layer="z").place(0, 1) == (107, 112)
    assert innermost.part(1, 2, language="text", layer="z").layer == "url > url > z"


def test_what_was_dropped_between_two_characters_belongs_to_neither():
    pieces = Pieces()
    pieces.copy("a--b", 0, 1)
    pieces.copy("a--b", 3, 4)
    view = View(text="a--b", offset=0, language="text")

    made = view.derived(pieces.made(), language="text", layer="x")

    assert made.place(0, 1) == (0, 1)
    assert made.place(1, 2) == (3, 4)
    assert made.place(0, 2) == (0, 4)
