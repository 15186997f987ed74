"""The form of a policy: rows and JSON, mistakes at their node, the trial, versions."""

from __future__ import annotations

import html
import json
from typing import Any

import pytest
from django.http import QueryDict
from django.test import Client as Browser
from django.urls import reverse

from audit.models import AuditEvent, GatewayContext
from policies.builtin import BUILTINS
from policies.editors import (
    FIELD_HELP,
    OPERATOR_HELP,
    ActionsEditor,
    ConditionsEditor,
    Editor,
    SelectorEditor,
)
from policies.engine.conditions import FACTS, FIELDS, OPERATORS
from policies.engine.nodes import TEXT_FIELDS
from policies.models import Policy
from tests.factories import approver, saved_policy
from tests.portal.people import World, browser, member, pages_of, policy_form

ADD = "/admin/policies/policy/add/"
TERMS: dict[str, Any] = {
    "approvers": ["leads", "ops"],
    "quorum": 2,
    "one_denial_settles": False,
    "approve_needs_reason": True,
    "expires_in_s": 5_400,
    "grant_life_s": 86_400,
    "escalation": [
        {"after_s": 90, "approvers": ["leads"]},
        {"after_s": 7_200, "approvers": ["leads", "ops"]},
    ],
}
DEFAULTS: dict[str, Any] = {
    "quorum": 1,
    "one_denial_settles": True,
    "approve_needs_reason": False,
    "expires_in_s": 86_400,
    "grant_life_s": 3_600,
}


def _add(visitor: Browser, ours: World, **changed: Any) -> Any:
    return visitor.post(ADD, policy_form(tenant=ours.tenant.pk, **changed))


def test_saving_makes_a_policy_a_version_and_an_event(owner: Browser, ours: World) -> None:
    answer = _add(owner, ours)

    policy = Policy.objects.get(name="no production")
    assert answer.status_code == 302
    assert policy.tenant == ours.tenant
    assert policy.conditions == [{"field": "query", "operator": "contains", "value": "production"}]
    assert policy.actions == [{"type": "block", "message": "Ask the team first"}]
    version = policy.versions.get()
    assert (version.author, version.note) == (ours.owner.username, "asked for by operations")
    event = AuditEvent.objects.get(kind="policy.create", target_id=str(policy.pk))
    assert (event.actor, event.tenant_id) == (ours.owner.username, ours.tenant.pk)


def test_changing_makes_the_next_version_and_saving_the_same_makes_none(
    owner: Browser, ours: World
) -> None:
    url = pages_of(ours)["policy"]
    same = policy_form(
        name="ours-policy", severity="medium", actions_message=["Production access blocked"]
    )

    owner.post(url, same)
    unchanged = Policy.objects.get(pk=ours.policy.pk).version
    owner.post(url, same | {"mode": "observe", "note": "look first"})

    policy = Policy.objects.get(pk=ours.policy.pk)
    assert unchanged == 1
    assert (policy.version, policy.mode) == (2, "observe")
    assert policy.versions.first().note == "look first"  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("changed", "nodes"),
    [
        ({"conditions_field": ["qery"]}, ["conditions.0.field"]),
        ({"conditions_operator": ["matches"], "conditions_value": ["(x"]}, ["conditions.0.value"]),
        (
            {
                "conditions_field": ["query", "tool", "nope"],
                "conditions_operator": ["contains", "is", "equals"],
                "conditions_value": ["a", "b", "c"],
            },
            ["conditions.1.operator", "conditions.2.field"],
        ),
        ({"actions_type": ["explode"]}, ["actions.0.type"]),
        ({"applies_to_phases": "sometime"}, ["applies_to.phases"]),
    ],
    ids=["field", "pattern", "two of three", "action", "phase"],
)
def test_a_mistake_is_told_at_its_node(
    owner: Browser, ours: World, changed: dict[str, Any], nodes: list[str]
) -> None:
    page = _add(owner, ours, **changed).content.decode()

    told = page.split('<p class="node-error"><code>')[1:]
    assert [text.partition("<")[0] for text in told] == nodes
    assert not Policy.objects.filter(name="no production").exists()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('{"any": []}', "conditions.any: Give a list"),
        ('{"any": [{"field": "x"}]}', "conditions.any.0.field"),
        ("[", "Not JSON"),
        ("", "Give a list of at least one condition"),
        ("[" * 5000, "nested too deep"),
        ("[" * 300_000, "At most 200000 characters"),
        ('"text"', "A condition is an object"),
    ],
    ids=["empty group", "node", "no json", "nothing", "deep", "long", "no object"],
)
def test_json_is_checked_like_rows(owner: Browser, ours: World, text: str, said: str) -> None:
    answer = _add(owner, ours, conditions_as="json", conditions_json=text)

    assert answer.status_code == 200
    assert said in html.unescape(answer.content.decode())
    assert not Policy.objects.filter(name="no production").exists()


