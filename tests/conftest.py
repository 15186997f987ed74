"""What every test may ask for; the database server of the run."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import pytest
from django.conf import settings
from pytest_django import DjangoDbBlocker

from axonportal.launcher import postgres
from axonportal.launcher.supervisor import Supervisor
from tests.audit.flush import allow_flush


@contextmanager
def _server(cluster: postgres.Cluster) -> Iterator[None]:
    """A PostgreSQL of this run alone; nothing of it is left afterwards."""
    data_dir = cluster.folder.parent
    data_dir.mkdir(mode=0o700)
    supervisor = Supervisor(write=lambda line: None)
    try:
        postgres.start(cluster, supervisor)
        yield
    finally:
        supervisor.stop()
        supervisor.close()
        postgres.unlink_socket(cluster)
        shutil.rmtree(data_dir, ignore_errors=True)


def pytest_configure(config: pytest.Config) -> None:
    # The first process of a parallel run starts the server that the others will use; each of
    # those has a database of its own, and finds the address in the environment.
    if settings.TEST_CLUSTER and config.getoption("numprocesses", None):
        running = ExitStack()
        running.enter_context(_server(settings.TEST_CLUSTER))
        config.add_cleanup(running.close)


@pytest.fixture(scope="session")
def database_server(request: pytest.FixtureRequest) -> Iterator[None]:
    """A running server; started here unless the run was given one."""
    if settings.TEST_CLUSTER is None or request.config.getoption("numprocesses", None):
        yield
        return
    with _server(settings.TEST_CLUSTER):
        yield


@pytest.fixture(scope="session")
def django_db_modify_db_settings(
    django_db_modify_db_settings_parallel_suffix: None, database_server: None
) -> None:
    """pytest-django asks for this before it opens the database."""


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> None:
    """The trail refuses TRUNCATE, which is how a transactional test is cleaned up after."""
    with django_db_blocker.unblock():
        allow_flush()
