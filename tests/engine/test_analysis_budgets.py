"""What the analysis costs: little for ordinary commands, bounded for anything, memory too."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from policies.engine import analysis as module
from policies.engine.analysis import analyse, families, warm_up
from policies.engine.decode import Decode
from policies.engine.findings import MAX_FACT_VALUES
from policies.engine.operation import Language, Operation, Part

ROOT = Path(__file__).resolve().parents[2]
MAX_ENGINE_MB = 40  # of resident memory, from importing nothing to the first answer
MAX_CALLS = 320  # of Python functions, for a plain short command in all families
PLAIN = [
    "ls -la",
    "git status",
    "npm test",
    "pytest -q tests/engine",
    "cat README.md",
    "git commit -m 'Fix a typo'",
    "grep -rn foo src/",
    "make build",
]


def operation(text: str, language: Language = Language.SHELL) -> Operation:
    return Operation(text=text, parts=(Part(start=0, end=len(text), language=language),))


@pytest.mark.parametrize("command", PLAIN)
def test_a_plain_command_takes_few_calls(command):
    """Calls rather than time: they do not depend on the machine. 300 take about 40 us."""
    analyse(operation(command))
    calls = 0

    def count(_frame: object, event: str, _argument: object) -> None:
        nonlocal calls
        calls += event == "call"

    sys.setprofile(count)
    try:
        analyse(operation(command))
    finally:
        sys.setprofile(None)

    assert calls <= MAX_CALLS


def test_a_plain_command_is_scanned_once_and_decoded_never(monkeypatch):
    warm_up()
    texts = []
    scanner = module._scanner()
    scan = scanner.scan

    def noted(text: str) -> Any:
        texts.append(text)
        return scan(text)

    monkeypatch.setattr(scanner, "scan", noted)
    monkeypatch.setattr(Decode, "open", lambda *_: pytest.fail("nothing to decode"))

    analyse(operation("pytest -q tests/engine"))

    assert texts == ["pytest -q tests/engine"]


def test_the_engine_stays_within_its_memory():
    program = (
        "from pathlib import Path\n"
        "def resident():\n"
        "    lines = Path('/proc/self/status').read_text().splitlines()\n"
        "    return next(int(line.split()[1]) for line in lines if line.startswith('VmRSS'))\n"
        "before = resident()\n"
        "from policies.engine.analysis import warm_up\n"
        "warm_up()\n"
        "print((resident() - before) // 1024)\n"
    )

    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True
    )

    assert int(done.stdout) <= MAX_ENGINE_MB


def test_many_nested_texts_are_cut_short_and_said_to_be():
    analysis = analyse(operation("bash -c 'ls'\n" * (module.MAX_NESTED + 50)))

    assert analysis.truncated
    assert analysis.facts["analysis"] == ("truncated",)


def test_past_a_budget_the_rest_is_still_scanned():
    """A number behind more facts than are kept, and more texts than are unwrapped, is found."""
    many = "".join(f"bash -c 'touch f{n}'\n" for n in range(module.MAX_NESTED + 50))
    text = f"{many}echo 'her SSN is 536-22-8726.'\n"

    analysis = analyse(operation(text))

    assert analysis.truncated
    assert len(analysis.facts["file.write"]) <= MAX_FACT_VALUES
    assert [f.kind for f in analysis.findings if f.start > len(many)] == ["pii.ssn"]


def test_the_names_of_signs_are_worked_out_once():
    scanner = module._scanner()

    assert scanner.scan("git status") is scanner.scan("git commit")
    assert {family.name for family in families()} >= set(scanner.scan("git status")) - {"decode"}
