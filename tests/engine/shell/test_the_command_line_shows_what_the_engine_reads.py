"""`python -m policies.engine` prints facts and findings, and a scorer's rows."""

import io
import json

from policies.engine.__main__ import main


def test_a_text_is_answered_with_its_facts_and_findings(capsys):
    main(["git push --force", "--tool", "Bash"])

    answer = json.loads(capsys.readouterr().out)
    assert [finding["rule"] for finding in answer["findings"]] == ["git_push_force"]
    assert answer["facts"]["git"] == ["push"]
    assert answer["truncated"] is False


def test_lines_are_answered_in_the_terms_of_the_scorer(capsys, monkeypatch):
    items = [
        {"id": "a", "kind": "sql", "tool": "", "text": "SELECT 1 FROM t WHERE a = 1 OR 2=2"},
        {"id": "b", "kind": "bash", "tool": "Bash", "text": "ls"},
    ]
    monkeypatch.setattr("sys.stdin", io.StringIO("\n".join(map(json.dumps, items))))

    main(["--jsonl"])

    rows = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [(row["id"], row["sqli"], row["dangerous"]) for row in rows] == [
        ("a", True, False),
        ("b", False, False),
    ]
