"""What keeps a portal from starting: the system checks that `manage.py up` and `check` run."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.checks import run_checks
from django.core.exceptions import ImproperlyConfigured
from pytest_django import Settings

from axonportal.common.checks import refuse_unsafe
from policies.checks import check_national_ids
from policies.engine.pii.national import COUNTRIES

GOOD = "a secret of more than thirty-two characters"
HTTPS = {"AXON_RECORDER": "group", "AXON_PUBLIC_URL": "https://portal.acme-corp.com"}


def ids(*, deploy: bool = False) -> set[str]:
    """The ids of our own checks that complain."""
    found = run_checks(include_deployment_checks=deploy)
    return {str(one.id) for one in found if str(one.id).startswith(("axonportal.", "policies."))}


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        pytest.param({}, set(), id="good"),
        pytest.param({"SECRET_KEY": ""}, {"axonportal.E001"}, id="no secret key"),
        pytest.param({"SECRET_KEY": "short"}, {"axonportal.E001"}, id="short secret key"),
        pytest.param({"AXON_CREDENTIAL_KEY": ""}, {"axonportal.E002"}, id="no credential key"),
        pytest.param(
            {"AXON_DEMO": True, "ALLOWED_HOSTS": ["localhost", "portal.acme-corp.com"]},
            {"axonportal.E003"},
            id="a demo under another name",
        ),
        pytest.param(
            {"AXON_DEMO": True, "ALLOWED_HOSTS": ["*"]}, {"axonportal.E003"}, id="any name"
        ),
        pytest.param({"AXON_DEMO": True, "ALLOWED_HOSTS": ["localhost"]}, set(), id="a local demo"),
        pytest.param(
            {"AXON_DEMO": False, "ALLOWED_HOSTS": ["portal.acme-corp.com"]}, set(), id="production"
        ),
        pytest.param({"AXON_NATIONAL_IDS": ["DE", "pl"]}, set(), id="national numbers"),
        pytest.param({"AXON_NATIONAL_IDS": ["de", "xx"]}, {"policies.E001"}, id="of nowhere"),
    ],
)
def test_a_combination_that_must_not_start_is_an_error(
    settings: Settings, change: dict[str, Any], expected: set[str]
) -> None:
    for name, value in {"SECRET_KEY": GOOD, "AXON_CREDENTIAL_KEY": GOOD, **change}.items():
        setattr(settings, name, value)

    assert ids() == expected


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        pytest.param({}, set(), id="good"),
        pytest.param({"AXON_RECORDER": "inline"}, {"axonportal.E004"}, id="inline recorder"),
        pytest.param(
            {"AXON_PUBLIC_URL": "http://portal.acme-corp.com"}, {"axonportal.W001"}, id="plain http"
        ),
    ],
)
def test_what_production_needs_beside_is_told_by_check_deploy(
    settings: Settings, change: dict[str, str], expected: set[str]
) -> None:
    for name, value in {**HTTPS, **change}.items():
        setattr(settings, name, value)

    assert ids(deploy=True) == expected


def test_a_web_server_that_runs_no_checks_refuses_too(settings: Settings) -> None:
    settings.SECRET_KEY = ""
    settings.AXON_CREDENTIAL_KEY = ""

    with pytest.raises(ImproperlyConfigured, match=r"AXON_SECRET_KEY.*AXON_CREDENTIAL_KEY"):
        refuse_unsafe()


def test_an_unknown_country_is_told_which_are_known(settings: Settings) -> None:
    settings.AXON_NATIONAL_IDS = ["de", "xx"]

    (error,) = [found for found in run_checks() if found.id == "policies.E001"]
    assert "xx" in error.msg
    assert ", ".join(sorted(COUNTRIES)) in error.msg
    assert "AXON_NATIONAL_IDS" in str(error.hint)
    with pytest.raises(ImproperlyConfigured, match="AXON_NATIONAL_IDS"):
        refuse_unsafe(check_national_ids)
