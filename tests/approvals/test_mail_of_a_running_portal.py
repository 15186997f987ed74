"""A portal as a person starts it: the worker mails, and beat brings back what failed."""

from __future__ import annotations

import re
from typing import Any, LiteralString

import psycopg
import pytest

from tests.approvals.holding import QUERY, SEED
from tests.approvals.receiving import free_port, mailbox, text_of, until
from tests.gateway.running import Running, running

pytestmark = pytest.mark.processes
# A nudge starts the first try; the sweep of beat, once the first wait is over, the next.
SOON_S = 60.0
SENT = "SELECT 1 FROM approvals_notification WHERE channel = 'mail' AND status = 'sent'"


def test_a_mail_that_failed_while_the_server_was_down_arrives_by_itself() -> None:
    port = free_port()
    with running(
        AXON_EMAIL_URL=f"smtp://127.0.0.1:{port}",
        AXON_EMAIL_FROM="Axon Portal <portal@example.com>",
    ) as portal:
        query(portal, "UPDATE accounts_user SET email = 'admin@example.com' RETURNING 1")
        assert portal.call("POST", "/api/v1/policies", SEED)[0] == 201
        assert portal.pre_check(QUERY)["verdict"] == "hold"
        until(lambda: tried_in_vain(portal), SOON_S)

        with mailbox(port) as box:
            until(lambda: box.mails, SOON_S)
            until(lambda: query(portal, SENT), SOON_S)

        assert box.recipients == ["admin@example.com"]
        link = re.search(r"http://localhost:\d+(/approvals/\S+)", text_of(box.mails[0]))
        assert link is not None
        # Whom the link leads to is asked to sign in.
        assert portal.call("HEAD", link[1])[0] == 302


def query(portal: Running, sql: LiteralString) -> Any:
    with psycopg.connect(portal.environment["AXON_DATABASE_URL"]) as connection:
        return connection.execute(sql).fetchone()


def tried_in_vain(portal: Running) -> Any:
    return query(
        portal,
        "SELECT 1 FROM approvals_notification WHERE channel = 'mail' AND status = 'pending' "
        "AND attempts > 0 AND last_error <> '' AND leased_until IS NULL",
    )
