"""The policies that every tenant starts with, under the names that the integration guide uses.

They are rows like any other: seen, tuned, switched off or put into observe mode by the tenant.
What they look for is a detector, named by a condition.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Builtin:
    """A policy that the portal ships; `setting` switches its whole category."""

    name: str
    description: str
    category: str
    severity: str
    setting: str
    conditions: list[dict[str, Any]]
    actions: list[dict[str, Any]]
    applies_to: dict[str, Any] = field(default_factory=dict)
    priority: int = 100


# Whoever writes a file puts addresses and numbers into it on purpose (authors, fixtures, contact
# pages): replacing them would break the file. The graver kinds are replaced there all the same.
_NOT_FILES = {"not_tools": ["Write", "Edit", "MultiEdit", "NotebookEdit"]}


def _detects(kind: str, *, field_name: str = "query") -> list[dict[str, Any]]:
    return [{"field": field_name, "operator": "detects", "value": kind}]


def _personal_data(
    kind: str,
    label: str,
    category: str,
    severity: str,
    applies_to: dict[str, Any] | None = None,
) -> Builtin:
    return Builtin(
        name=f"pii_{kind}_detection",
        description=f"Takes {label} out of tool inputs and results.",
        category=category,
        severity=severity,
        setting="PII_ACTION",
        conditions=_detects(f"pii.{kind}", field_name="text"),
        actions=[{"type": "redact", "message": f"Personal data: {label}"}],
        applies_to=applies_to or {},
    )


BUILTINS: tuple[Builtin, ...] = (
    Builtin(
        name="sql_injection_detection",
        description="Blocks statements and values that carry an SQL injection.",
        category="security-sqli",
        severity="critical",
        setting="SQLI_ACTION",
        conditions=_detects("sql.injection"),
        actions=[{"type": "block", "message": "SQL injection pattern detected"}],
        priority=200,
    ),
    Builtin(
        name="dangerous_query_blocking",
        description="Blocks statements that destroy or expose whole tables or the server: DROP, "
        "TRUNCATE, DELETE and UPDATE of every row, server files and programs.",
        category="security-dangerous",
        severity="critical",
        setting="DANGEROUS_QUERY_ACTION",
        conditions=_detects("sql.destructive"),
        actions=[{"type": "block", "message": "Destructive database statement"}],
        priority=190,
    ),
    Builtin(
        name="dangerous_command_blocking",
        description="Blocks shell commands that need a person's decision: broad deletes, disks, "
        "discarded work, downloads piped into a shell, reverse shells, credential files.",
        category="security-dangerous",
        severity="critical",
        setting="DANGEROUS_COMMAND_ACTION",
        conditions=_detects("shell.dangerous"),
        actions=[{"type": "block", "message": "Dangerous command"}],
        priority=180,
    ),
    Builtin(
        name="sensitive_access_blocking",
        description="Blocks file tools and fetches that need a person's decision: reading keys and "
        "credentials, writing start-up files, sign-in keys, the agent's own settings or the "
        "operating system, a cloud machine's metadata service.",
        category="security-dangerous",
        severity="critical",
        setting="DANGEROUS_COMMAND_ACTION",
        conditions=_detects("access.sensitive"),
        actions=[{"type": "block", "message": "Sensitive file or host"}],
        priority=170,
    ),
    _personal_data("ssn", "US social security numbers", "pii-us", "critical"),
    _personal_data("credit_card", "credit card numbers", "pii-global", "critical"),
    _personal_data("aadhaar", "Aadhaar numbers", "pii-india", "critical"),
    _personal_data("pan", "Indian tax numbers (PAN)", "pii-india", "critical"),
    _personal_data("email", "e-mail addresses", "pii-global", "medium", _NOT_FILES),
    _personal_data("phone", "telephone numbers", "pii-global", "medium", _NOT_FILES),
    Builtin(
        name="secret_detection",
        description="Warns of secrets in tool inputs, and takes them out of results before the "
        "model sees them. An input is left as it is, because it would not work without.",
        category="sensitive-data",
        severity="high",
        setting="SENSITIVE_DATA_ACTION",
        conditions=_detects("secret", field_name="text"),
        actions=[
            {"type": "warn", "message": "The input holds a secret", "phase": "before"},
            {"type": "redact", "message": "The result holds a secret", "phase": "after"},
        ],
        priority=150,
    ),
)

_SETTINGS = {builtin.name: builtin.setting for builtin in BUILTINS}


def category_setting(builtin: str) -> str:
    """The deployment's switch for a built-in policy; "" for a tenant's own."""
    return _SETTINGS.get(builtin, "")