def test_a_tree_is_written_and_shown_as_json(owner: Browser, ours: World) -> None:
    tree = {"any": [{"field": "tool", "operator": "in", "value": ["Bash", "Write"]}]}

    _add(owner, ours, conditions_as="json", conditions_json=json.dumps(tree))

    policy = Policy.objects.get(name="no production")
    page = owner.get(policy.get_absolute_url()).content.decode()
    assert policy.conditions == tree
    assert 'name="conditions_as" value="json" checked' in page


@pytest.mark.parametrize(
    ("editor", "value", "rows"),
    [
        (ConditionsEditor, [{"field": "tool", "operator": "in", "value": ["a", "b"]}], True),
        (ConditionsEditor, [{"field": "tool", "operator": "exists", "value": True}], True),
        (ConditionsEditor, [{"field": "context.n", "operator": "less_than", "value": 3}], True),
        (ConditionsEditor, [{"field": "context.n", "operator": "equals", "value": 3}], False),
        (ConditionsEditor, [{"field": "query", "operator": "contains", "value": " a\nb "}], True),
        (ConditionsEditor, [{"field": "tool", "operator": "in", "value": [" a "]}], False),
        (ConditionsEditor, [{"not": {"field": "tool", "operator": "exists"}}], False),
        (ActionsEditor, [{"type": "block", "message": "No", "approvers": ["sec"]}], True),
        (ActionsEditor, [{"type": "block", "config": {"message": "No"}}], False),
        (ActionsEditor, [{"type": "block", "approvers": ["a, b"]}], False),
        (ActionsEditor, [{"type": "require_approval", **TERMS}], True),
        (ActionsEditor, [{"type": "require_approval", **TERMS, "quorum": "each_group"}], True),
        (ActionsEditor, [{"type": "require_approval", **DEFAULTS}], True),
        (ActionsEditor, [{"type": "require_approval", "quorum": True}], False),
        (ActionsEditor, [{"type": "require_approval", "one_denial_settles": 1}], False),
        (ActionsEditor, [{"type": "require_approval", "expires_in_s": 3600.0}], False),
        (ActionsEditor, [{"type": "require_approval", "grant_life_s": 0}], False),
        (ActionsEditor, [{"type": "require_approval", "escalation": []}], False),
        (
            ActionsEditor,
            [{"type": "x", "escalation": [{"after_s": 60, "approvers": ["a, b"]}]}],
            False,
        ),
        (ActionsEditor, [{"type": "redact", "style": "hash"}], False),
        (SelectorEditor, {"tools": ["Bash", "mcp__*"], "phases": ["after"]}, True),
        (SelectorEditor, {"tools": ["a,b"]}, False),
        (SelectorEditor, {}, True),
    ],
)
def test_rows_are_used_only_where_they_lose_nothing(
    editor: type[Editor], value: Any, rows: bool
) -> None:
    draft = editor().draft_of(value)

    assert draft.as_json is not rows
    if rows:
        data = QueryDict(mutable=True)
        data["x_as"] = "rows"
        for row in draft.rows:
            for column, cell in row.items():
                data.appendlist(f"x_{column}", cell)
        assert editor().value_from_datadict(data, {}, "x").value == value


@pytest.mark.parametrize("builtin", BUILTINS, ids=lambda builtin: builtin.name)
def test_every_built_in_policy_is_shown_in_rows(builtin: Any) -> None:
    assert not ConditionsEditor().draft_of(builtin.conditions).as_json
    assert not ActionsEditor().draft_of(builtin.actions).as_json
    assert not SelectorEditor().draft_of(builtin.applies_to).as_json


def test_every_field_and_operator_is_explained() -> None:
    assert {*TEXT_FIELDS, *FIELDS, *FACTS} <= set(FIELD_HELP)
    assert set(OPERATORS) == set(OPERATOR_HELP)


def test_trying_a_draft_shows_its_verdict_and_saves_nothing(owner: Browser, ours: World) -> None:
    before = GatewayContext.objects.count()

    page = _add(owner, ours, _try="1", try_text="to production; now", try_phase="before")

    text = page.content.decode()
    assert page.status_code == 200
    assert "This policy" in text
    assert ">Denied<" in text
    assert '<mark class="found policy" title="1: pattern of no production" data-n="1">' in text
    assert "Please correct" not in text
    assert not Policy.objects.filter(name="no production").exists()
    assert GatewayContext.objects.count() == before


