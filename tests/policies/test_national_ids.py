"""`AXON_NATIONAL_IDS`: the countries whose national numbers the engine looks for."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from django.apps import apps
from django.conf import settings as all_settings
from pytest_django import Settings

from policies.engine.analysis import analyse, configure
from policies.engine.operation import Operation
from policies.engine.pii.national import COUNTRIES

GERMAN = "Steuer-ID: 36 574 261 809"


@pytest.fixture(autouse=True)
def _as_it_was() -> Iterator[None]:
    yield
    configure(countries=all_settings.AXON_NATIONAL_IDS)


def kinds() -> list[str]:
    return [found.kind for found in analyse(Operation(text=GERMAN)).findings]


def start(settings: Settings, *countries: str) -> None:
    """What a starting process does with the setting."""
    settings.AXON_NATIONAL_IDS = list(countries)
    apps.get_app_config("policies").ready()


def test_no_country_is_looked_for_by_itself() -> None:
    assert kinds() == []


def test_the_setting_counts_from_the_start(settings: Settings) -> None:
    start(settings, "DE", "fr")

    assert kinds() == ["pii.national_id.de"]


def test_a_later_choice_replaces_the_earlier() -> None:
    configure(countries=["de"])
    configure(countries=["fr"])

    assert kinds() == []


def test_an_unknown_country_changes_nothing() -> None:
    configure(countries=["de"])

    with pytest.raises(ValueError, match=", ".join(sorted(COUNTRIES))):
        configure(countries=["fr", "xx"])

    assert kinds() == ["pii.national_id.de"]


def test_starting_leaves_an_unknown_country_to_the_check(settings: Settings) -> None:
    start(settings, "xx")

    assert kinds() == []


def test_the_documentation_lists_the_known_countries() -> None:
    page = Path(all_settings.BASE_DIR, "docs/reference/settings.md").read_text(encoding="utf-8")

    assert ", ".join(f"`{country}`" for country in sorted(COUNTRIES)) in page
