"""`python -m tests.fuzz_engine --seconds 600`: inputs made to break the engine, or to slow it.

Each input is built from what the families look for: samples of their rules, storms of one mark,
nests, encodings inside encodings, texts cut off anywhere, bytes without a meaning. An exception, a
finding outside its text, two answers to one input, or more than 50 ms for 100 KB of processor
time is written as a line of JSON with the shortest input that still shows it, and the family that
it belongs to. The exit status is 1 if there was any.
"""

from __future__ import annotations

import argparse
import base64
import cProfile
import html
import json
import pstats
import random
import sys
import time
import traceback
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any, TextIO
from urllib.parse import quote

from policies.engine.analysis import Analysis, analyse, families, warm_up
from policies.engine.operation import Language, Operation, Part, Phase

LIMIT_S = 0.05  # processor time for every LIMIT_BYTES begun
LIMIT_BYTES = 100_000
MAX_BYTES = 400_000
MINIMISING_S = 5.0  # spent on shortening one input
MAX_REPORTS_PER_CAUSE = 3

_UNITS = (
    *"'\"`\\(){}[]<>|&;$#%@=:,.*?!~^-_/ \n\t\r\x00\x1b0aAzЯ的😀\u200b\u202e\u0301\ufeff\U000e0041",
    *("''", "\\\\", "$(", "${", "$((", "((", "[[ ", "<(", ">(", "<<A\n", "<<<", "`$(", '"$('),
    *("{a,b}", "${a:-", "if ", "case x in ", "a|", "a;", "a&&", "eval ", "sudo ", "bash -c '"),
    *("rm -rf /;", "echo x|base64 -d|", "a=1 ", "$'\\x41", "$IFS", "f(){ ", "for i in ", "find . "),
    *("select ", "union ", "1=1 or ", "' or '", "/*", "*/", "--", "/*!50000", "drop table a;"),
    *("begin ", "case when ", "in (", "insert into a values ", "with a as (", "$a$", "exec('"),
    *('{"a":', "[", '{"command":"', '\\"', "\\u0041", "\\", '{"$where":"', "null,", '":"', '"},{"'),
    *("%27", "%2527", "%u0027", "%", "&#39;", "&quot;", "&#x27", "&", "=3D", "=\n"),
    *("password=", "token: ", "api_key='", "://a:b@", "eyJhbGciOi", ".eyJ", "Basic YTpi"),
    *("-----BEGIN PRIVATE KEY-----", "data:;base64,", "kind: Secret\ndata:\n  a: ", "base64 -d "),
    *("123-45-6789", "4111 1111 1111 1111", "+1 (555) 010-", "1234", "a@b.co", "1.2.3.", "fe80:"),
    *("DE89370400440532013000", "phone ", "ssn|", "a,b,c\n", "| a | b |\n", "born 1990-01-01 "),
    *("python -c \"exec('", "curl http://a/?b=", "psql -c '", "xargs -I{} ", "awk '{", "perl -e '"),
)  # fmt: skip
_NESTS = (
    *(("(", ")"), ("{", "}"), ("[", "]"), ("$(", ")"), ("${a:-", "}"), ('"$(', ')"'), ("`", "`")),
    *(("((", "))"), ("<(", ")"), ("if a; then ", "; fi\n"), ("f() { ", "; }\n"), ("/*", "*/")),
    *(("(select ", ")"), ("case when ", " end"), ("'", "'"), ('"', '"'), ("bash -c '", "'")),
    *(('{"a":', "}"), ("$a$", "$a$"), ("<<A\n", "\nA\n"), ("begin ", " end;"), ("not (", ")")),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """What an input did that no input may do; `cause` is the same for the same mistake."""

    cause: str
    detail: str
    ratio: float = 0.0


def samples() -> list[str]:
    """The texts of the samples beside the rules, where a family keeps any."""
    from importlib import import_module

    texts: set[str] = set()
    for name in ("sql", "shell", "pii", "secrets", "decode"):
        module = import_module(f"policies.engine.{name}.samples")
        for attribute, value in vars(module).items():
            if not attribute.startswith("__"):
                texts.update(_texts(value))
    return sorted(texts)


def _texts(value: object) -> Iterator[str]:
    if isinstance(value, str):
        if len(value) > 2:
            yield value
    elif isinstance(value, list | tuple):
        for item in value:
            yield from _texts(item)
    elif hasattr(value, "text") and isinstance(value.text, str):
        yield value.text


class Maker:
    """Texts and operations from one source of chance."""

    def __init__(self, seed: int, corpus: Sequence[str]) -> None:
        self.random = random.Random(seed)  # noqa: S311 (to be repeated, not to be secret)
        self.corpus = corpus

    def text(self) -> str:
        """One input; short ones mostly, as most mistakes need no length."""
        chance = self.random
        size = chance.choice((50, 50, 200, 200, 200, 200, 2_000, 2_000, 2_000, 20_000, 100_000))
        if chance.random() < 0.01:
            size = MAX_BYTES
        make = chance.choice(
            (self._storm, self._mix, self._nest, self._mutated, self._mutated, self._encoded)
        )
        text = make(size)
        for _ in range(chance.choice((0, 0, 0, 1, 2))):
            text = self._changed(text)
        return text[:MAX_BYTES]

    def operation(self, text: str) -> Operation:
        """The text in a language or another, whole or in parts."""
        chance = self.random
        cuts = sorted(chance.choices(range(len(text) + 1), k=chance.choice((0, 0, 0, 1, 4))))
        edges = [0, *cuts, len(text)]
        parts = tuple(
            Part(start=start, end=end, language=chance.choice(list(Language)), path=("a", "ssn"))
            for start, end in pairwise(edges)
        )
        phase = chance.choice((Phase.BEFORE, Phase.AFTER))
        return Operation(text=text, tool="Bash", phase=phase, parts=parts)

    def _units(self, size: int) -> Iterator[str]:
        units = self.random.sample(_UNITS, k=self.random.choice((1, 2, 3, 8)))
        length = 0
        while length < size:
            unit = self.random.choice(units)
            length += len(unit)
            yield unit

    def _storm(self, size: int) -> str:
        units = "".join(self.random.sample(_UNITS, k=self.random.choice((1, 1, 2, 3))))
        head = self.random.choice(("", "", self._sample(), self.random.choice(_UNITS)))
        return head + units * (size // len(units) + 1)

    def _mix(self, size: int) -> str:
        return "".join(self._units(size))

    def _nest(self, size: int) -> str:
        pairs = self.random.sample(_NESTS, k=self.random.choice((1, 1, 2)))
        opened = "".join(opening for opening, _ in pairs)
        closed = "".join(closing for _, closing in reversed(pairs))
        depth = size // (len(opened) + len(closed)) + 1
        left = self.random.choice((depth, depth, 0, depth // 2))
        return opened * depth + self._sample() + closed * left

    def _sample(self) -> str:
        return self.random.choice(self.corpus)

    def _mutated(self, size: int) -> str:
        text = self._sample()
        while len(text) < min(size, 5_000) and self.random.random() < 0.8:
            text += self.random.choice(("\n", " ", ";", ",", "")) + self._sample()
        for _ in range(self.random.choice((1, 1, 3, 10))):
            text = self._changed(text)
        if size > 5_000 and text:
            text *= size // len(text) + 1
        return text

    def _changed(self, text: str) -> str:
        chance = self.random
        start = chance.randint(0, len(text))
        end = min(len(text), start + chance.choice((0, 1, 5, 40)))
        piece = text[start:end]
        put = chance.choice(
            (
                "",
                chance.choice(_UNITS),
                piece * 2,
                piece.swapcase(),
                chance.choice(_UNITS) * chance.choice((2, 50, 1_000)),
                chr(chance.choice((chance.randrange(0x300), chance.randrange(0x110000)))),
                chance.randbytes(8).decode("latin-1"),
            )
        )
        if chance.random() < 0.1:
            return text[:start]
        return text[:start] + put + text[end:]

    def _encoded(self, size: int) -> str:
        text = self._sample() if size < 5_000 else self._mutated(size // 4)
        for _ in range(self.random.choice((1, 2, 3, 5))):
            text = self.random.choice(_ENCODINGS)(text)
            if len(text) > MAX_BYTES:
                break
        return self._sample()[: self.random.choice((0, 0, 20))] + text


def _base64(text: str) -> str:
    return base64.b64encode(text.encode("utf-8", "replace")).decode()


def _backslashes(text: str) -> str:
    return "".join(f"\\x{octet:02x}" for octet in text.encode("utf-8", "replace"))


_ENCODINGS: tuple[Callable[[str], str], ...] = (
    lambda text: quote(text.encode("utf-8", "replace"), safe=""),
    lambda text: "".join(f"%{byte:02x}" for byte in text.encode("utf-8", "replace")),
    html.escape,
    lambda text: "".join(f"&#{ord(character)};" for character in text),
    json.dumps,
    lambda text: json.dumps({"command": text}),
    lambda text: "".join(f"\\u{ord(character) & 0xFFFF:04x}" for character in text),
    lambda text: f"echo {_base64(text)} | base64 -d | sh",
    lambda text: f"Authorization: Basic {_base64(text)}",
    lambda text: f"data:text/plain;base64,{_base64(text)}",
    lambda text: f"kind: Secret\ndata:\n  password: {_base64(text)}\n",
    lambda text: f"echo -e '{_backslashes(text)}'|sh",
    lambda text: f"bash -c {text!r}",
    lambda text: text.translate({code: code + 0xFEE0 for code in range(0x21, 0x7F)}),
    lambda text: "\u200b".join(text),
    lambda text: "".join(chr(0xE0000 + (ord(character) & 0x7F)) for character in text),
)  # fmt: skip


def seconds(operation: Operation) -> tuple[float, Analysis]:
    """Processor time of one analysis, and its answer."""
    start = time.thread_time()
    analysis = analyse(operation)
    return time.thread_time() - start, analysis


def allowed(length: int) -> float:
    """What `length` characters may take: every 100 KB begun gets its share."""
    return LIMIT_S * max(1.0, length / LIMIT_BYTES)


def fault(operation: Operation) -> Fault | None:
    """What is wrong with the engine's answer to `operation`, if anything."""
    length = len(operation.text)
    try:
        took, analysis = seconds(operation)
        if took > allowed(length):  # a busy machine is no fault: the best of three counts
            took = min(took, *(seconds(operation)[0] for _ in range(2)))
    except Exception as error:
        place = traceback.extract_tb(error.__traceback__)[-1]
        where = f"{Path(place.filename).parent.name}/{Path(place.filename).name}:{place.name}"
        return Fault(cause=f"{type(error).__name__} in {where}", detail=str(error)[:200])
    for found in analysis.findings:
        if not 0 <= found.start <= found.end <= length:
            return Fault(cause=f"place of {found.kind}/{found.rule}", detail=repr(found)[:300])
    if took > allowed(length):
        return Fault(
            cause=f"slow: {busiest(operation)}",
            detail=f"{took * 1e3:.0f} ms for {length} characters",
            ratio=took / allowed(length),
        )
    if length < 3_000 and analyse(operation) != analysis:
        return Fault(cause="another answer the second time", detail="")
    return None


def busiest(operation: Operation) -> str:
    """The family, or the module of the engine itself, where most of the time goes."""
    profile = cProfile.Profile()
    profile.enable()
    analyse(operation)
    profile.disable()
    own: Counter[str] = Counter()
    stats: dict[Any, Any] = pstats.Stats(profile).stats  # type: ignore[attr-defined]
    for called, (_, _, time_of_its_own, _, callers) in stats.items():
        if _ours(called):
            own[_ours(called)] += time_of_its_own
            continue
        for caller, (_, _, time_for_it, _) in callers.items():  # what is built in, or of others
            own[_ours(caller)] += time_for_it
    del own[""]
    return own.most_common(1)[0][0] if own else "elsewhere"


def _ours(function: tuple[str, int, str]) -> str:
    _, found, rest = function[0].partition("policies/engine/")
    return f"{rest.partition('/')[0]} ({rest.rpartition('/')[2]}:{function[2]})" if found else ""


def minimised(operation: Operation, found: Fault) -> Operation:
    """A shorter operation with the same fault, as far as the time for that goes."""
    family = found.cause.partition(" (")[0]
    until = time.monotonic() + MINIMISING_S

    def same(candidate: Operation) -> bool:
        again = fault(candidate)
        return again is not None and again.cause.partition(" (")[0] == family

    whole = Operation(
        text=operation.text,
        parts=(Part(start=0, end=len(operation.text), language=operation.parts[0].language),),
    )
    best = whole if same(whole) else operation
    if best is operation:
        return best
    language = best.parts[0].language
    step = len(best.text) // 2
    while step and time.monotonic() < until:
        at = 0
        while at < len(best.text) and time.monotonic() < until:
            text = best.text[:at] + best.text[at + step :]
            part = Part(start=0, end=len(text), language=language)
            candidate = Operation(text=text, parts=(part,))
            if text and same(candidate):
                best = candidate
            else:
                at += step
        step //= 2
    return best


def run(duration_s: float, seed: int, out: TextIO) -> int:
    """Try inputs for `duration_s`; the number of different faults, each written to `out`."""
    families()
    warm_up()
    maker = Maker(seed, samples())
    seen: Counter[str] = Counter()
    until, count = time.monotonic() + duration_s, 0
    while time.monotonic() < until:
        operation = maker.operation(maker.text())
        count += 1
        found = fault(operation)
        if found is None:
            continue
        seen[found.cause] += 1
        if seen[found.cause] > MAX_REPORTS_PER_CAUSE:
            continue
        small = minimised(operation, found)
        again = fault(small) or found
        row: dict[str, Any] = {
            "cause": again.cause,
            "detail": again.detail,
            "ratio": round(again.ratio, 1),
            "length": len(small.text),
            "parts": [[part.start, part.end, part.language] for part in small.parts],
            "text": small.text if len(small.text) < 2_000 else small.text[:300],
            "unit": _unit(small.text),
        }
        out.write(json.dumps(row) + "\n")
        out.flush()
    sys.stderr.write(f"{count} inputs, {sum(seen.values())} faults, {len(seen)} causes\n")
    for cause, times in seen.most_common():
        sys.stderr.write(f"{times:6} {cause}\n")
    return len(seen)


def _unit(text: str) -> str:
    """What a long text repeats, if it is one thing over and over."""
    for size in range(1, 41):
        if len(text) > 4 * size and text[size : 4 * size] == text[: 3 * size]:
            return text[:size]
    return ""


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz_engine", description=__doc__)
    parser.add_argument("--seconds", type=float, default=600)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--out", help="a file for the faults; standard output if absent")
    options = parser.parse_args(arguments)
    if options.out:
        with open(options.out, "w", encoding="utf-8") as out:
            return int(run(options.seconds, options.seed, out) > 0)
    return int(run(options.seconds, options.seed, sys.stdout) > 0)


if __name__ == "__main__":
    raise SystemExit(main())
