"""The reference pages against the code: what is there is named, and what is named is there."""

from __future__ import annotations

import importlib
import re
from dataclasses import fields

import pytest

from approvals import services as approvals
from axonportal.accounts import credentials, services
from axonportal.accounts.models import Scope
from axonportal.common import body, pagination
from axonportal.gateway.api import hitl
from policies.api.filters import PolicyFilter
from policies.builtin import BUILTINS
from policies.engine import approval, conditions, nodes, patterns, policy
from policies.engine.approval import MAX_S, MIN_S
from policies.models import Policy
from policies.services import EDITABLE
from tests.accounts.test_scopes import CALLS
from tests.docs.blocks import ROOT, fenced
from tests.gateway.calling import QUEUE

POLICIES = ROOT / "docs" / "reference" / "policies.md"
API = ROOT / "docs" / "reference" / "api.md"
PROMISES = ROOT / "docs" / "explanation" / "promises.md"


def section(page: str, heading: str) -> str:
    """The text under a heading, up to the next of the same or a higher level."""
    level = heading.index(" ")
    start = page.index(f"\n{heading}\n") + len(heading) + 2
    following = re.compile(rf"^#{{1,{level}}} ", re.MULTILINE).search(page, start)
    return page[start : following.start() if following else len(page)]


def first_cells(text: str) -> list[str]:
    """What the first column of the tables in `text` names."""
    rows = [line for line in text.splitlines() if line.startswith("| ")]
    return [name for row in rows for name in re.findall(r"`([^`]+)`", row.split("|")[1])]


@pytest.fixture(scope="module")
def policies_page() -> str:
    return POLICIES.read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def api_page() -> str:
    return API.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("heading", "names"),
    [
        ("## Fields of a policy", {*EDITABLE, "policy_type", "rollout"}),
        ("### Text fields", {*nodes.TEXT_FIELDS}),
        ("### Fields", {*conditions.FIELDS, "context.<key>"}),
        ("### Facts", {*conditions.FACTS}),
        ("### Operators", {*conditions.OPERATORS, *conditions.OPERATOR_ALIASES}),
        ("## Actions", {*policy.ActionType, "alert"}),
        ("## Terms of `require_approval`", {field.name for field in fields(approval.Terms)}),
        ("## `applies_to`", {*policy._SELECTORS}),
        ("## What sets an action", {builtin.setting for builtin in BUILTINS}),
    ],
)
def test_a_table_names_exactly_what_the_code_knows(
    policies_page: str, heading: str, names: set[str]
) -> None:
    named = first_cells(section(policies_page, heading))

    assert sorted(named) == sorted(names)


def test_actions_are_listed_from_the_most_restrictive_down(policies_page: str) -> None:
    listed = [name for name in first_cells(section(policies_page, "## Actions")) if name != "alert"]

    assert listed == [action.value for action in reversed(policy.ActionType)]


def test_other_names_of_fields_are_all_listed(policies_page: str) -> None:
    sentence = next(line for line in policies_page.splitlines() if line.startswith("Other names"))
    listed: dict[str, str] = {}
    for names, field in re.findall(r"([^;:]+) \(`([^`]+)`\)", sentence):
        listed |= dict.fromkeys(re.findall(r"`([^`]+)`", names), field)

    assert listed == conditions.FIELD_ALIASES


def test_the_settings_name_their_policies(policies_page: str) -> None:
    rows = [
        re.findall(r"`([^`]+)`", line)
        for line in section(policies_page, "## What sets an action").splitlines()
        if line.startswith("| `")
    ]

    listed = {(row[0], name) for row in rows for name in row[1:]}
    assert listed == {(builtin.setting, builtin.name) for builtin in BUILTINS}


@pytest.mark.parametrize(
    ("limit", "sentence"),
    [
        (conditions.MAX_DEPTH, "at most {} deep"),
        (conditions.MAX_CONDITIONS, "at most {} conditions"),
        (conditions.MAX_VALUE_CHARS, "at most {} characters, a number"),
        (conditions.MAX_LIST_VALUES, "lists of at most {}"),
        (patterns.MAX_PATTERN_CHARS, "at most {} characters; no look-around"),
        (policy.MAX_ACTIONS, "at most {} of"),
        (approval.MAX_GROUPS, "may answer; at most {} |"),
        (approval.MAX_QUORUM, "have to approve: 1 to {};"),
        (approval.MAX_ESCALATIONS, "at most {} steps"),
        (approval.MIN_S, "Durations are {} to"),
        (approval.MAX_S, "to {} seconds."),
        (policy.MAX_MESSAGE_CHARS, "at most {} characters. `phase`"),
    ],
)
def test_limits_are_those_of_the_code(policies_page: str, limit: int, sentence: str) -> None:
    assert sentence.format(f"{limit:,}") in policies_page


