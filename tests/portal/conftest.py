from __future__ import annotations

import pytest
from django.test import Client as Browser

from tests.factories import TenantFactory
from tests.portal.people import World, browser, world


@pytest.fixture
def ours(db: None) -> World:
    return world(TenantFactory(slug="ours"), "ours")


@pytest.fixture
def theirs(db: None) -> World:
    return world(TenantFactory(slug="theirs"), "theirs")


@pytest.fixture
def owner(ours: World) -> Browser:
    """An owner of our tenant, signed in."""
    return browser(ours.owner)
