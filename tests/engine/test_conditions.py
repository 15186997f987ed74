"""The condition language: each operator beside what it must not hit, and what is refused."""

from __future__ import annotations

from typing import Any

import pytest

from policies.engine import conditions, nodes
from policies.engine.analysis import Analysis
from policies.engine.conditions import (
    FACTS,
    FIELDS,
    OPERATORS,
    ConditionsError,
    compile_conditions,
)
from policies.engine.findings import Finding
from policies.engine.nodes import Inputs
from policies.engine.operation import Operation, Phase

FIELD_VALUES: dict[str, Any] = {
    "client_id": "agent",
    "region": "eu",
    "user": {"email": "ada@acme-corp.com"},
    "data_sources": ["postgres", "mysql"],
    "context": {
        "project": "portal",
        "retries": 3,
        "ratio": 0.5,
        "dry_run": True,
        "nested": {"deep": "yes"},
        "labels": ["a", "b"],
        "empty": "",
        "null": None,
        "object": {"x": 1},
        "amount": "12.5",
    },
}
TABLES = ("users", "Orders")


def inputs(text: str = "", phase: Phase = Phase.BEFORE, tool: str = "Bash") -> Inputs:
    found = Analysis(
        findings=(
            Finding(kind="pii.ssn", rule="r", start=0, end=3, confidence=1.0, reason="An SSN."),
            Finding(
                kind="sql.injection.union", rule="r", start=4, end=6, confidence=1.0, reason="x"
            ),
        ),
        facts={"sql.table": TABLES, "shell.command": ("rm",)},
    )
    return Inputs(Operation(text=text, phase=phase, tool=tool, fields=FIELD_VALUES), found)


def holds(condition: Any, text: str = "", phase: Phase = Phase.BEFORE) -> bool:
    return compile_conditions([condition]).test(inputs(text, phase))


def leaf(field: str, operator: str, value: Any) -> dict[str, Any]:
    return {"field": field, "operator": operator, "value": value}


@pytest.mark.parametrize(
    ("operator", "value", "hit", "miss"),
    [
        ("equals", "ls -la", "LS -la", "ls -la "),
        ("not_equals", "ls", "ls -l", "LS"),
        ("contains", "prod", "on PRODuction", "on staging"),
        ("contains", "a.b", "xa.by", "xaxby"),
        ("contains", "é", "caf\u00c9", "cafe"),
        ("not_contains", "prod", "staging", "production"),
        ("contains_any", ["prod", "live"], "go LIVE", "go test"),
        ("matches", r"\bprod\w*", "on production", "unproductive"),
        ("matches", r"^drop.*users$", "DROP\nTABLE users", "a drop users"),
        ("matches", r"(?-i)DROP", "DROP it", "drop it"),
        ("not_matches", r"^git\b", "rm x", "GIT push"),
        ("starts_with", "git ", "GIT push", "a git push"),
        ("ends_with", ".env", "cat .ENV", "cat .env2"),
        ("ends_with", ".env", "x.env", "x.env\n"),
        ("in", ["ls", "pwd"], "PWD", "pwdx"),
        ("not_in", ["ls", "pwd"], "rm", "ls"),
        ("equals", 7, "7", "77"),
    ],
)
def test_an_operator_on_the_text(operator: str, value: Any, hit: str, miss: str) -> None:
    assert holds(leaf("query", operator, value), hit)
    assert not holds(leaf("query", operator, value), miss)


