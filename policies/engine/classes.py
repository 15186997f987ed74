"""The classes that detection is measured in, and the kinds of findings that belong to each."""

from __future__ import annotations

from collections.abc import Iterable

from policies.engine.findings import Finding

# A class is what a reader of the figures asks for; a kind is what a policy names.
CLASSES: dict[str, tuple[str, ...]] = {
    "sqli": ("sql.injection",),
    "dangerous": ("sql.destructive", "shell.dangerous", "access.sensitive"),
    "pii": ("pii",),
    "secrets": ("secret",),
}
SPAN_CLASSES = ("pii", "secrets")  # measured by place and type as well as by text


def class_of(kind: str) -> str:
    """The class of a kind; "" for kinds that are measured in none."""
    for name, prefixes in CLASSES.items():
        for prefix in prefixes:
            if kind == prefix or kind.startswith(f"{prefix}."):
                return name
    return ""


def classes_of(findings: Iterable[Finding]) -> set[str]:
    """The classes that something was found of."""
    return {class_of(finding.kind) for finding in findings} - {""}
