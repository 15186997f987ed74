"""docs/how-to/claude-code.md does what it says: every command on it, run as printed."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Callable
from typing import Any

import pytest

from axonportal.launcher.welcome import hook_configuration
from policies.builtin import BUILTINS
from tests.docs.blocks import PAGE, Block, fenced
from tests.gateway.running import Running

pytestmark = pytest.mark.processes

Run = Callable[[str], "subprocess.CompletedProcess[str]"]
COMMANDS = [block for block in fenced(PAGE) if block.language == "bash"]


def approved(output: str) -> None:
    body = json.loads(output)
    assert body["approved"] is True
    assert body["policies"] == []


def denied_by_the_hook(output: str) -> None:
    specific = json.loads(output)["hookSpecificOutput"]
    assert specific["permissionDecision"] == "deny"
    assert "Destructive database statement" in specific["permissionDecisionReason"]


def created(output: str) -> None:
    body = json.loads(output)
    assert body["name"] == "no-production-from-agents"
    assert body["enabled"] is True


def selected(output: str) -> None:
    assert json.loads(output) | {"id": ""} == {"id": "", "mode": "enforce", "version": 1}


def is_(text: str) -> Callable[[str], None]:
    def check(output: str) -> None:
        assert output == f"{text}\n"

    return check


def healthy(output: str) -> None:
    assert json.loads(output)["status"] == "healthy"


# In the page's order: a piece of each command, and what it has to answer. The later ones use
# what the earlier ones made, as on the page.
EXPECTED: list[tuple[str, Callable[[str], None]]] = [
    ("/health", healthy),
    ("hook_event_name", denied_by_the_hook),
    ("customer_id = 12345", approved),
    (
        "DROP TABLE users; --",
        is_("SQL injection pattern detected; Destructive database statement"),
    ),
    ("call +1 415", is_("pii_phone_detection")),
    ("Production access blocked", created),
    ("{id, mode, version}", selected),
    ("POLICY=", is_("observe")),
    ("pii_phone_detection -d", is_("log")),
    ("your-secret", is_(str(len(BUILTINS) + 1))),  # with the one made above
    ("http_code", is_("405")),
]


def test_every_command_of_the_page_has_its_expectation() -> None:
    assert len(COMMANDS) == len(EXPECTED)
    for block, (piece, _) in zip(COMMANDS, EXPECTED, strict=True):
        assert piece in block.text
        assert block.calls_the_portal


def test_the_commands_of_the_page_answer_what_it_says(run: Run) -> None:
    for block, (_, check) in zip(COMMANDS, EXPECTED, strict=True):
        done = run(block.text)

        assert done.returncode == 0, (block, done)
        check(done.stdout)


def json_blocks() -> list[tuple[Block, Any]]:
    return [(block, json.loads(block.text)) for block in fenced(PAGE) if block.language == "json"]


def test_the_hook_configuration_calls_a_path_that_answers_every_event(portal: Running) -> None:
    configuration = next(value for _, value in json_blocks() if "hooks" in value)

    for event, groups in configuration["hooks"].items():
        for hook in (hook for group in groups for hook in group["hooks"]):
            path = re.fullmatch(r"http://localhost:8080(/\S+)", hook["url"])
            assert path is not None
            status, body = portal.call("POST", path[1], {"hook_event_name": event})
            assert (status, body) == (200, {})
            used = {name[1:] for name in hook["headers"].values() if name.startswith("$")}
            assert used == set(hook["allowedEnvVars"])
            assert hook["type"] == "http"
            assert hook["timeout"] == 10


def test_before_and_after_a_tool_the_page_closes_the_gate_while_the_portal_is_down() -> None:
    configuration = next(value for _, value in json_blocks() if "hooks" in value)

    for event in ("PreToolUse", "PostToolUse"):
        (group,) = configuration["hooks"][event]
        assert "matcher" not in group
        assert [hook["onFailure"] for hook in group["hooks"]] == ["block"]


def test_the_launchers_configuration_is_for_the_same_path_and_closed_too() -> None:
    printed = json.loads(hook_configuration("http://localhost:8080"))
    on_page = next(value for _, value in json_blocks() if "hooks" in value)

    for event, ((group,),) in ((event, (groups,)) for event, groups in printed["hooks"].items()):
        (hook,), (other,) = group["hooks"], on_page["hooks"][event][0]["hooks"]
        assert (hook["url"], hook["onFailure"]) == (other["url"], other["onFailure"])


def test_the_answer_on_the_page_is_of_the_shape_that_is_really_sent(run: Run) -> None:
    shown = next(value for _, value in json_blocks() if "hookSpecificOutput" in value)
    block = next(block for block in COMMANDS if "hook_event_name" in block.text)

    real = json.loads(run(block.text).stdout)

    assert real["hookSpecificOutput"].keys() == shown["hookSpecificOutput"].keys()
    beginning = shown["hookSpecificOutput"]["permissionDecisionReason"].removesuffix(" ...")
    assert real["hookSpecificOutput"]["permissionDecisionReason"].startswith(beginning)