def test_a_draft_is_tried_among_the_other_policies(owner: Browser, ours: World) -> None:
    saved_policy(
        ours.tenant,
        name="other",
        conditions=[{"field": "query", "operator": "contains", "value": "elsewhere"}],
    )

    page = _add(owner, ours, _try="1", try_text="to elsewhere", try_phase="before")

    text = page.content.decode()
    assert "does not match" in text
    assert "other (block)" in text


def test_a_draft_with_mistakes_is_not_tried(owner: Browser, ours: World) -> None:
    page = _add(
        owner, ours, _try="1", try_text="x", try_phase="before", conditions_field=["qery"]
    ).content.decode()

    assert "The draft could not be tried" in page
    assert "<code>conditions.0.field</code>" in page


def test_a_name_is_taken_once(owner: Browser, ours: World) -> None:
    page = _add(owner, ours, name="ours-policy").content.decode()

    assert "There is a policy of this name" in page


def test_a_built_in_policy_is_changed_but_not_deleted(owner: Browser, ours: World) -> None:
    builtin = Policy.objects.get(tenant=ours.tenant, builtin="sql_injection_detection")
    change = reverse("admin:policies_policy_change", args=[builtin.pk])

    page = owner.get(change).content.decode()
    deletion = owner.post(
        reverse("admin:policies_policy_delete", args=[builtin.pk]), {"post": "yes"}
    )

    assert 'name="_save"' in page
    assert "not deleted" in page
    assert deletion.status_code == 403


def test_an_own_policy_is_deleted_and_its_versions_stay(owner: Browser, ours: World) -> None:
    answer = owner.post(pages_of(ours)["policy deletion"], {"post": "yes"})

    assert answer.status_code == 302
    assert not Policy.objects.for_tenant(ours.tenant.pk).filter(pk=ours.policy.pk).exists()
    page = owner.get(pages_of(ours)["policy versions"]).content.decode()
    assert "this policy is deleted" in page
    assert "Version 2" in page
    assert AuditEvent.objects.filter(kind="policy.delete").exists()


def test_versions_show_what_changed_and_can_be_taken_up_again(owner: Browser, ours: World) -> None:
    owner.post(
        pages_of(ours)["policy"],
        policy_form(name="ours-policy", conditions_value=["prod<script>"], note="wider"),
    )
    url = pages_of(ours)["policy versions"]

    page = owner.get(url).content.decode()
    owner.post(url, {"version": "1"})

    assert "“wider”" in page
    assert '<span class="removed">−' in page
    assert "prod&lt;script&gt;" in page
    policy = Policy.objects.get(pk=ours.policy.pk)
    assert policy.version == 3
    assert policy.conditions == policy.versions.get(version=1).snapshot["conditions"]


def test_an_auditor_reads_a_policy_and_cannot_save_it(ours: World) -> None:
    auditor = browser(member(ours.tenant, "auditor"))
    url = pages_of(ours)["policy"]

    page = auditor.get(url).content.decode()
    saved = auditor.post(url, policy_form(name="ours-policy", mode="observe"))
    tried = auditor.post(url, policy_form(name="ours-policy", _try="1", try_text="x"))
    taken_up = auditor.post(pages_of(ours)["policy versions"], {"version": "1"})
    added = auditor.post(ADD, policy_form(tenant=ours.tenant.pk))

    assert 'name="_save"' not in page
    assert "production" in page
    codes = {answer.status_code for answer in (saved, tried, taken_up, added)}
    assert codes == {403}
    assert Policy.objects.get(pk=ours.policy.pk).version == 1


@pytest.mark.parametrize(
    ("setting", "shown"),
    [("", ">redact<"), ("log", "PII_ACTION")],
    ids=["as written", "switched"],
)
def test_the_list_names_the_setting_that_stands_for_an_action(
    owner: Browser, ours: World, settings: Any, setting: str, shown: str
) -> None:
    settings.AXON_CATEGORY_ACTIONS = {"PII_ACTION": setting}

    page = owner.get("/admin/policies/policy/?q=pii_ssn").content.decode()

    assert shown in page


def test_the_list_counts_the_matches_of_a_day(owner: Browser, ours: World) -> None:
    page = owner.get("/admin/policies/policy/?q=ours-policy").content.decode()

    assert "?policy=ours-policy&amp;window=24h" in page


# --- Terms of an approval -----------------------------------------------------------------


