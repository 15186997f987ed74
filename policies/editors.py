"""The editors of a policy's structured parts: rows for the common shape, JSON for every other.

Both work without a script. Rows are used only where they lose nothing: what they would write
back must equal what they were made from.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import zip_longest
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.template.loader import render_to_string
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _t
from django.utils.translation import gettext_lazy as _

from policies import durations
from policies.answering import Group
from policies.engine.approval import EACH_GROUP, UNANIMOUS
from policies.engine.conditions import FACTS, FIELDS, OPERATORS
from policies.engine.nodes import TEXT_FIELDS, as_text
from policies.engine.operation import Phase
from policies.engine.policy import ActionType

SPARE_ROWS = 2  # empty ones, for those who have no script to add more
MAX_JSON_CHARS = 200_000

Row = dict[str, str]

FIELD_HELP: dict[str, Any] = {
    "query": _("the text before it runs: a command, a statement, what would be written"),
    "response": _("the text of a result"),
    "text": _("either of the two"),
    "tool": _("the tool's name, such as Bash or Write"),
    "phase": _("before or after"),
    "client_id": _("the client that asks"),
    "team": _("the client's team"),
    "tenant": _("the tenant's slug"),
    "region": _("the client's region, else the tenant's"),
    "user_id": _("the user that the call names"),
    "verified_user": _("the person that the credential is bound to"),
    "user.email": _("that person's e-mail address"),
    "session_id": _("the agent's session"),
    "working_directory": _("where the agent works"),
    "permission_mode": _("the agent's own permission mode"),
    "agent": _("how it came: claude-code or pre-check"),
    "request_type": _("what an SDK calls the request"),
    "connector": _("the connector that a statement is for"),
    "data_sources": _("what the call says that it touches"),
    "sql.statement": _("kinds of statements: SELECT, DROP"),
    "sql.table": _("tables that are named"),
    "sql.column": _("columns that are mentioned"),
    "sql.function": _("functions that are called"),
    "sql.effect": _("what a statement does besides answering: write, set_role"),
    "sql.signature": _("classic forms of injection, harmless or not"),
    "sql.tautology": _("verbs of statements whose WHERE is always true"),
    "sql.stacked": _("the number of statements, where there are several"),
    "sql.dialect": _("dialects that the text shows signs of"),
    "shell.command": _("programs that would run"),
    "shell.arguments": _("each of them with its arguments, in one line"),
    "shell.executes": _("files that would be run or sourced"),
    "shell.opaque": _("parts of a command that cannot be read"),
    "file.read": _("paths that would be read"),
    "file.write": _("paths that would be written"),
    "host": _("hosts that are named"),
    "package.install": _("packages that would be installed"),
    "git.operation": _("what git would do: push, stash drop"),
    "git.remote": _("remotes that git is given, by name or address"),
    "git.branch": _("branches that git is given; HEAD where a push names none"),
    "git.force": _("branches that a push overwrites; * for all"),
    "git.delete": _("branches that would be deleted, here or on the remote"),
    "cloud.provider": _("aws, gcp, azure and others"),
    "cloud.service": _("the service of a cloud: ec2, compute instances, vm"),
    "cloud.operation": _("what a cloud is told to do: terminate-instances, rb, delete"),
    "cloud.account": _("profiles, projects and subscriptions that are named"),
    "cloud.region": _("regions and zones that are named"),
    "kubernetes.operation": _("what kubectl or helm would do: delete, rollout undo, uninstall"),
    "kubernetes.resource": _("objects it is done to: pod/web, namespace/prod, release/web"),
    "kubernetes.namespace": _("namespaces that are named; * for all"),
    "kubernetes.context": _("contexts and clusters that are named"),
    "terraform.operation": _("what Terraform would do: apply, destroy, state rm"),
    "terraform.workspace": _("workspaces that are named"),
    "terraform.target": _("resources that it is limited to, or that leave the state"),
    "terraform.auto_approve": _("true, if Terraform would not ask"),
    "database.client": _("clients of databases: psql, mysqldump"),
    "database.host": _("hosts that they connect to"),
    "database.name": _("databases, or files of databases, that they open; * for all"),
    "database.user": _("users that they connect as"),
    "text.hidden": _("kinds of hidden characters: zero-width, bidi, tag, selector"),
    "text.homoglyph": _("words written with look-alike letters, as they look"),
    "analysis": _("truncated, if a limit cut the analysis short"),
    "context.<key>": _("anything else that the call sent along"),
}
OPERATOR_HELP: dict[str, Any] = {
    "equals": _("is the same"),
    "not_equals": _("is another, or has no value at all"),
    "contains": _("has it as a part"),
    "not_contains": _("has it nowhere"),
    "contains_any": _("has one of several; one per line"),
    "matches": _("a regular expression (RE2) finds something"),
    "not_matches": _("it finds nothing"),
    "starts_with": _("begins with it"),
    "ends_with": _("ends with it"),
    "in": _("is one of several; one per line"),
    "not_in": _("is none of several; one per line"),
    "greater_than": _("a number above it"),
    "less_than": _("a number below it"),
    "exists": _("true: has a value; false: has none"),
    "detects": _("a detector found it: pii, pii.ssn, secret, sql.injection, shell.dangerous"),
}
_LISTS = frozenset({"contains_any", "in", "not_in"})
_NUMBERS = frozenset({"greater_than", "less_than"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """What came from the browser: rows or JSON, and what it means; `error` if it means nothing."""

    value: Any = None
    rows: Sequence[Row] = field(default_factory=list)
    text: str = ""
    as_json: bool = False
    error: str = ""


class Editor(forms.Widget):
    """A structured value as rows with `columns`, and as JSON."""

    template_name = ""
    columns: Sequence[str] = ()
    node_errors: Sequence[tuple[str, str]] = ()  # set by the form: path, message

    def to_rows(self, value: Any) -> list[Row] | None:
        """The rows that stand for the value; None if it has another shape."""
        raise NotImplementedError

    def from_rows(self, rows: Sequence[Row]) -> Any:
        """The value that rows stand for; blank rows are left out before."""
        raise NotImplementedError

    def value_from_datadict(self, data: Any, files: Any, name: str) -> Draft:
        text = data.get(f"{name}_json", "")
        if data.get(f"{name}_as") == "json":
            return _parsed(text)
        cells = [data.getlist(f"{name}_{column}") for column in self.columns]
        # A page that was opened before an upgrade may lack a column.
        rows = [
            dict(zip(self.columns, row, strict=True)) for row in zip_longest(*cells, fillvalue="")
        ]
        filled = [row for row in rows if any(cell.strip() for cell in row.values())]
        return Draft(value=self.from_rows(filled), rows=filled, text=text)

    def value_omitted_from_data(self, data: Any, files: Any, name: str) -> bool:
        return f"{name}_as" not in data

    def draft_of(self, value: Any) -> Draft:
        """How a stored value is first shown."""
        rows = self.to_rows(value)
        lossless = value is None or (rows is not None and self.from_rows(rows) == value)
        return Draft(
            value=value,
            rows=rows if lossless and rows else [],
            text=_json(value),
            as_json=not lossless,
        )

    def render(
        self, name: str, value: Any, attrs: dict[str, Any] | None = None, renderer: Any = None
    ) -> SafeString:
        draft = value if isinstance(value, Draft) else self.draft_of(value)
        return mark_safe(  # noqa: S308 (a template made it)
            render_to_string(self.template_name, self.context(name, draft))
        )

    def context(self, name: str, draft: Draft) -> dict[str, Any]:
        """What the template needs."""
        return {
            "name": name,
            "draft": draft,
            "rows": [
                {"cells": row, "errors": self._errors_at(name, index)}
                for index, row in enumerate(draft.rows)
            ],
            "spare": [dict.fromkeys(self.columns, "")] * SPARE_ROWS,
            "json": draft.text if draft.as_json else _json(draft.value),
        }

    def _errors_at(self, name: str, index: int) -> dict[str, list[str]]:
        """The messages of one row by column; those of the whole row under ""."""
        found: dict[str, list[str]] = {}
        for path, message in self.node_errors:
            place, _, column = path.removeprefix(f"{name}.").partition(".")
            if path.startswith(f"{name}.") and place == str(index):
                found.setdefault(column.partition(".")[0], []).append(message)
        return found


def _json(value: Any) -> str:
    return "" if value is None else json.dumps(value, indent=2, ensure_ascii=False)


def _parsed(text: str) -> Draft:
    if len(text) > MAX_JSON_CHARS:
        return Draft(
            text=text[:MAX_JSON_CHARS],
            as_json=True,
            error=_t("At most %(n)d characters.") % {"n": MAX_JSON_CHARS},
        )
    try:
        return Draft(value=json.loads(text or "null"), text=text, as_json=True)
    except json.JSONDecodeError as error:
        place = _t("line %(line)d, column %(column)d") % {
            "line": error.lineno,
            "column": error.colno,
        }
        return Draft(text=text, as_json=True, error=f"{_t('Not JSON')}: {error.msg}, {place}.")
    except RecursionError:
        return Draft(text=text, as_json=True, error=_t("The JSON is nested too deep."))


class ConditionsEditor(Editor):
    """Field, operator and value; all rows must hold."""

    template_name = "portal/editors/conditions.html"
    columns = ("field", "operator", "value")

    def to_rows(self, value: Any) -> list[Row] | None:
        if not value:
            return []
        if not isinstance(value, list):
            return None
        rows = []
        for item in value:
            if not isinstance(item, Mapping) or set(item) != {"field", "operator", "value"}:
                return None
            cell = _cell(item["value"])
            if cell is None or not isinstance(item["field"], str):
                return None
            rows.append({"field": item["field"], "operator": str(item["operator"]), "value": cell})
        return rows

    def from_rows(self, rows: Sequence[Row]) -> list[dict[str, Any]]:
        return [
            {
                "field": row["field"].strip(),
                "operator": row["operator"],
                "value": _read(row["operator"], row["value"]),
            }
            for row in rows
        ]

    def context(self, name: str, draft: Draft) -> dict[str, Any]:
        fields = (*TEXT_FIELDS, *FIELDS, *FACTS)
        return super().context(name, draft) | {
            "operators": OPERATORS,
            "fields": fields,
            "field_help": [(key, FIELD_HELP.get(key, "")) for key in (*fields, "context.<key>")],
            "operator_help": [(key, OPERATOR_HELP.get(key, "")) for key in OPERATORS],
        }


def _cell(value: Any) -> str | None:
    """A value as text in a field; None if it has no such text."""
    if isinstance(value, list):
        if not all(isinstance(item, str) and "\n" not in item for item in value):
            return None
        return "\n".join(value)
    return as_text(value) if isinstance(value, str | int | float | bool) else None


def _read(operator: str, text: str) -> Any:
    text = text.replace("\r\n", "\n")
    if operator in _LISTS:
        return [line.strip() for line in text.split("\n") if line.strip()]
    if operator == "exists":
        return {"true": True, "false": False}.get(text.strip().lower() or "true", text)
    if operator in _NUMBERS:
        try:
            number = float(text)
        except ValueError:
            return text
        return int(number) if number.is_integer() and "." not in text else number
    return text


class ActionsEditor(Editor):
    """Type, message, phase, approvers and their terms; the most restrictive that applies wins.

    Durations are written as people do (`30 min`), steps of an escalation one a line
    (`30 min: leads, managers`).
    """

    template_name = "portal/editors/actions.html"
    columns = (
        *("type", "message", "phase", "approvers", "quorum", "one_denial_settles"),
        *("approve_needs_reason", "expires_in_s", "grant_life_s", "escalation"),
    )
    groups: Sequence[Group] = ()  # set by the form: what is offered, and who is in it

    def to_rows(self, value: Any) -> list[Row] | None:
        if not value:
            return []
        if not isinstance(value, list):
            return None
        rows = []
        for item in value:
            if not isinstance(item, Mapping) or not set(item) <= set(self.columns):
                return None
            approvers = item.get("approvers", [])
            if not isinstance(approvers, list) or not all(isinstance(n, str) for n in approvers):
                return None
            terms = {key: cell(item[key]) for key, (cell, _) in _TERMS.items() if key in item}
            if None in terms.values():
                return None
            rows.append(
                {
                    **dict.fromkeys(_TERMS, ""),
                    "type": str(item.get("type", "")),
                    "message": str(item.get("message", "")),
                    "phase": str(item.get("phase") or ""),
                    "approvers": ", ".join(approvers),
                    **{key: cell or "" for key, cell in terms.items()},
                }
            )
        return rows

    def from_rows(self, rows: Sequence[Row]) -> list[dict[str, Any]]:
        actions = []
        for row in rows:
            action: dict[str, Any] = {"type": row["type"]}
            if message := row["message"].strip():
                action["message"] = message
            if row["phase"]:
                action["phase"] = row["phase"]
            if approvers := _names(row["approvers"]):
                action["approvers"] = approvers
            for key, (_cell_of, read) in _TERMS.items():
                if text := row[key].strip():
                    action[key] = read(text)
            actions.append(action)
        return actions

    def context(self, name: str, draft: Draft) -> dict[str, Any]:
        return super().context(name, draft) | {
            "types": [(str(kind), str(kind).replace("_", " ")) for kind in reversed(ActionType)],
            "phases": [
                ("", _t("before and after")),
                (str(Phase.BEFORE), _t("before it runs")),
                (str(Phase.AFTER), _t("on its result")),
            ],
            "denials": [
                ("", _t("as usual: one settles it")),
                ("yes", _t("one settles it")),
                ("no", _t("one is only no approval")),
            ],
            "reasons": [
                ("", _t("as usual: for a denial")),
                ("no", _t("for a denial")),
                ("yes", _t("for an approval, too")),
            ],
            "groups": self.groups,
        }


def _count_cell(value: Any) -> str | None:
    """A quorum as text; None if it is none that a row can hold."""
    if value in (EACH_GROUP, UNANIMOUS):
        return str(value)
    return str(value) if type(value) is int else None


def _read_count(text: str) -> int | str:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 9 else text


def _flag_cell(value: Any) -> str | None:
    return {True: "yes", False: "no"}[value] if isinstance(value, bool) else None


def _read_flag(text: str) -> bool | str:
    return {"yes": True, "no": False}.get(text, text)


def _duration_cell(value: Any) -> str | None:
    return durations.written(value) if type(value) is int and value > 0 else None


def _steps_cell(value: Any) -> str | None:
    """Steps of an escalation, one a line; None if some step has another shape."""
    if not isinstance(value, list) or not value:
        return None
    lines = []
    for step in value:
        if not isinstance(step, Mapping) or set(step) != {"after_s", "approvers"}:
            return None
        after, names = _duration_cell(step["after_s"]), step["approvers"]
        if after is None or not isinstance(names, list):
            return None
        if not names or not all(isinstance(name, str) and "\n" not in name for name in names):
            return None
        lines.append(f"{after}: {', '.join(names)}")
    return "\n".join(lines)


def _read_steps(text: str) -> list[dict[str, Any]] | str:
    """The steps; the text itself if a line has no colon, for the validation to refuse."""
    lines = [line.partition(":") for line in text.splitlines() if line.strip()]
    if not all(colon for _after, colon, _groups in lines):
        return text
    return [
        {"after_s": durations.read(after), "approvers": _names(names)}
        for after, _colon, names in lines
    ]


# The terms of an approval: how each is shown in a row, and read from it.
_TERMS: dict[str, tuple[Callable[[Any], str | None], Callable[[str], Any]]] = {
    "quorum": (_count_cell, _read_count),
    "one_denial_settles": (_flag_cell, _read_flag),
    "approve_needs_reason": (_flag_cell, _read_flag),
    "expires_in_s": (_duration_cell, durations.read),
    "grant_life_s": (_duration_cell, durations.read),
    "escalation": (_steps_cell, _read_steps),
}


class SelectorEditor(Editor):
    """Which operations a policy looks at: one line of names per kind."""

    template_name = "portal/editors/applies_to.html"
    columns = ("tools", "not_tools", "clients", "not_clients", "teams", "users", "phases")
    labels = {
        "tools": (_("Tools"), _("Bash, Write, mcp__*")),
        "not_tools": (_("Not these tools"), ""),
        "clients": (_("Clients"), _("claude-code, ci-*")),
        "not_clients": (_("Not these clients"), ""),
        "teams": (_("Teams"), ""),
        "users": (_("Users"), ""),
        "phases": (_("Phases"), _("before, after")),
    }

    def to_rows(self, value: Any) -> list[Row] | None:
        value = {} if value is None else value
        if not isinstance(value, Mapping) or not set(value) <= set(self.columns):
            return None
        if not all(
            isinstance(names, list) and all(isinstance(name, str) for name in names)
            for names in value.values()
        ):
            return None
        return [{column: ", ".join(value.get(column, [])) for column in self.columns}]

    def from_rows(self, rows: Sequence[Row]) -> dict[str, list[str]]:
        return {
            column: names
            for row in rows[:1]
            for column in self.columns
            if (names := _names(row.get(column, "")))
        }

    def context(self, name: str, draft: Draft) -> dict[str, Any]:
        row = draft.rows[0] if draft.rows else {}
        errors = dict(self.node_errors)
        return super().context(name, draft) | {
            "lines": [
                {
                    "column": column,
                    "label": label,
                    "example": example,
                    "value": row.get(column, ""),
                    "error": errors.get(f"{name}.{column}", ""),
                }
                for column, (label, example) in self.labels.items()
            ],
        }


def _names(text: str) -> list[str]:
    return [name.strip() for name in text.split(",") if name.strip()]


class EditorField(forms.Field):
    """A structured value; its mistakes are named node by node by the form."""

    def __init__(self, *, empty: Any, **kwargs: Any) -> None:
        super().__init__(required=False, **kwargs)
        self.empty = empty

    def clean(self, value: Any) -> Any:
        if value.error:
            raise ValidationError(value.error)
        return self.empty() if value.value is None else value.value

    def has_changed(self, initial: Any, data: Any) -> bool:
        return bool(data.error) or data.value != initial

    def bound_data(self, data: Any, initial: Any) -> Any:
        return data