@pytest.mark.parametrize(
    ("hit", "miss"),
    [
        (("client_id", "equals", "agent"), ("client_id", "equals", "Agent")),
        (("client_id", "not_equals", "other"), ("client_id", "not_equals", "agent")),
        (("client_id", "contains", "GEN"), ("client_id", "contains", "gent2")),
        (("client_id", "starts_with", "ag"), ("client_id", "starts_with", "gent")),
        (("client_id", "ends_with", "ent"), ("client_id", "ends_with", "age")),
        (("client_id", "matches", "^a.*t$"), ("client_id", "matches", "^b")),
        (("client_id", "in", ["x", "agent"]), ("client_id", "in", ["x"])),
        (("client_id", "not_in", ["x"]), ("client_id", "not_in", ["agent"])),
        (("client_id", "contains_any", ["x", "gen"]), ("client_id", "contains_any", ["x"])),
        (("user.email", "ends_with", "@acme-corp.com"), ("user.email", "ends_with", "@acme")),
        (("tool", "equals", "Bash"), ("tool", "equals", "Read")),
        (("phase", "equals", "before"), ("phase", "equals", "after")),
        (("data_sources", "equals", "mysql"), ("data_sources", "equals", "oracle")),
        (("context.project", "equals", "portal"), ("context.project", "equals", "other")),
        (("context.retries", "equals", 3), ("context.retries", "equals", 4)),
        (("context.retries", "equals", "3"), ("context.retries", "equals", "03")),
        (("context.retries", "equals", 3.0), ("context.retries", "equals", 3.5)),
        (("context.retries", "greater_than", 2), ("context.retries", "greater_than", 3)),
        (("context.retries", "less_than", "4"), ("context.retries", "less_than", 3)),
        (("context.amount", "greater_than", 12), ("context.amount", "greater_than", 12.5)),
        (("context.ratio", "less_than", 1), ("context.ratio", "greater_than", 1)),
        (("context.dry_run", "equals", True), ("context.dry_run", "equals", False)),
        (("context.dry_run", "equals", "true"), ("context.dry_run", "equals", 1)),
        (("context.nested.deep", "equals", "yes"), ("context.nested.deep", "equals", "no")),
        (("context.labels", "equals", "b"), ("context.labels", "equals", "c")),
        (("context.labels", "not_equals", "c"), ("context.labels", "not_equals", "a")),
        (("context.project", "exists", True), ("context.gone", "exists", True)),
        (("context.gone", "exists", False), ("context.project", "exists", False)),
        (("context.empty", "exists", False), ("context.empty", "exists", True)),
        (("context.null", "exists", False), ("context.null", "exists", True)),
        (("context.dry_run", "exists", True), ("context.dry_run", "exists", False)),
        (("sql.table", "equals", "users"), ("sql.table", "equals", "orders")),
        (("sql.table", "contains", "ORD"), ("sql.table", "contains", "people")),
        (("sql.table", "not_contains", "people"), ("sql.table", "not_contains", "ord")),
        (("shell.command", "in", ["rm", "dd"]), ("shell.command", "in", ["ls"])),
        (("git", "exists", False), ("git", "exists", True)),
    ],
    ids=lambda value: " ".join(map(str, value)),
)
def test_an_operator_on_a_field_or_fact(
    hit: tuple[str, str, Any], miss: tuple[str, str, Any]
) -> None:
    assert holds(leaf(*hit))
    assert not holds(leaf(*miss))


@pytest.mark.parametrize(
    ("operator", "value", "expected"),
    [
        ("equals", "x", False),
        ("contains", "x", False),
        ("matches", ".*", False),
        ("in", ["x"], False),
        ("greater_than", 0, False),
        ("less_than", 10**9, False),
        ("exists", True, False),
        ("not_equals", "x", True),
        ("not_contains", "x", True),
        ("not_matches", ".*", True),
        ("not_in", ["x"], True),
        ("exists", False, True),
    ],
)
@pytest.mark.parametrize(
    "field", ["context.gone", "context.null", "context.project.x", "context.object", "session_id"]
)
def test_a_missing_field_satisfies_the_negative_operators_only(
    field: str, operator: str, value: Any, expected: bool
) -> None:
    assert holds(leaf(field, operator, value)) is expected


@pytest.mark.parametrize(
    ("field", "phase", "expected"),
    [
        ("query", Phase.BEFORE, True),
        ("query", Phase.AFTER, False),
        ("response", Phase.BEFORE, False),
        ("response", Phase.AFTER, True),
        ("text", Phase.BEFORE, True),
        ("text", Phase.AFTER, True),
    ],
)
@pytest.mark.parametrize(
    ("operator", "value"), [("contains", "x"), ("detects", "pii"), ("exists", True)]
)
def test_query_is_the_text_before_and_response_the_text_after(
    field: str, phase: Phase, expected: bool, operator: str, value: Any
) -> None:
    assert holds(leaf(field, operator, value), "x", phase) is expected


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("pii", True),
        ("pii.ssn", True),
        ("sql.injection", True),
        ("sql.injection.union", True),
        ("pii.s", False),
        ("pii.ssn.us", False),
        ("secret", False),
    ],
)
def test_detects_takes_a_kind_or_any_prefix_of_it(kind: str, expected: bool) -> None:
    assert holds(leaf("text", "detects", kind)) is expected


