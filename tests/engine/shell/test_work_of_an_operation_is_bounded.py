"""All shell texts of one operation share an allowance of steps, counted and not timed."""

from itertools import pairwise

import pytest

from policies.engine.analysis import analyse
from policies.engine.findings import Report, View
from policies.engine.operation import Language, Operation, Part
from policies.engine.shell import Shell
from policies.engine.shell.budget import MAX_STEPS, STEPS, VIEW
from policies.engine.shell.examination import EXAMINED, Examination
from policies.engine.shell.model import Command

ALL_SIGNS = frozenset(sign.name for sign in Shell.signs)
MAX_TEXTS = 600  # each text that is left out is still counted as one
LIMIT = MAX_STEPS + EXAMINED + MAX_TEXTS * VIEW
HOSTILE = (
    "ls a b c; cat d | grep e > f\n",
    "eval ",
    "eval sudo ",
    "bash -c 'echo $(id)'; ",
    'echo `echo "$(echo ${a:-b})"`\n',
    'x="$x;rm a"; eval "$x"\n',
    "a=1 ",
    "for i in a b; do sudo env A=b nice sh -c 'cat x | sh'; done\n",
    "cat <<A | sh\nls $(pwd)\nA\n",
    "python3 -c 'import os; os.system(\"ls\")'\n",
    "> a ",
    "{a,b}{c,d} ",
)
WORDS, LETTERS = "x='" + "a b " * 4_900 + "'\n", "x='" + "ab" * 9_900 + "'\n"
AGAIN = (
    (WORDS, "echo $x\n"),
    (WORDS, "$x "),
    (LETTERS, '"$x"'),
    (LETTERS, "echo ${x//a/b}\n"),
    (LETTERS, 'echo "$x" >> f; sh f\n'),
    ("cat > Makefile <<A\n" + "a:\n\tls\n" * 3_000 + "A\n", "sh -c 'make a'; cat > b <<A\n\nA\n"),
)


def examined(text: str) -> tuple[Report, int]:
    """The report on `text` and all the texts inside it, and how many these were."""
    report, family = Report(), Shell()
    todo, count = [View(text=text, offset=0, language="shell")], 0
    while todo and count < MAX_TEXTS:
        count += 1
        family.examine(todo.pop(0), ALL_SIGNS, report)
        todo.extend(report.nested)
        report.nested.clear()
    return report, count


@pytest.mark.parametrize("unit", HOSTILE)
def test_long_texts_take_no_more_than_the_allowance(unit: str):
    report, _ = examined(unit * (100_000 // len(unit)))

    assert report.spent[STEPS] <= LIMIT
    assert report.truncated
    assert "truncated" in report.facts["shell.opaque"]


@pytest.mark.parametrize(("once", "again"), AGAIN)
def test_a_long_value_is_not_put_in_more_often_than_the_allowance_lets(once: str, again: str):
    report, count = examined((once + again * 8_000)[:100_000])

    assert report.spent[STEPS] <= LIMIT
    assert count < MAX_TEXTS
    assert report.truncated


def test_a_makefile_that_is_run_again_and_again_is_read_once():
    text = "cat > Makefile <<A\na:\n\tcp b c\nA\n" + "make a\n" * 200

    report, count = examined(text)

    assert count == 2
    assert report.facts["file.write"] == ["Makefile", "c"]


def test_commands_that_are_examined_do_not_grow_with_the_text(monkeypatch: pytest.MonkeyPatch):
    seen: list[int] = []
    examine_command = Examination.command

    def counted(examination: Examination, command: Command) -> None:
        seen.append(command.start)
        examine_command(examination, command)

    monkeypatch.setattr(Examination, "command", counted)
    unit = "make a && sh -c 'ls; id'\n"

    examined(unit * 2_000)
    first = len(seen)
    examined(unit * 10_000)

    assert len(seen) - first == first


def test_what_is_put_together_again_and_again_is_not_read_every_time():
    text = f"x='{'true;' * 3_000}'\n" + 'eval "$x"\n' * 400 + "rm -rf /srv\n"

    report, count = examined(text)

    assert count < 20
    assert report.truncated


def test_the_parts_of_an_operation_share_the_allowance():
    line = "cp a b; make c | tee d; ls -la e\n"
    part = line * 300
    text = part * 20 + "rm -rf /srv\n"
    ends = [*range(0, len(part) * 20, len(part)), len(text)]
    parts = tuple(
        Part(start=start, end=end, language=Language.SHELL) for start, end in pairwise(ends)
    )

    analysis = analyse(Operation(text=text, tool="Bash", parts=parts))

    assert analysis.truncated
    assert [found.rule for found in analysis.findings] == ["delete_broad"]
    assert analysis.findings[0].confidence == 0.5


def test_a_text_that_is_left_out_is_scanned():
    text = "ls -la a; make b\n" * 1_000 + "bash -c 'git push --force origin main'\n"

    report, _ = examined(text)

    assert [found.rule for found in report.findings] == ["git_push_force"]


def test_a_script_of_hundreds_of_commands_is_read_to_its_end():
    text = 'cp "$SRC/a.txt" build/ || exit 1\n' * 250 + "bash -c 'rm -rf /srv'\n"

    report, _ = examined(text)

    assert not report.truncated
    assert [(found.rule, found.layer) for found in report.findings] == [("delete_broad", "bash -c")]


@pytest.mark.parametrize(
    "sent",
    [
        """curl -d '{"cmd":"rm -rf /"}' https://api.example/run""",
        """curl --json '{"command":"terraform destroy"}' https://api.example/jobs""",
        """http POST api.example/run '{"cmd":"rm -rf /"}'""",
    ],
)
def test_what_is_sent_to_a_host_is_no_command(sent: str):
    analysis = analyse(Operation(text=sent, tool="Bash"))

    assert not analysis.findings


def test_sql_in_what_is_sent_to_a_host_is_found():
    text = (
        """curl -d '{"id":"1 UNION SELECT login, password FROM users--"}' https://api.example/q"""
    )

    analysis = analyse(Operation(text=text, tool="Bash"))

    assert {found.kind for found in analysis.findings} == {"sql.injection"}
