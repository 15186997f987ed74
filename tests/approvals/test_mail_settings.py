"""The settings of mail and webhooks, and what the checks say about them."""

from __future__ import annotations

import pytest
from django.core.checks import run_checks
from django.core.exceptions import ImproperlyConfigured
from pytest_django import Settings

from axonportal import env
from axonportal.env import MailServer


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("", MailServer()),
        ("smtp://relay", MailServer(host="relay", port=25)),
        (
            "smtp+tls://me%40x.org:p%3Ass@mail.x.org",
            MailServer(
                host="mail.x.org", port=587, user="me@x.org", password="p:ss", starttls=True
            ),
        ),
        ("smtps://mail.x.org:2465", MailServer(host="mail.x.org", port=2465, tls=True)),
    ],
)
def test_a_mail_server_is_read(url: str, expected: MailServer) -> None:
    assert env.mail_server(url) == expected


@pytest.mark.parametrize(
    "url", ["hush.x.org", "http://me:hush@mail.x.org", "smtp://", "smtp://x:hush/"]
)
def test_what_is_no_mail_server_ends_the_start_and_tells_no_password(url: str) -> None:
    with pytest.raises(ImproperlyConfigured, match="AXON_EMAIL_URL") as refusal:
        env.mail_server(url)

    assert "hush" not in str(refusal.value)


def test_a_network_misspelt_ends_the_start(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AXON_WEBHOOK_ALLOWED_NETWORKS", "10.0.0.0/8, 10.1.2.3/8")

    with pytest.raises(ImproperlyConfigured, match="has host bits set"):
        env.networks("AXON_WEBHOOK_ALLOWED_NETWORKS")


@pytest.mark.parametrize(
    ("host", "sender", "expected"),
    [
        ("", "", {"approvals.W001"}),
        ("mail.x.org", "Portal <portal@x.org>", set()),
        ("mail.x.org", "Portal", {"approvals.E001"}),
    ],
)
def test_the_checks_say_when_mail_is_off_or_has_no_sender(
    settings: Settings, host: str, sender: str, expected: set[str]
) -> None:
    settings.EMAIL_HOST, settings.DEFAULT_FROM_EMAIL = host, sender

    found = {message.id for message in run_checks(include_deployment_checks=True)}

    assert {one for one in found if one and one.startswith("approvals.")} == expected
