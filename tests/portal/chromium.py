"""A real Chromium whose console is listened to."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from django.db import connections
from playwright.sync_api import ConsoleMessage, Page, expect, sync_playwright

from axonportal.accounts.models import User

CHROMIUM = next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), ""
)
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
]
PASSWORD = "a-good-password"


@contextmanager
def opened(url: str, *, javascript: bool = True, refusals: str = "") -> Iterator[Page]:
    """A page of the portal at `url`; anything on its console is a failure.

    Chromium tells there of every answer of 400 and above; `refusals` is the one that is meant.
    """
    if not CHROMIUM and os.environ.get("CI") != "true":
        pytest.skip("no Chromium is installed here; CI has one")
    said: list[str] = []

    def hear(message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"} and not (refusals and refusals in message.text):
            said.append(message.text)

    with pytest.MonkeyPatch.context() as patch, sync_playwright() as playwright:
        # Playwright keeps an event loop in this thread, which Django would take for async code.
        patch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "1")
        chromium = playwright.chromium.launch(executable_path=CHROMIUM or None, args=ARGUMENTS)
        context = chromium.new_context(base_url=url, java_script_enabled=javascript)
        page = context.new_page()
        page.set_default_timeout(15_000)
        page.on("console", hear)
        page.on("pageerror", lambda error: said.append(str(error)))
        yield page
        chromium.close()
        connections.close_all()  # those that were opened beside that event loop
    assert said == []


def with_password(user: User) -> User:
    """The person, who can sign in with `PASSWORD`."""
    user.set_password(PASSWORD)
    user.save()
    return user


def sign_in(page: Page, user: User) -> None:
    """Type name and password into the sign-in form that is open."""
    page.fill("#id_username", user.username)
    page.fill("#id_password", PASSWORD)
    page.click("button.primary")
    expect(page.locator("#user-tools form")).to_be_visible()
