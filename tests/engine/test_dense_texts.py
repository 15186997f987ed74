"""Texts with more personal data or secrets than can be weighed one by one: nothing stays in them.

By counts, not by time: what takes its time is done for a bounded number of values.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

import pytest

from policies.engine.analysis import analyse
from policies.engine.decode import Decode
from policies.engine.findings import AT_A_GLANCE, CHARACTERS_JUDGED, MAX_JUDGED, Report, View
from policies.engine.operation import Language, Operation
from policies.engine.pii.context import Reading
from policies.engine.pii.tables import Tables
from policies.engine.redaction import redact
from policies.engine.secrets import assignments, commands
from policies.engine.secrets.scan import Scan
from policies.engine.shell import Shell
from policies.engine.shell.budget import STEPS

SIZE = 100_000


def digits(number: int, length: int) -> str:
    """Digits that look drawn, the same in every run."""
    return f"{(number + 1) * 7_919 * 104_729 % 10**length:0{length}d}"


PERSONAL: dict[str, Callable[[int], str]] = {
    "pii.ssn": lambda n: f"5{digits(n, 2)}-2{n % 9 + 1}-{n % 8_999 + 1_000}",
    "pii.phone": lambda n: f"tel 030 5{digits(n, 6)}",
    "pii.pan": lambda n: f"ABCPK{digits(n, 4)}{chr(65 + n % 26)}",
    "pii.date_of_birth": lambda n: f"born 19{n % 60 + 30}-0{n % 9 + 1}-1{n % 9}",
    "pii.ip": lambda n: f"93.{n % 200 + 20}.{n // 200 % 200 + 20}.17",
    "pii.passport": lambda n: f"passport X{digits(n, 7)}",
}
SECRETS: dict[str, Callable[[int], str]] = {
    "assignment": lambda n: f"password=Kq{digits(n, 4)}Zr!",
    "command": lambda n: f"mysql -pKq{digits(n, 4)}Zr",
}


def text_of(values: Callable[[int], str], separator: str) -> str:
    made: list[str] = []
    length = 0
    while length < SIZE:
        made.append(values(len(made)))
        length += len(made[-1]) + len(separator)
    return separator.join(made)


def counted(monkeypatch: pytest.MonkeyPatch, owner: object, names: Iterable[str]) -> list[str]:
    """The names of the calls of `owner`'s functions, as they happen."""
    calls: list[str] = []

    def count(name: str) -> None:
        function = getattr(owner, name)

        def counting(*args: object, **kwargs: object) -> object:
            calls.append(name)
            return function(*args, **kwargs)

        monkeypatch.setattr(owner, name, counting)

    for name in names:
        count(name)
    return calls


@pytest.mark.parametrize("separator", ["\n", " ", ", "])
@pytest.mark.parametrize("kind", PERSONAL)
def test_personal_data_is_weighed_up_to_a_number_and_found_past_it(
    kind: str, separator: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = text_of(PERSONAL[kind], separator)
    calls = counted(monkeypatch, Reading, ["_read_before"])

    analysis = analyse(Operation(text=text))

    assert len(calls) <= MAX_JUDGED + len(text) // CHARACTERS_JUDGED
    assert analysis.truncated
    assert {found.kind for found in analysis.findings} == {kind}
    assert analysis.findings[-1].confidence == AT_A_GLANCE
    assert not any(map(str.isdigit, redact(text, analysis.findings).text))


@pytest.mark.parametrize("kind", SECRETS)
def test_secrets_are_weighed_up_to_a_number_and_found_past_it(
    kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = text_of(SECRETS[kind], "\n")
    calls = [
        counted(monkeypatch, module, ["is_password", "is_token"])
        for module in (assignments, commands)
    ]

    analysis = analyse(Operation(text=text))

    assert sum(map(len, calls)) <= 2 * (MAX_JUDGED + len(text) // CHARACTERS_JUDGED)
    assert analysis.truncated
    assert not any(map(str.isdigit, redact(text, analysis.findings).text))


def test_what_is_called_something_else_is_so_past_the_number_too() -> None:
    text = "\n".join(f"order {PERSONAL['pii.ssn'](n)} shipped" for n in range(4_000))

    analysis = analyse(Operation(text=text))

    assert analysis.findings == ()


def test_the_number_counts_for_the_operation_not_for_its_parts() -> None:
    many = "\n".join(PERSONAL["pii.ssn"](n) for n in range(MAX_JUDGED * 2))
    alone = "\n".join(PERSONAL["pii.ssn"](n) for n in range(MAX_JUDGED // 2))

    assert analyse(Operation(text=many)).truncated
    assert not analyse(Operation(text=alone)).truncated


def test_the_tables_of_a_text_are_read_once_for_all_families(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    rows = "".join(f"Ann,{PERSONAL['pii.ssn'](n)},Kq{digits(n, 4)}Zr!\n" for n in range(20))
    calls = counted(monkeypatch, Tables, ["_read_lines"])

    analysis = analyse(Operation(text=f"name,ssn,password\n{rows}"))

    assert {found.kind for found in analysis.findings} == {
        "pii.ssn",
        "secret.password_assignment",
    }
    assert calls == ["_read_lines"]


def test_a_number_is_glanced_at_once_for_all_that_it_may_be(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    text = text_of(PERSONAL["pii.ssn"], " x ")
    calls = counted(monkeypatch, Reading, ["_seen_at_a_glance"])

    analyse(Operation(text=text))

    assert 0 < len(calls) <= text.count(" x ") + 1


def test_statements_are_searched_once_whatever_calls_for_them(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    text = "alter user ann identified by 'Kq7719Zr!x'; machine a login b password Kq7719Zr!y"
    calls = counted(monkeypatch, Scan, ["may_judge"])

    analysis = analyse(Operation(text=text))

    assert {found.rule for found in analysis.findings} >= {"sql.password", "file.netrc"}
    assert len(calls) <= 3


def test_one_odd_letter_has_only_its_line_read_again() -> None:
    lines = "\n".join(f"mv /srv/app{n}/current /srv/app{n}/old && make build{n}" for n in range(40))
    plain, odd = Report(), Report()

    for report, first in ((plain, "ls /srv"), (odd, "l\u0455 /srv")):
        view = View(text=f"{first}\n{lines}", offset=0, language=Language.SHELL)
        nested = [view]
        while nested:
            view = nested.pop()
            Shell().examine(view, frozenset(), report)
            if not view.text.isascii():
                Decode(len(view.text)).open(view, frozenset(), report)
            nested += report.nested
            report.nested.clear()

    assert odd.spent[STEPS] <= plain.spent[STEPS] * 1.2
