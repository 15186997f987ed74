from __future__ import annotations

import ipaddress
import socket
from collections.abc import Iterator
from typing import Any

import pytest
from pytest_django import Settings

from tests.approvals.receiving import Hooks, Mailbox, hooks, mailbox
from tests.gateway.fixtures import (  # noqa: F401 (fixtures for the tests of this folder)
    api,
    credential_cache,
    demo,
    hook_api,
    tenant,
)


@pytest.fixture
def box(settings: Settings) -> Iterator[Mailbox]:
    """The portal's mail server."""
    with mailbox() as opened:
        settings.EMAIL_HOST = "127.0.0.1"
        settings.EMAIL_PORT = opened.port
        settings.DEFAULT_FROM_EMAIL = "Axon Portal <portal@example.com>"
        yield opened


@pytest.fixture
def receiver(settings: Settings) -> Iterator[Hooks]:
    """A receiver of webhooks on this machine, whose network the deployment allows."""
    settings.AXON_WEBHOOK_ALLOWED_NETWORKS = [ipaddress.ip_network("127.0.0.0/8")]
    with hooks() as opened:
        yield opened


@pytest.fixture
def resolver(monkeypatch: pytest.MonkeyPatch) -> dict[str, list[str]]:
    """Names and the addresses that each question is answered with, one after the other."""
    names: dict[str, list[str]] = {}
    real = socket.getaddrinfo

    def answer(host: Any, port: Any, *args: Any, **options: Any) -> Any:
        if host not in names:
            return real(host, port, *args, **options)
        address = names[host].pop(0) if len(names[host]) > 1 else names[host][0]
        return real(address, port, *args, **options)

    monkeypatch.setattr(socket, "getaddrinfo", answer)
    return names
