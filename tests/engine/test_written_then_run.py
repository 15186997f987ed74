"""What a file does that was written earlier counts when it is run."""

import msgspec
import pytest

from policies.engine.analysis import analyse
from policies.engine.findings import Finding
from policies.engine.operation import Language, Operation, Part, Written
from policies.engine.written import examine

HARM = "#!/bin/bash\nset -e\nrm -rf /srv/data\n"
WORK = "/home/dev/app"


def run(command: str, files: dict[str, str], *, where: str = WORK):
    inherited = {path: examine(path, content) for path, content in files.items()}
    return analyse(
        Operation(
            text=command,
            tool="Bash",
            parts=(Part(start=0, end=len(command), language=Language.SHELL),),
            fields={"working_directory": where} if where else {},
            inherited=inherited,
        )
    )


@pytest.mark.parametrize(
    ("command", "named"),
    [
        ("bash clean.sh", "clean.sh"),
        ("sh -x ./clean.sh", "./clean.sh"),
        ("./clean.sh --now", "./clean.sh"),
        ("source clean.sh", "clean.sh"),
        (". ./clean.sh && make", "./clean.sh"),
        ("sudo -u root bash /home/dev/app/clean.sh", "/home/dev/app/clean.sh"),
        ("cd scripts/.. && bash clean.sh", "clean.sh"),
        ("nohup ./clean.sh &", "./clean.sh"),
        ("bash < clean.sh", "clean.sh"),
    ],
)
def test_running_a_file_inherits_what_it_does(command, named):
    analysis = run(command, {f"{WORK}/clean.sh": HARM})

    found = [f for f in analysis.findings if f.layer.startswith("written earlier")]

    assert [(f.kind, f.rule) for f in found] == [("shell.dangerous", "delete_broad")]
    assert found[0].layer == f"written earlier: {WORK}/clean.sh"
    assert command[found[0].start : found[0].end] == named
    assert "rm" in analysis.facts["shell.command"]


@pytest.mark.parametrize(
    "command",
    [
        "cat clean.sh",
        "git add clean.sh",
        "chmod +x clean.sh",
        "bash other.sh",
        "bash -c 'echo clean.sh'",
        "python -m clean",
        "echo 'run bash clean.sh later'",
    ],
)
def test_a_file_that_is_not_run_hands_nothing_on(command):
    analysis = run(command, {f"{WORK}/clean.sh": HARM})

    assert not analysis.findings


@pytest.mark.parametrize(
    ("name", "content", "command", "kind"),
    [
        ("wipe.py", "import shutil\nshutil.rmtree('/srv/data')\n", "python3 wipe.py", "shell"),
        ("wipe", "#!/usr/bin/env python3\nimport os\nos.system('rm -rf ~')\n", "./wipe", "shell"),
        ("wipe.js", "require('child_process').execSync('rm -rf ~')\n", "node wipe.js", "shell"),
        ("down.sql", "BEGIN;\nDROP TABLE customers;\nCOMMIT;\n", "psql -f down.sql app", "sql"),
        ("down.sql", "DROP TABLE customers;", "mysql app < down.sql", "sql"),
        ("noname", "git push --force origin main", "bash noname", "shell"),
    ],
)
def test_a_file_is_read_in_the_language_it_runs_in(name, content, command, kind):
    analysis = run(command, {f"{WORK}/{name}": content})

    assert any(finding.kind.startswith(f"{kind}.") for finding in analysis.findings)


def test_harmless_files_and_data_in_files_hand_nothing_on():
    files = {
        f"{WORK}/t.sh": "#!/bin/sh\npytest -q && rm -rf ./build\n",
        f"{WORK}/seed.py": "PEOPLE = [('Ann', '536-22-8726')]\npassword = 'hX7kq2vbT9zw'\n",
    }

    assert not run("bash t.sh && python3 seed.py", files).findings


def test_a_file_that_runs_another_hands_on_what_that_does():
    files = {
        f"{WORK}/a.sh": "bash b.sh\n",
        f"{WORK}/b.sh": "source ./a.sh\nsource ./c.sh\n",
        f"{WORK}/c.sh": HARM,
    }

    analysis = run("bash a.sh", files)

    assert [finding.layer for finding in analysis.findings] == [f"written earlier: {WORK}/c.sh"]
    assert (analysis.findings[0].start, analysis.findings[0].end) == (5, 9)


def test_without_a_working_directory_a_file_of_that_name_is_meant():
    assert run("bash clean.sh", {"/x/clean.sh": HARM}, where="").findings
    assert not run("bash clean.sh", {"/x/unclean.sh": HARM}, where="").findings


def test_what_was_cut_short_stays_cut_short():
    found = Finding(kind="shell.dangerous", rule="r", start=0, end=1, confidence=1.0, reason="x")
    operation = Operation(
        text="bash a.sh",
        parts=(Part(start=0, end=9, language=Language.SHELL),),
        inherited={"/a.sh": Written(findings=(found,), truncated=True)},
    )

    analysis = analyse(operation)

    assert analysis.truncated
    assert len(analysis.findings) == 1


def test_it_can_be_kept_and_handed_in_later():
    written = examine("/a/clean.sh", HARM)

    kept = msgspec.json.decode(msgspec.json.encode(written), type=Written)

    assert kept == written