PROD = leaf("query", "contains", "prod")
BASH = leaf("tool", "equals", "Bash")
READ = leaf("tool", "equals", "Read")


@pytest.mark.parametrize(
    ("tree", "expected"),
    [
        ([PROD, BASH], True),
        ([PROD, READ], False),
        ({"all": [PROD, BASH]}, True),
        ({"any": [READ, PROD]}, True),
        ({"any": [READ, {"not": PROD}]}, False),
        ({"not": READ}, True),
        ({"not": {"all": [PROD, READ]}}, True),
        ({"not": {"not": PROD}}, True),
        ([PROD, {"any": [READ, {"all": [BASH, {"not": READ}]}]}], True),
        ([[PROD], [BASH]], True),
    ],
    ids=str,
)
def test_all_any_and_not_nest(tree: Any, expected: bool) -> None:
    assert compile_conditions(tree).test(inputs("production")) is expected


@pytest.mark.parametrize(
    ("alias", "field"), sorted(conditions.FIELD_ALIASES.items()), ids=lambda value: str(value)
)
def test_a_field_has_its_other_names(alias: str, field: str) -> None:
    fields: dict[str, Any] = {} if field in FACTS else {field: "here"}
    operation = Operation(text="", tool="here", fields=fields)
    facts: dict[str, tuple[str, ...]] = {field: ("here",)} if field in FACTS else {}

    node = compile_conditions([leaf(alias, "equals", "here")])

    assert node.test(Inputs(operation, Analysis(facts=facts)))


def test_evidence_says_which_condition_held_and_where() -> None:
    node = compile_conditions({"any": [READ, leaf("query", "contains", "prod"), BASH]})

    evidence = list(node.evidence(inputs("é on production, not prod")))

    assert [(each.path, each.start, each.end) for each in evidence] == [
        ("conditions.any.1", 5, 9),
        ("conditions.any.1", 21, 25),
        ("conditions.any.2", -1, -1),
    ]


def test_evidence_of_a_detector_is_its_findings() -> None:
    evidence = list(compile_conditions([leaf("text", "detects", "pii")]).evidence(inputs("x")))

    assert [(each.kind, each.start, each.end) for each in evidence] == [("pii.ssn", 0, 3)]


def test_past_the_limit_of_places_the_last_one_reaches_to_the_end() -> None:
    text = "ab" * (nodes.MAX_EVIDENCE + 50)

    evidence = list(compile_conditions([leaf("query", "contains", "a")]).evidence(inputs(text)))

    assert len(evidence) == nodes.MAX_EVIDENCE
    assert evidence[-1].start == 2 * (nodes.MAX_EVIDENCE - 1)
    assert evidence[-1].end == len(text)


# --- Refusals -------------------------------------------------------------------------------


def nested(depth: int) -> Any:
    return PROD if depth == 0 else {"not": nested(depth - 1)}


