"""`python -m benchmarks.scorecard`: what the detectors find, miss and wrongly find, and how fast.

Prints a table per class, source and family over the project's own cases; over the development
corpora, where they lie beside the checkout; the time of texts of 200 B to 200 KB; and every miss
and wrong hit among the own cases, by kind. `--write` puts the tables into
`docs/explanation/detection.md` and renews `docs/reference/detectors.md`; `--record` makes what was
measured the floors that the tests hold.
"""

from __future__ import annotations

import argparse
import random
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from benchmarks import detectors, development, floors, tally, workload
from policies.engine.analysis import analyse, warm_up
from policies.engine.cases import Case, own_cases
from policies.engine.classes import SPAN_CLASSES
from policies.engine.operation import Language, Operation, Part

PAGE = Path(__file__).resolve().parent.parent / "docs" / "explanation" / "detection.md"
MAX_SHOWN = 40  # texts of one group of errors that are printed
MAX_CHARS = 110  # of such a text
# Bytes of a text, and how many different ones are timed.
SIZES = ((200, 300), (2_000, 150), (20_000, 40), (200_000, 10))
GOALS = {200: (0.3, 2), 2_000: (1, 5), 20_000: (6, 20), 200_000: (60, 150)}  # ms: p50, p99
MAX_MS_PER_BYTE = 0.0005  # for any input: 50 ms per 100 KB,
BOUND_FROM = 20_000  # from this size on
MAX_SHORT_CHARS = 40  # of a plain short command
_SEED = 3
_DATA = ("pii", "secrets")
_CODE = {"shell": Language.SHELL, "sql": Language.SQL}


def main() -> int:
    """Measure, print, write; 1 if a figure is below its floor."""
    parser = argparse.ArgumentParser(description=__doc__, prog="python -m benchmarks.scorecard")
    parser.add_argument("--write", action="store_true", help="renew the tables in the docs")
    parser.add_argument("--record", action="store_true", help="record the figures as floors")
    options = parser.parse_args()
    warm_up()
    own = tally.score(own_cases())
    measured = {"own": own.figures()}
    blocks = {"own": list(own_table(own)), "errors": list(error_list(own))}
    if development.is_present():
        report = development.report()
        measured["development"] = development.figures(report)
        blocks["development"] = list(development_table(report))
    blocks["times"] = list(time_table())
    for name, lines in blocks.items():
        print(f"\n## {name}\n", *lines, sep="\n")
    if options.write:
        page = PAGE.read_text(encoding="utf-8")
        for name, lines in blocks.items():
            page = replaced(page, name, lines)
        PAGE.write_text(page, encoding="utf-8")
        detectors.PAGE.write_text(detectors.page(), encoding="utf-8")
    if options.record:
        floors.record(measured)
    limits = floors.recorded()
    failures = [
        f"{name}: {sentence}"
        for name, figures in measured.items()
        for sentence in floors.broken(limits.get(name, {}), figures)
    ]
    print("", *failures or ["Every class is at or above its floor."], sep="\n")
    return 1 if failures else 0


def replaced(page: str, name: str, lines: Sequence[str]) -> str:
    """The page with the block of that name renewed, between its two comments."""
    begin, end = f"<!-- scorecard: {name} -->", f"<!-- end of {name} -->"
    if begin not in page or end not in page:
        raise ValueError(f"The page has no block {name}.")
    before, _, rest = page.partition(begin)
    return "\n".join([before + begin, "", *lines, "", end + rest.partition(end)[2]])


def block(page: str, name: str) -> list[str]:
    """The lines of a block of the page."""
    inside = page.partition(f"<!-- scorecard: {name} -->")[2].partition(f"<!-- end of {name} -->")
    return inside[0].strip().splitlines()


