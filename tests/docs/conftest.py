from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.gateway.running import Running, running

Run = Callable[[str], "subprocess.CompletedProcess[str]"]


@pytest.fixture(scope="module")
def portal() -> Iterator[Running]:
    """A portal that was started as `make run` starts it, new for each file of tests."""
    with running() as up:
        yield up


@pytest.fixture
def run(portal: Running, tmp_path: Path) -> Run:
    """Runs a block as printed; only the ports are those of the test's portal."""

    def command(text: str) -> subprocess.CompletedProcess[str]:
        ported = re.sub(r"localhost:8080\b", f"localhost:{portal.port}", text)
        ported = re.sub(r"localhost:8081\b", f"localhost:{portal.policy_port}", ported)
        return subprocess.run(
            ["bash", "-c", ported],
            env={"PATH": os.environ["PATH"], "HOME": str(tmp_path), "USER": "developer"},
            capture_output=True,
            text=True,
            timeout=60,
        )

    return command