@pytest.mark.parametrize(
    ("raw", "path", "says"),
    [
        (None, "conditions", "A condition is an object"),
        ([], "conditions", "at least one condition"),
        ({}, "conditions.field", "Name a field"),
        ([7], "conditions.0", "A condition is an object"),
        ([{"field": "query"}], "conditions.0.operator", "Operators are"),
        ([{"field": "query", "operator": "contains"}], "conditions.0.value", "missing"),
        ([leaf("", "contains", "x")], "conditions.0.field", "Name a field"),
        ([leaf("qurey", "contains", "x")], "conditions.0.field", "did you mean 'query'?"),
        ([leaf("sql.tables", "equals", "x")], "conditions.0.field", "mean 'sql.table'?"),
        ([leaf("context.", "equals", "x")], "conditions.0.field", "There is no field"),
        ([leaf("user.password", "equals", "x")], "conditions.0.field", "There is no field"),
        ([leaf("query", "is", "x")], "conditions.0.operator", "Operators are"),
        ([leaf("query", "greater_than", 5)], "conditions.0.operator", "neither greater nor less"),
        ([leaf("tool", "detects", "pii")], "conditions.0.field", "looks at query, response or"),
        ([leaf("query", "contains", "")], "conditions.0.value", "at least one character"),
        ([leaf("query", "contains", ["a"])], "conditions.0.value", "at least one character"),
        ([leaf("query", "contains", None)], "conditions.0.value", "at least one character"),
        ([leaf("query", "contains_any", "a")], "conditions.0.value", "a list"),
        ([leaf("query", "contains_any", [])], "conditions.0.value", "a list"),
        ([leaf("query", "in", "a")], "conditions.0.value", "a list"),
        ([leaf("tool", "equals", ["a"])], "conditions.0.value", "lists go with `in`"),
        ([leaf("tool", "equals", {})], "conditions.0.value", "lists go with `in`"),
        ([leaf("context.n", "greater_than", "many")], "conditions.0.value", "Give a number"),
        ([leaf("context.n", "less_than", None)], "conditions.0.value", "Give a number"),
        ([leaf("tool", "exists", "yes")], "conditions.0.value", "true or false"),
        ([leaf("query", "contains", "x" * 10_001)], "conditions.0.value", "at most 10000"),
        ([leaf("query", "in", ["x"] * 1_001)], "conditions.0.value", "at most 1000"),
        ([leaf("query", "matches", "(a")], "conditions.0.value", "Not a pattern"),
        ([leaf("query", "matches", "(?=a)")], "conditions.0.value", "Look-around"),
        ([leaf("query", "matches", r"(a)\1")], "conditions.0.value", "back-references"),
        ([leaf("query", "matches", "a{1001}")], "conditions.0.value", "repeats go up to 1,000"),
        ([leaf("query", "matches", "a" * 1_001)], "conditions.0.value", "at most 1000"),
        ([{"any": PROD}], "conditions.0.any", "a list"),
        ([{"all": []}], "conditions.0.all", "a list"),
        ([{"any": [PROD], "field": "query"}], "conditions.0", "nest it instead"),
        ([{"not": PROD, "all": [PROD]}], "conditions.0", "nest it instead"),
        (
            [{"any": [PROD, {"not": leaf("x", "is", 1)}]}],
            "conditions.0.any.1.not.field",
            "no field",
        ),
        (nested(9), "conditions" + ".not" * 9, "at most 8 deep"),
        ([PROD] * 101, "conditions.100", "at most 100 conditions"),
    ],
    ids=lambda value: str(value)[:60],
)
def test_a_mistake_is_named_where_it_stands(raw: Any, path: str, says: str) -> None:
    with pytest.raises(ConditionsError) as refused:
        compile_conditions(raw)

    assert path in dict(refused.value.errors)
    assert says in dict(refused.value.errors)[path]


@pytest.mark.parametrize(
    "raw",
    [
        nested(8),
        [PROD] * 100,
        [leaf("query", "in", ["x"] * 1_000)],
        [leaf("query", "contains", "x" * 10_000)],
        [leaf("query", "matches", "a" * 1_000)],
        [leaf("query", "matches", "a{1000}")],
    ],
    ids=["depth", "count", "list", "value", "pattern", "repeat"],
)
def test_at_its_limit_a_policy_is_taken(raw: Any) -> None:
    compile_conditions(raw).test(inputs("production"))


def test_all_mistakes_are_named_together() -> None:
    with pytest.raises(ConditionsError) as refused:
        compile_conditions([leaf("x", "is", 1), leaf("query", "contains", ""), PROD, 7])

    assert [path for path, _ in refused.value.errors] == [
        "conditions.0.field",
        "conditions.0.operator",
        "conditions.1.value",
        "conditions.3",
    ]


def test_every_operator_and_field_that_is_offered_works() -> None:
    values: dict[str, Any] = {"in": ["x"], "not_in": ["x"], "contains_any": ["x"], "exists": True}
    for operator in OPERATORS:
        for field in ("query", "response", "text", *FIELDS, *FACTS, "context.key"):
            is_text = field in nodes.TEXT_FIELDS
            if operator == "detects" and not is_text:
                continue
            if operator in {"greater_than", "less_than"} and is_text:
                continue
            value = 1 if operator in {"greater_than", "less_than"} else values.get(operator, "x")
            node = compile_conditions([leaf(field, operator, value)])
            if node.test(inputs("x")):
                assert list(node.evidence(inputs("x")))
