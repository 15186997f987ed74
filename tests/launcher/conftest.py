from __future__ import annotations

from collections.abc import Iterator

import pytest

from axonportal.launcher.supervisor import Supervisor


@pytest.fixture
def lines() -> list[str]:
    """What the supervisor has written so far."""
    return []


@pytest.fixture
def supervisor(lines: list[str]) -> Iterator[Supervisor]:
    supervisor = Supervisor(lines.append)
    yield supervisor
    supervisor.stop()
    supervisor.close()
