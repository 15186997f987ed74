"""The page of settings names every variable that the code reads, and no other."""

from __future__ import annotations

import re
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[2]
NAME = r"(?:AXON_[A-Z_]+|[A-Z_]+_ACTION)"


def names_read() -> set[str]:
    """Variables that the settings and the launcher read."""
    names: set[str] = set()
    for path in (
        PROJECT / "axonportal" / "settings.py",
        *(PROJECT / "axonportal" / "launcher").glob("*.py"),
    ):
        code = path.read_text(encoding="utf-8")
        names.update(re.findall(rf'"({NAME})"', code))
        for secret in re.findall(rf'env\.secret\("({NAME})"\)', code):
            names.add(f"{secret}_FILE")
    return names


def names_explained() -> set[str]:
    """Variables in the first column of the page's tables."""
    page = (PROJECT / "docs" / "reference" / "settings.md").read_text(encoding="utf-8")
    cells = re.findall(r"^\| (`[^|]+) \|", page, flags=re.MULTILINE)
    return {name for cell in cells for name in re.findall(rf"`({NAME})`", cell)}


def test_each_variable_that_is_read_is_explained():
    assert names_read() - names_explained() == set()


def test_each_variable_that_is_explained_is_read():
    assert names_explained() - names_read() == set()
