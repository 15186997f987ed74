"""The development corpora beside a checkout, scored by their own scorer.

Their lines belong to others: figures of them go into the pages, the lines do not.
"""

from __future__ import annotations

import contextlib
import importlib.util
import io
import json
import sys
import tempfile
from pathlib import Path
from typing import Any

from policies.engine.__main__ import score_lines

CORPORA = Path(__file__).resolve().parent.parent.parent / "shared" / "detection"


def is_present() -> bool:
    """Are the corpora, their loader and their scorer there?"""
    return (CORPORA / "score.py").is_file()


def report(corpora: Path = CORPORA) -> dict[str, Any]:
    """The scorer's whole report of this engine's answers: tables by class and by source."""
    # The scorer imports the loader from its own folder, which it puts on the path itself.
    scorer = _module(corpora / "score.py")
    items = sys.modules["corpus"].load(corpora)
    lines = (
        json.dumps({name: item[name] for name in ("id", "kind", "tool", "text")}) for item in items
    )
    with tempfile.TemporaryDirectory() as folder:
        predictions, tables = Path(folder) / "predictions.jsonl", Path(folder) / "report.json"
        with predictions.open("w", encoding="utf-8") as output:
            score_lines(lines, output.write)
        arguments, sys.argv = (
            sys.argv,
            [
                "score.py",
                str(corpora),
                str(predictions),
                "--json",
                str(tables),
            ],
        )
        try:
            with contextlib.redirect_stdout(io.StringIO()):
                scorer.main()
        finally:
            sys.argv = arguments
        answer: dict[str, Any] = json.loads(tables.read_text(encoding="utf-8"))
    return answer


def figures(answer: dict[str, Any]) -> dict[str, dict[str, float]]:
    """The figures that have floors, from a report."""
    shown = {
        name: {key: row[key] for key in ("recall", "precision", "fpr")}
        for name, row in answer["headline"].items()
        if name != "block"
    }
    shown["secrets"]["span_recall"] = answer["secret_span_recall"]
    pii = answer["pii"]
    core, nine = pii["core six"], pii["nine without PERSON"]
    shown["pii"] = {
        "recall": nine["recall"],
        "precision": nine["precision"],
        "fpr": pii["clean_text_false_alarm_rate"],
        "span_f1": nine["macro_f1"],
        "core_span_f1": core["macro_f1"],
    }
    return shown


def _module(path: Path) -> Any:
    spec = importlib.util.spec_from_file_location(f"detection_{path.stem}", path)
    if spec is None or spec.loader is None:
        raise ImportError(f"{path} cannot be loaded.")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
