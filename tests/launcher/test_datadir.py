"""The data directory: private, one portal at a time, and each refusal in one sentence."""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path

import pytest

from axonportal.launcher import datadir
from axonportal.launcher.faults import Fault


def test_a_new_directory_is_for_its_owner_only(tmp_path: Path):
    folder = tmp_path / "new" / "data"

    datadir.prepare(folder)

    assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_preparing_twice_changes_nothing(tmp_path: Path):
    datadir.prepare(tmp_path)
    datadir.secret_file(tmp_path, "secret-key")

    datadir.prepare(tmp_path)

    assert [path.name for path in tmp_path.iterdir()] == ["secret-key"]


@pytest.mark.parametrize(
    ("number", "sentence"),
    [
        pytest.param(errno.EROFS, "cannot be written .*Read-only.*AXON_DATA_DIR", id="read-only"),
        pytest.param(errno.EACCES, "cannot be written .*denied.*AXON_DATA_DIR", id="not allowed"),
        pytest.param(errno.ENOSPC, "is full; free some space", id="disk full"),
        pytest.param(errno.EDQUOT, "is full; free some space", id="quota used up"),
    ],
)
def test_what_the_disk_refuses_is_one_sentence(
    number: int, sentence: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    def refuse(path: Path, data: bytes) -> int:
        raise OSError(number, os.strerror(number), str(path))

    monkeypatch.setattr(Path, "write_bytes", refuse)

    with pytest.raises(Fault, match=sentence) as caught:
        datadir.prepare(tmp_path)
    assert "\n" not in str(caught.value)


def test_a_file_in_its_place_is_refused(tmp_path: Path):
    (tmp_path / "data").touch()

    with pytest.raises(Fault, match="is not a folder"):
        datadir.prepare(tmp_path / "data")


def test_the_directory_of_another_user_is_refused_also_for_root(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    datadir.secret_file(tmp_path, "secret-key")
    monkeypatch.setattr(os, "geteuid", lambda: 54321)

    with pytest.raises(Fault, match=r"belongs to user \w+; start the portal as that user"):
        datadir.prepare(tmp_path)


def test_an_empty_directory_of_another_user_that_may_be_written_is_taken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(os, "geteuid", lambda: 54321)

    datadir.prepare(tmp_path)

    assert list(tmp_path.iterdir()) == []


def test_a_second_portal_is_refused_and_told_about_the_first(tmp_path: Path):
    with (
        datadir.locked(tmp_path),
        pytest.raises(Fault, match=rf"already running .*process {os.getpid()}"),
        datadir.locked(tmp_path),
    ):
        pass


def test_a_portal_knows_whether_the_one_before_was_killed(tmp_path: Path):
    with datadir.locked(tmp_path) as after_first:
        pass
    with datadir.locked(tmp_path) as after_clean_stop:
        pass
    (tmp_path / "lock").write_text("4711")
    with datadir.locked(tmp_path) as after_kill:
        pass

    assert (after_first, after_clean_stop, after_kill) == (False, False, True)


def test_a_secret_is_made_once_and_private(tmp_path: Path):
    first = datadir.secret_file(tmp_path, "secret-key").read_text()
    second = datadir.secret_file(tmp_path, "secret-key").read_text()

    assert first == second
    assert len(first.strip()) >= 50
    assert stat.S_IMODE((tmp_path / "secret-key").stat().st_mode) == 0o600


def test_the_file_for_other_shells_is_private_and_quoted(tmp_path: Path):
    path = datadir.write_environment(tmp_path, {"AXON_DATA_DIR": "/a b/$(c)"})

    assert path.read_text() == "export AXON_DATA_DIR='/a b/$(c)'\n"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_the_fingerprint_changes_with_code_settings_and_database(tmp_path: Path):
    source = tmp_path / "a.py"
    source.write_text("a = 1")
    before = datadir.fingerprint([source], {"AXON_PORT": "1"}, "x")

    same = datadir.fingerprint([source], {"AXON_PORT": "1", "PATH": "/"}, "x")
    other_setting = datadir.fingerprint([source], {"AXON_PORT": "2"}, "x")
    other_database = datadir.fingerprint([source], {"AXON_PORT": "1"}, "y")
    source.write_text("a = 2")
    other_code = datadir.fingerprint([source], {"AXON_PORT": "1"}, "x")

    assert before == same
    assert len({before, other_setting, other_database, other_code}) == 4


def test_the_fingerprint_holds_nothing_of_a_password(tmp_path: Path):
    with_one = datadir.fingerprint([], {"AXON_ADMIN_PASSWORD": "a"}, "x")

    assert with_one == datadir.fingerprint([], {"AXON_ADMIN_PASSWORD": "b"}, "x")
