"""Sign-in, policy form and decision page in a real Chromium, with an eye on its console."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.urls import reverse
from playwright.sync_api import Page, ViewportSize, expect
from pytest_django.live_server_helper import LiveServer

from policies.models import Policy
from tests.audit.records import stored
from tests.factories import TenantFactory
from tests.portal.chromium import opened, sign_in, with_password
from tests.portal.people import FORMS, HOSTILE, LISTS, World, pages_of, world

pytestmark = pytest.mark.browser

PHONE: ViewportSize = {"width": 390, "height": 800}


@pytest.fixture
def ours(transactional_db: None) -> World:
    made = world(TenantFactory(slug="ours"), "ours")
    with_password(made.owner)
    return made


@pytest.fixture
def page(live_server: LiveServer, ours: World) -> Iterator[Page]:
    """A page in which the owner has signed in."""
    with opened(live_server.url) as made:
        made.goto("/admin/")
        sign_in(made, ours.owner)
        expect(made.get_by_role("heading", name="Overview")).to_be_visible()
        yield made


def test_a_policy_is_written_tried_corrected_and_saved(page: Page, ours: World) -> None:
    page.click("text=Policies")
    page.click("text=Add policy")
    page.fill("#id_name", "no production")
    page.fill("[name=conditions_field]", "qery")
    page.select_option("[name=conditions_operator]", "contains")
    page.fill("[name=conditions_value]", "production")
    page.locator(".field-conditions [data-add]").click()
    second = page.locator(".field-conditions [data-row]").nth(1)
    second.locator("[name=conditions_field]").fill("tool")
    second.locator("[name=conditions_operator]").select_option("equals")
    second.locator("[name=conditions_value]").fill("Bash")
    page.select_option("[name=actions_type]", "block")
    page.click("[name=_save]")

    expect(page.locator(".node-error")).to_contain_text("conditions.0.field")
    page.locator("[name=conditions_field]").first.fill("query")
    page.fill("#id_try_text", "kubectl delete pod -n production")
    page.click("[name=_try]")
    expect(page.locator(".trial-result mark.policy")).to_have_text("production")
    expect(page.locator(".node-error")).to_have_count(0)
    page.click("[name=_save]")

    expect(page.locator(".messagelist")).to_contain_text("no production")
    policy = Policy.objects.get(name="no production")
    assert [condition["field"] for condition in policy.conditions] == ["query", "tool"]


def test_one_click_leads_from_the_list_to_the_reason(page: Page, ours: World) -> None:
    row = stored(tenant_id=ours.tenant.pk, query=HOSTILE, verdict="deny", block_reason="No.")
    page.click("text=Decisions")
    page.locator(".rows tbody tr").first.click()

    expect(page).to_have_url(
        f"{page.url.split('/admin/')[0]}/admin/audit/gatewaycontext/{row.pk}/change/"
    )
    expect(page.locator("h1")).to_contain_text("Denied")
    expect(page.locator("pre.text")).to_contain_text("<script>alert(1)</script>")
    expect(page.locator("pre.text .unseen").first).to_have_text("U+202E")


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_no_page_scrolls_sideways_on_a_phone(page: Page, ours: World, theme: str) -> None:
    page.emulate_media(color_scheme="dark" if theme == "dark" else "light")
    page.set_viewport_size(PHONE)
    urls = [*(reverse(name) for name in (LISTS | FORMS).values()), *pages_of(ours).values()]

    for url in urls:
        page.goto(url)

        wide = page.evaluate("document.documentElement.scrollWidth")
        assert wide <= PHONE["width"], url


def test_the_theme_is_switched_and_remembered(page: Page) -> None:
    ground = "getComputedStyle(document.body).backgroundColor"
    page.emulate_media(color_scheme="light")
    before = page.evaluate(ground)

    page.click(".theme-toggle")
    page.reload()

    assert page.evaluate(ground) != before