def test_the_example_can_be_compiled() -> None:
    import json

    first, second = [block for block in fenced(POLICIES) if block.language == "json"]

    conditions.compile_conditions(json.loads(first.text))
    (action,) = policy.compile_actions([json.loads(second.text)])
    assert action.terms is not None
    assert action.terms.quorum == 2


def test_defaults_of_an_approvals_terms_are_those_of_the_code(policies_page: str) -> None:
    table = section(policies_page, "## Terms of `require_approval`")
    shown = {
        cells[1].strip(" `"): cells[-2].strip(" `")
        for line in table.splitlines()
        if line.startswith("| `") and (cells := line.split("|"))
    }
    terms = approval.Terms()
    for name, default in shown.items():
        value = getattr(terms, name)
        expected = str(value).lower() if isinstance(value, bool) else str(value)
        assert default == expected or (value == () and name in {"approvers", "escalation"}), name


def test_defaults_are_those_of_the_model(policies_page: str) -> None:
    table = section(policies_page, "## Fields of a policy")
    for name in ("priority", "severity", "mode", "rollout_percent", "enabled", "type"):
        row = next(line for line in table.splitlines() if line.startswith(f"| `{name}`"))
        default = getattr(Policy._meta.get_field(name), "default", None)
        shown = row.rstrip(" |").rpartition("|")[2].strip().strip("`")
        expected = str(default).lower() if isinstance(default, bool) else str(default)
        assert shown in (expected, "`enforce`") or (name, shown) == ("mode", "enforce"), name


def test_the_api_page_lists_every_path_with_its_scope(api_page: str) -> None:
    listed = {
        (cells[1].strip(), cells[2].strip(" `"), cells[3].strip(" `"))
        for line in section(api_page, "## Paths").splitlines()
        if (cells := line.split("|"))[1:2] and cells[1].strip().isupper()
    }
    expected = {
        (
            method,
            path.replace("{id}", "<policy_id>").replace("{request}", "<request_id>"),
            scope.value,
        )
        for method, path, _, scope in CALLS
        if method != "HEAD"
    }
    answering = {
        ("POST", f"{QUEUE}/<request_id>/{verb}", scope)
        for verb, scope in (("approve", "none"), ("reject", "none"), ("override", "decide"))
    }

    assert listed == expected | answering | {("GET", "/health", "none")}


def test_the_api_page_tells_how_long_personal_tokens_live(api_page: str) -> None:
    text = section(api_page, "## Personal tokens")

    assert f"for {services.TOKEN_LIFE.days} days" in text
    assert f"at most {services.MAX_TOKEN_LIFE.days}" in text
    assert f"at most {services.MAX_TOKENS}." in text
    assert f"`{credentials.PERSONAL_MARK}`" in text
    assert f"`{credentials.MARK}`" in text


def test_the_api_page_lists_what_the_queue_takes_and_tells(api_page: str) -> None:
    text = section(api_page, "## Approval queue")
    asking = section(text, "### Opening a request")

    assert first_cells(asking) == list(hitl.NewRequest.__struct_fields__)
    for name in (*hitl.SORTS, *hitl.SEVERITIES, *hitl._STATUSES):
        assert f"`{name}`" in text, name
    assert f"default {hitl.DEFAULT_SIZE}" in text
    assert f"at most {approvals.MAX_PENDING} " in text
    assert f"{MIN_S} to {MAX_S}" in asking


def test_the_api_page_lists_the_scopes_filters_and_limits(api_page: str) -> None:
    assert first_cells(section(api_page, "## Credentials")) == list(Scope.values)
    for name in PolicyFilter.base_filters:
        assert f"`{name}`" in section(api_page, "## Lists")
    assert f"(1 to {pagination.MAX_SIZE}, default {pagination.DEFAULT_SIZE})" in api_page
    assert f"{body.MAX_NESTING} levels deep" in api_page


@pytest.mark.parametrize("number", [1, 2, 3, 5, 7, 8, 9, 11])
def test_a_promise_has_its_tests(number: int) -> None:
    rows = [line for line in PROMISES.read_text(encoding="utf-8").splitlines() if line[:1] == "|"]
    (row,) = [row for row in rows if row.startswith(f"| {number} |")]

    tests = re.findall(r"`tests/([\w/]+)\.py::(\w+)`", row)

    assert tests
    for path, name in tests:
        module = importlib.import_module("tests." + path.replace("/", "."))
        assert callable(getattr(module, name))


def test_every_promise_of_the_page_names_tests_that_exist() -> None:
    named = re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", PROMISES.read_text(encoding="utf-8"))

    assert len(named) >= 20
    for path, name in named:
        assert f"def {name}(" in (ROOT / path).read_text(encoding="utf-8"), (path, name)
