"""The integration guide's own commands, run as printed against the running portal.

The guide lies beside a checkout, not in it: elsewhere these tests have nothing to read. In
continuous integration it has to be there.
"""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.docs.blocks import GUIDE, commands, script
from tests.gateway.running import Running

pytestmark = [
    pytest.mark.processes,
    pytest.mark.skipif(
        not GUIDE.exists() and os.environ.get("CI") != "true",
        reason="the integration guide is not beside this checkout",
    ),
]

Run = Callable[[str], "subprocess.CompletedProcess[str]"]
# A piece of each command of the guide, in its order, and what becomes of it here.
LATER = {"api/v1/mcp/query": "the MCP gateway's issue"}
PIECES = [
    "api/v1/mcp/query",
    "claude-code-production-block",
    "customer_id = 12345",
    "-X PUT http://localhost:8081/api/v1/policies/{id}",
    "production-approval-required",
    "curl http://localhost:8080/health",
    "curl -v http://localhost:8080/api/policy/pre-check",
    "claude-code-governance",
    "DROP TABLE users",
]


@pytest.fixture(scope="module")
def guide() -> str:
    return GUIDE.read_text(encoding="utf-8")


def command(guide: str, piece: str) -> str:
    """The guide's one command with that piece. A block's lines after `| jq` belong to it."""
    (text,) = [block.text for block in commands(guide) if piece in block.text]
    return text


def test_every_command_of_the_guide_has_its_case(guide: str) -> None:
    found = [block.text for block in commands(guide) if block.calls_the_portal]

    assert len(found) == len(PIECES)
    for text, piece in zip(found, PIECES, strict=True):
        assert piece in text
    assert set(LATER) <= set(PIECES)


def test_health(guide: str, run: Run) -> None:
    done = run(command(guide, "8080/health"))

    assert json.loads(done.stdout)["status"] == "healthy"


def test_the_connectivity_check_meets_json(guide: str, run: Run) -> None:
    done = run(command(guide, "curl -v"))

    assert json.loads(done.stdout)["status"] == 405
    assert "application/problem+json" in done.stderr


def test_the_query_for_orders_is_approved_as_its_response_shows(guide: str, run: Run) -> None:
    body = json.loads(run(command(guide, "customer_id = 12345")).stdout)

    assert body["context_id"].startswith("ctx_")
    assert (body["approved"], body["policies"]) == (True, [])
    assert body["expires_at"].endswith("Z")


def test_the_manual_evaluation_is_blocked(guide: str, run: Run) -> None:
    body = json.loads(run(command(guide, '"query": "DROP TABLE users"')).stdout)

    assert body["approved"] is False
    assert body["policies"] == ["dangerous_query_blocking"]


def test_the_jq_filter_on_the_policies_works(guide: str, run: Run, portal: Running) -> None:
    text = command(guide, "claude-code-governance")
    nothing = run(text)
    portal.call(
        "POST",
        "/api/v1/policies",
        {
            "name": "claude-code-governance",
            "conditions": [{"field": "query", "operator": "equals", "value": "x"}],
            "actions": [{"type": "log"}],
        },
    )

    found = run(text)

    assert (nothing.returncode, nothing.stdout) == (0, "")
    assert json.loads(found.stdout)["name"] == "claude-code-governance"


def test_the_custom_policy_is_made_enforced_and_put_into_log_mode(
    guide: str, run: Run, portal: Running
) -> None:
    made = json.loads(run(command(guide, "claude-code-production-block")).stdout)
    blocked = portal.pre_check("SELECT 1 FROM production.users")

    # `{id}` stands for the policy's id on the page.
    put = command(guide, "-X PUT").replace("{id}", made["id"])
    changed = json.loads(run(put).stdout)
    logged = portal.pre_check("SELECT 1 FROM production.users")

    assert (blocked["approved"], blocked["block_reason"]) == (False, "Production access blocked")
    assert changed["actions"][0]["type"] == "log"
    assert (logged["approved"], logged["policies"]) == (True, ["claude-code-production-block"])


def test_the_approval_policy_is_made_and_holds(guide: str, run: Run, portal: Running) -> None:
    """How a held operation is approved comes with the approvals' own issue."""
    made = json.loads(run(command(guide, "production-approval-required")).stdout)

    held = portal.pre_check("deploy to production")

    assert (held["approved"], held["verdict"]) == (False, "hold")
    assert "security-team" in held["block_reason"]
    portal.call("DELETE", f"/api/v1/policies/{made['id']}")


def test_pii_is_named_as_its_second_response_shows(portal: Running) -> None:
    body = portal.pre_check("mail jane.roe@acme-corp.com, call +1 415 555 2671")

    assert (body["approved"], body["requires_redaction"]) == (True, True)
    assert body["policies"] == ["pii_email_detection", "pii_phone_detection"]


@pytest.fixture
def hook(guide: str, portal: Running, tmp_path: Path) -> Run:
    """The guide's `pre-tool.sh`, installed and called with its two arguments."""
    path = tmp_path / "pre-tool.sh"
    text = script(guide, "#!/bin/bash", "exit 0")
    path.write_text(text.replace("localhost:8080", f"localhost:{portal.port}"))
    path.chmod(0o755)

    def call(arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["bash", "-c", f"{path} {arguments}"],
            env={"PATH": os.environ["PATH"], "HOME": str(tmp_path)},
            capture_output=True,
            text=True,
            timeout=30,
        )

    return call


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        pytest.param('"Bash" "ls -la"', 0, "", id="the manual test"),
        pytest.param('"mcp__postgres" "DROP TABLE users; --"', 1, "BLOCKED: SQL inj", id="SQL"),
        pytest.param('"Bash" "rm -rf /"', 1, "BLOCKED: Dangerous command", id="command"),
        pytest.param(
            '"Bash" "call +1 415 555 2671"', 0, "required (policies: pii_phone", id="redaction"
        ),
        pytest.param('"Read" "/etc/passwd"', 0, "", id="not governed"),
    ],
)
def test_the_hook_script_works(hook: Run, arguments: str, code: int, says: str) -> None:
    done = hook(arguments)

    assert done.returncode == code, done
    assert says in done.stderr
    if not says:
        assert done.stderr == ""


def test_the_sdks_call_is_answered_with_what_it_parses(portal: Running) -> None:
    """Option 3 of the guide, as the official SDK 9.5.0 sends it (the package is no part of ours):
    the fields whose absence it meets with a bare KeyError, and the guide's credentials."""
    done = subprocess.run(
        [
            "curl", "-s", "-w", "\n%{http_code} %{redirect_url}",
            "-u", "claude-code:your-secret",
            "-H", "Content-Type: application/json",
            "-H", "X-Client-ID: claude-code",
            "-H", "X-Axonflow-Client: sdk-python/9.5.0",
            "-H", "User-Agent: axonflow-sdk-python/9.5.0",
            "-d", json.dumps({
                "user_token": "developer", "client_id": "claude-code", "query": "ls -la",
                "data_sources": [], "context": {"tool": "Bash", "source": "claude-code"},
            }),
            f"http://localhost:{portal.port}/api/policy/pre-check",
        ],
        capture_output=True, text=True, timeout=30, check=True,
    )  # fmt: skip
    text, _, status = done.stdout.rpartition("\n")
    body = json.loads(text)

    assert status == "200 "
    assert body["approved"] is True
    assert isinstance(body["policies"], list)
    assert {"context_id", "expires_at"} <= body.keys()
    assert None not in body.values()
