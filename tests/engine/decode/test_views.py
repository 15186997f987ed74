"""What is encoded or disguised is found where it stands; ordinary writing passes."""

import base64
import gzip
import json
from urllib.parse import quote

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from policies.engine.analysis import analyse
from policies.engine.decode import BUDGET_FACTOR, BUDGET_FREE, MAX_LAYERS
from policies.engine.decode.samples import HITS, MISSES, PERSON, SSN
from policies.engine.operation import Language, Operation, Part
from policies.engine.redaction import redact


def examine(text: str, language: Language = Language.TEXT):
    return analyse(Operation(text=text, parts=(Part(start=0, end=len(text), language=language),)))


@pytest.mark.parametrize("sample", HITS, ids=lambda sample: sample.name)
def test_what_is_hidden_is_found_at_its_place(sample):
    analysis = examine(sample.text, sample.language)

    found = [
        f for f in analysis.findings if f.kind == sample.kind and sample.layer in (f.layer, None)
    ]
    assert found, [(f.kind, f.layer) for f in analysis.findings]
    assert any(sample.covers in sample.text[f.start : f.end] for f in found) or any(
        sample.text[f.start : f.end] in sample.covers for f in found if sample.covers == sample.text
    )
    facts = {name: tuple(v) for name, v in analysis.facts.items() if name.startswith("text.")}
    assert facts == dict(sample.facts)


@pytest.mark.parametrize("sample", MISSES, ids=lambda sample: sample.name)
def test_ordinary_writing_and_harmless_encodings_pass(sample):
    analysis = examine(sample.text, sample.language)

    assert not analysis.findings
    assert not [name for name in analysis.facts if name.startswith("text.")]
    assert not analysis.truncated


@pytest.mark.parametrize(
    "written",
    ["data:text/plain;base64,{}", "b64decode('{}')", "note {}", "Basic {}", "a: {}\nkind: Secret"],
)
@pytest.mark.parametrize("before", [0, 1, 2, 30])
def test_what_is_encoded_goes_as_a_whole_if_anything_in_it_does(written, before):
    encoded = base64.b64encode(("." * before + PERSON + " and on" * 9).encode()).decode()
    text = f"{written.format(encoded)} end"

    redacted = redact(text, examine(text).findings).text

    assert redacted == f"{written.format('[SSN]')} end"


def test_what_is_encoded_in_what_is_encoded_goes_with_the_outermost_run():
    inner = quote(base64.b64encode(PERSON.encode()).decode())
    outer = base64.b64encode(f"q={inner} and more".encode()).decode()

    (found,) = examine(f"note {outer} end").findings

    assert (found.start, found.end) == (5, 5 + len(outer))


def test_an_attack_in_base64_is_marked_where_it_stands():
    encoded = base64.b64encode(b"cd /home/kim/notes; rm -rf /srv/data").decode()

    (found,) = examine(encoded, Language.AUTO).findings

    assert (found.kind, found.start) == ("shell.dangerous", 24)


def test_the_same_value_in_two_runs_is_found_in_both():
    encoded = base64.b64encode(f"{PERSON}\n".encode() * 4).decode()
    text = f"data:;base64,{encoded}\n and again data:;base64,{encoded}\n"

    starts = [f.start for f in examine(text).findings if f.kind == "pii.ssn"]

    assert starts == [13, text.rindex(encoded)]


def test_a_picture_or_a_digest_is_no_text():
    data = bytes(range(256)) * 40
    encoded = base64.b64encode(data).decode()
    text = f"a {encoded} b sha512-{encoded[:88]} {PERSON}"

    analysis = examine(text)

    assert [f.layer for f in analysis.findings] == [""]
    assert not analysis.truncated


def test_what_stands_plainly_is_marked_there_and_once():
    text = f"curl 'https://x.test/?a=1%202' # her SSN is {SSN}."

    found = [f for f in examine(text).findings if f.kind == "pii.ssn"]

    assert [(text[f.start : f.end], f.layer) for f in found] == [(SSN, "")]


def test_layers_past_the_limit_are_said_to_be_cut_off():
    text = "her SSN is %35%33%36-22-8726."
    for _ in range(MAX_LAYERS + 2):
        text = quote(text, safe="")

    analysis = examine(text)

    assert analysis.truncated
    assert analysis.facts["analysis"] == ("truncated",)


def test_decoded_text_past_the_budget_is_said_to_be_cut_off():
    filler = "lorem ipsum " * 40
    bomb = base64.b64encode(gzip.compress((PERSON + filler * 400).encode())).decode()
    text = "\n".join(f"x{n} = b64decode('{bomb}')" for n in range(3))
    assert 3 * len(filler) * 400 > BUDGET_FACTOR * len(text) + BUDGET_FREE

    assert examine(text).truncated


ENCODERS = {
    "url": lambda text: "".join(f"%{octet:02x}" for octet in text.encode()),
    "html": lambda text: "".join(f"&#{ord(c)};" for c in text),
    "json": lambda text: "".join(f"\\u{ord(c):04x}" for c in text),
    "data url": lambda text: "data:text/plain;base64," + base64.b64encode(text.encode()).decode(),
    "base64": lambda text: f"b64decode('{base64.b64encode(text.encode()).decode()}')",
    "hex": lambda text: f"fromhex('{text.encode().hex()}')",
    "unicode": lambda text: "\u200b".join(text),
}


@settings(max_examples=150, deadline=None)
@given(
    chain=st.lists(st.sampled_from(sorted(ENCODERS)), min_size=1, max_size=3),
    before=st.text(alphabet="abc ,é\n", max_size=9),
)
def test_any_chain_of_encodings_is_found_and_redacted(chain: list[str], before: str):
    text = PERSON
    for name in chain:
        text = f"{before} {ENCODERS[name](text)} "

    analysis = examine(text)

    found = [f for f in analysis.findings if f.kind == "pii.ssn"]
    assert found
    layers = " > ".join(reversed(chain))
    while "unicode > unicode" in layers:  # one pass sees through both
        layers = layers.replace("unicode > unicode", "unicode")
    assert found[0].layer == layers
    assert not [f for f in examine(redact(text, found).text).findings if f.kind == "pii.ssn"]


@settings(max_examples=150, deadline=None)
@given(
    chain=st.lists(st.sampled_from(sorted(ENCODERS)), max_size=3),
    nested=st.booleans(),
    language=st.sampled_from([Language.AUTO, Language.TEXT]),
)
def test_json_stays_json_without_what_was_encoded_in_it(chain, nested, language):
    value = f"note: {PERSON} ok"
    for name in chain:
        value = ENCODERS[name](value)
    text = json.dumps({"a": 1, "note": value, "b": ["x"]})
    if nested:
        text = json.dumps({"arguments": text})

    redacted = redact(text, examine(text, language).findings).text

    json.loads(redacted)
    assert redacted != text
    assert not [f for f in examine(redacted, language).findings if f.kind == "pii.ssn"]