def _terms(**cells: str) -> dict[str, Any]:
    """What the browser sends for a policy that asks for approval, with these terms."""
    return {
        "actions_type": ["require_approval"],
        "actions_approvers": ["leads"],
        **{f"actions_{name}": [cell] for name, cell in cells.items()},
    }


def test_terms_are_set_in_rows(owner: Browser, ours: World) -> None:
    approver(ours.tenant, "leads", "ops")
    approver(ours.tenant, "leads")

    answer = _add(
        owner,
        ours,
        **_terms(
            approvers="leads, ops",
            quorum="2",
            one_denial_settles="no",
            approve_needs_reason="yes",
            expires_in_s="90 min",
            grant_life_s="1d",
            escalation="90: leads\r\n2 h: leads, ops\r\n",
        ),
    )

    assert answer.status_code == 302
    policy = Policy.objects.get(name="no production")
    message = {"type": "require_approval", "message": "Ask the team first"}
    assert policy.actions == [message | TERMS]
    page = owner.get(policy.get_absolute_url()).content.decode()
    assert 'name="actions_as" value="rows" checked' in page
    assert 'name="actions_expires_in_s" value="90 min"' in page
    assert "90 s: leads\n2 h: leads, ops</textarea>" in page


def test_terms_left_empty_are_left_out(owner: Browser, ours: World) -> None:
    approver(ours.tenant, "leads")

    _add(owner, ours, **_terms())

    assert Policy.objects.get(name="no production").actions == [
        {"type": "require_approval", "message": "Ask the team first", "approvers": ["leads"]}
    ]


@pytest.mark.parametrize(
    ("cells", "nodes"),
    [
        ({"quorum": "many"}, ["actions.0.quorum"]),
        ({"quorum": "9"}, ["actions.0.quorum"]),
        ({"expires_in_s": "soon"}, ["actions.0.expires_in_s"]),
        ({"expires_in_s": "8 d", "grant_life_s": "1 s"}, [
            "actions.0.expires_in_s", "actions.0.grant_life_s"]),
        ({"escalation": "leads"}, ["actions.0.escalation"]),
        ({"escalation": "soon: leads"}, ["actions.0.escalation"]),
        ({"escalation": "1 h: nobody"}, ["actions.0.escalation"]),
        ({"approvers": "leads, nobody"}, ["actions.0.approvers"]),
    ],
)  # fmt: skip
def test_a_mistake_in_the_terms_is_told_beside_them(
    owner: Browser, ours: World, cells: dict[str, str], nodes: list[str]
) -> None:
    approver(ours.tenant, "leads")

    page = _add(owner, ours, **_terms(**cells)).content.decode()

    told = page.split('<p class="node-error"><code>')[1:]
    assert [text.partition("<")[0] for text in told] == nodes
    for cell in cells.values():
        assert html.escape(cell) in page  # as it was written
    assert not Policy.objects.filter(name="no production").exists()


def test_the_groups_of_ones_own_tenants_are_offered(
    owner: Browser, ours: World, theirs: World
) -> None:
    approver(ours.tenant, "leads", username="ada")

    page = owner.get(ADD).content.decode()

    offered = page.split('<datalist id="actions-groups">')[1].partition("</datalist>")[0]
    assert 'value="leads"' in offered
    assert 'value="ours-group"' in offered
    assert "theirs" not in page
    assert "<code>leads</code> (ada)" in page


def test_the_page_of_a_policy_says_who_could_answer_now(ours: World) -> None:
    approver(ours.tenant, "leads", username="ada")
    last = approver(ours.tenant, "ops", username="bob")
    policy = saved_policy(
        ours.tenant,
        name="asks",
        actions=[
            {
                "type": "require_approval",
                "approvers": ["ops"],
                "escalation": [{"after_s": 600, "approvers": ["leads"]}],
            }
        ],
    )
    for role in ("owner", "auditor"):
        visitor = browser(member(ours.tenant, role))
        url = policy.get_absolute_url()

        before = visitor.get(url).content.decode()
        last.is_active = False
        last.save()
        after = visitor.get(url).content.decode()
        last.is_active = True
        last.save()

        assert "Who could answer now" in before
        assert "<dd>bob</dd>" in before
        assert "after 10 min" in before
        assert "<dd>ada</dd>" in before
        assert "errornote" not in before
        assert "Nobody in the group &#x27;ops&#x27; can answer" in after
        assert "<dd>nobody</dd>" in after


def test_a_policy_that_asks_nobody_says_nothing_of_it(owner: Browser, ours: World) -> None:
    assert "Who could answer now" not in owner.get(pages_of(ours)["policy"]).content.decode()
