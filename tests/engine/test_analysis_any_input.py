"""No input makes the analysis fail, and no answer leaves the text it is about."""

import importlib
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from policies.engine import conditions
from policies.engine.analysis import Analysis, analyse
from policies.engine.decode.samples import HITS, MISSES
from policies.engine.operation import Language, Operation, Part
from policies.engine.redaction_rounds import redact_operation, redact_parts
from tests.fuzz_engine import Maker, fault, samples

PIECES = [
    *"aZ0'\"`\\(){}[]<>|&;$#%@=:,.*?!~^-_/ \n\t\r\x00\u200b\u202eЯ的😀\u0301\udcff",
    "rm -rf /srv ",
    "$(",
    "<<A\n",
    "%27",
    "%2527",
    "&#39;",
    "\\u0027",
    '{"command":"',
    '{"a":"{\\"b\\":',
    "' or '1'='1",
    "union select ",
    "drop table t;",
    "/*",
    "--",
    "data:;base64,",
    "kind: Secret\n  a: YWJj\n",
    "b64decode('YWJj')",
    "Basic YTpi ",
    "536-22-8726 ",
    "password=hX7kq2vb ",
    "\U000e0072\U000e006d",
    "ｒｍ",
    "рm",
    "=3D",
    "quoted-printable",
]
TEXTS = (
    st.lists(st.sampled_from(PIECES), max_size=40).map("".join)
    | st.text(max_size=120)
    | st.binary(max_size=120).map(lambda data: data.decode("latin-1"))
    | st.binary(max_size=120).map(lambda data: data.decode("utf-8", "surrogateescape"))
)


@st.composite
def operations(draw: st.DrawFn) -> Operation:
    text = draw(TEXTS)
    cuts = sorted(draw(st.lists(st.integers(0, len(text)), max_size=3)))
    edges = [0, *cuts, len(text)]
    parts = tuple(
        Part(start=start, end=end, language=draw(st.sampled_from(Language)), path=("input", number))
        for number, (start, end) in enumerate(pairwise(edges))
    )
    return Operation(text=text, tool="Bash", parts=parts)


def check(operation: Operation, analysis: Analysis) -> None:
    for found in analysis.findings:
        assert 0 <= found.start <= found.end <= len(operation.text)
        assert 0 < found.confidence <= 1
    places = [(found.start, found.end) for found in analysis.findings]
    assert places == sorted(places)
    assert set(analysis.facts) <= set(conditions.FACTS)
    assert analysis.truncated == ("truncated" in analysis.facts.get("analysis", ()))


@settings(max_examples=400, deadline=None)
@given(operations())
def test_any_operation_is_analysed_the_same_way_twice(operation: Operation):
    analysis = analyse(operation)

    check(operation, analysis)
    assert analyse(operation) == analysis
    redact_operation(operation, analysis.findings, find=lambda after: analyse(after).findings)
    redact_parts(operation, analysis.findings, find=lambda after: analyse(after).findings)


@pytest.mark.parametrize("seed", range(3))
def test_the_fuzzer_finds_nothing_wrong_with_short_inputs(seed):
    maker = Maker(seed, samples())
    for _ in range(60):
        operation = maker.operation(maker.text()[:600])

        found = fault(operation)

        assert found is None or found.cause.startswith("slow"), (operation, found)


def test_every_fact_that_samples_lead_to_has_a_name():
    texts = [(text, Language.AUTO) for text in samples()]
    for name in ("shell", "sql"):
        module = importlib.import_module(f"policies.engine.{name}.samples")
        texts += [
            (value, Language(name))
            for rows in vars(module).values()
            if isinstance(rows, tuple | list)
            for row in rows
            for value in ([row] if isinstance(row, str) else [getattr(row, "text", "")])
        ]
    texts += [(sample.text, sample.language) for sample in (*HITS, *MISSES)]

    named = set()
    for text, language in texts:
        part = Part(start=0, end=len(text), language=language)
        named |= set(analyse(Operation(text=text, parts=(part,))).facts)

    assert {"shell.command", "sql.table", "text.hidden", "text.homoglyph"} <= named
    assert named <= set(conditions.FACTS)