def _rows(head: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    yield f"| {' | '.join(head)} |"
    yield f"|{'|'.join('---' if not number else '---:' for number in range(len(head)))}|"
    for row in rows:
        yield f"| {' | '.join(row)} |"


def own_table(own: tally.Score) -> Iterator[str]:
    """One row per class, then one per class, source and family."""
    rows = []
    for name, total in own.classes.items():
        rows.append([f"**{name}**", "all", "all", *_cells(name, total)])
        rows += [
            [name, source, family, *_cells(name, group)]
            for (each, source, family), group in sorted(own.groups.items())
            if each == name
        ]
    head = ["class", "source", "family", "to find", "harmless", "recall", "precision"]
    yield from _rows([*head, "wrong hits", "places F1"], rows)


def shape(lines: Sequence[str]) -> list[list[str]]:
    """What of the own table is no measurement: classes, sources, families and counts."""
    return [line.split(" | ")[:5] for line in lines]


def _cells(name: str, group: tally.Tally) -> list[str]:
    figures = group.figures(spans=name in SPAN_CLASSES)
    any_found = group.found or group.wrong
    return [
        f"{group.positives:,}",
        f"{group.negatives:,}",
        f"{figures['recall']:.3f}" if group.positives else "–",
        f"{figures['precision']:.3f}" if group.positives and any_found else "–",
        f"{figures['fpr']:.1%}" if group.negatives else "–",
        f"{figures['span_f1']:.3f}" if "span_f1" in figures else "–",
    ]


def error_list(own: tally.Score) -> Iterator[str]:
    """Every miss and wrong hit by class and source, with the first texts of each."""
    groups: dict[tuple[str, str, str], list[Case]] = defaultdict(list)
    for error in own.errors:
        word = "missed" if error.missed else "wrongly found"
        groups[error.name, word, f"{error.case.family}, {error.case.source}"].append(error.case)
    if not groups:
        yield "None."
    for (name, word, source), cases in sorted(groups.items()):
        yield f"- **{name} {word}** in {source}: {len(cases)}"
        for case in cases[:MAX_SHOWN]:
            yield f"  - {detectors.without_secrets(case, MAX_CHARS)}"
        if len(cases) > MAX_SHOWN:
            yield f"  - and {len(cases) - MAX_SHOWN} more"


def development_table(report: dict[str, Any]) -> Iterator[str]:
    """The headline and the sources, as figures; places and types of personal data after it."""
    rows = []
    for title, bold in (("headline", "**"), ("by source", "")):
        for key, row in sorted(report[title].items()):
            name, _, source = key.partition("|")
            positive, negative = row["tp"] + row["fn"], row["fp"] + row["tn"]
            rows.append(
                [
                    f"{bold}{name}{bold}",
                    source or "all",
                    f"{positive:,}",
                    f"{negative:,}",
                    f"{row['recall']:.3f}" if positive else "–",
                    f"{row['precision']:.3f}" if positive and row["tp"] + row["fp"] else "–",
                    f"{row['fpr']:.2%}" if negative else "–",
                    str(row["fn"]),
                    str(row["fp"]),
                ]
            )
    head = ["class", "source", "to find", "harmless", "recall", "precision", "wrong hits"]
    yield from _rows([*head, "missed", "wrong"], rows)
    yield ""
    pii = report["pii"]
    kinds = [(name, row) for name, row in pii.items() if isinstance(row, dict) and "tp" in row]
    yield from _rows(
        ["personal data, places", "to find", "recall", "precision", "F1"],
        [
            [
                name,
                f"{row['tp'] + row['fn']:,}",
                f"{row['recall']:.3f}",
                f"{row['precision']:.3f}",
                f"{row.get('macro_f1', row['f1']):.3f}",
            ]
            for name, row in kinds
            # Names of persons are no detector of ours.
            if name not in ("PERSON", "all ten")
        ],
    )
    yield ""
    yield (
        f"Texts without personal data in which some was found: "
        f"{pii['clean_text_false_alarm_rate']:.2%}. "
        f"Characters of personal data covered: {pii['redaction_char_recall']:.1%}. "
        f"Places of secrets found: {report['secret_span_recall']:.1%}."
    )


def time_table() -> Iterator[str]:
    """The time of the whole analysis by size of the text, in milliseconds."""
    rng = random.Random(_SEED)  # noqa: S311 (a reproducible mix)
    short = [_operation(case.text, "shell") for case in _plain_commands()]
    rows = [["plain short commands", str(len(short)), *_percentiles(short), "0.06 / –"]]
    for name, made in (("", _ordinary), (", dense", _dense)):
        for size, count in SIZES:
            texts = [made(rng, size, index) for index in range(count)]
            half, most = GOALS[size]
            shown = f"{size:,} B" if size < 1_000 else f"{size // 1_000} KB"
            # Of a short text the fixed cost is most of the time, so the bound is for long ones.
            bound = size * MAX_MS_PER_BYTE if size >= BOUND_FROM else most
            goal = f"– / {bound:g}" if name else f"{half} / {most}"
            rows.append([shown + name, str(count), *_percentiles(texts), goal])
    yield from _rows(["text", "texts", "p50 ms", "p99 ms", "goal p50 / p99"], rows)


def _plain_commands() -> list[Case]:
    """Harmless commands of one line without any finding."""
    return [
        case
        for case in own_cases()
        if case.family == "shell"
        and not case.expected
        and len(case.text) <= MAX_SHORT_CHARS
        and "\n" not in case.text
        and not case.examined().findings
    ]


def _ordinary(rng: random.Random, size: int, index: int) -> Operation:
    """A document, a program text, or a script of plain commands; a case among them at times."""
    if index % 3 == 2:
        lines: list[str] = []
        while sum(map(len, lines)) + len(lines) < size:
            lines.append(workload.shell(rng))
        return _operation("\n".join(lines)[:size], "shell")
    text = (workload.prose, workload.source)[index % 3](rng, size)
    at = rng.randrange(len(text))
    case = rng.choice([case for case in own_cases() if case.family in _DATA])
    return _operation(f"{text[:at]}\n{case.text}\n{text[at:]}"[:size], "text")


def _dense(rng: random.Random, size: int, index: int) -> Operation:
    """A script, a batch of statements or a log in which each line is a case of our own."""
    family, wanted = (("shell", ("shell",)), ("sql", ("sql",)), ("text", _DATA))[index % 3]
    pool = [case.text for case in own_cases() if case.family in wanted]
    pieces: list[str] = []
    while sum(map(len, pieces)) + len(pieces) < size:
        pieces.append(rng.choice(pool))
    return _operation((";\n" if family == "sql" else "\n").join(pieces)[:size], family)


def _operation(text: str, family: str) -> Operation:
    part = Part(start=0, end=len(text), language=_CODE.get(family, Language.AUTO))
    return Operation(text=text, tool="Bash" if family == "shell" else "", parts=(part,))


def _percentiles(operations: Sequence[Operation]) -> list[str]:
    """The median and the 99th percentile, each text by the better of two runs: in the other one
    another process may have had the processor."""
    taken = sorted(min(_ms(operation), _ms(operation)) for operation in operations)
    return [f"{taken[len(taken) // 2]:.3f}", f"{taken[int(len(taken) * 0.99)]:.3f}"]


def _ms(operation: Operation) -> float:
    start = time.perf_counter()
    analyse(operation)
    return (time.perf_counter() - start) * 1e3


if __name__ == "__main__":
    raise SystemExit(main())
