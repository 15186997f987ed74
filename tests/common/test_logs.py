"""Lines that inform are written together; what matters is written at once; nothing is lost."""

from __future__ import annotations

import io
import logging
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from axonportal.common import logs
from axonportal.common.logs import BatchingHandler

ROOT = Path(__file__).resolve().parents[2]


class Counted(io.StringIO):
    """A stream that counts what is written to it."""

    def __init__(self) -> None:
        super().__init__()
        self.writes: list[str] = []

    def write(self, text: str) -> int:
        self.writes.append(text)
        return super().write(text)


@pytest.fixture
def stream() -> Counted:
    return Counted()


@pytest.fixture
def logger(stream: Counted) -> Iterator[logging.Logger]:
    handler = BatchingHandler()
    handler.setStream(stream)
    made = logging.getLogger("batched")
    made.propagate = False
    made.setLevel(logging.INFO)
    made.addHandler(handler)
    yield made
    made.removeHandler(handler)
    handler.flush()


def until_written(stream: Counted, lines: int) -> list[str]:
    end = time.monotonic() + 10
    while len(written := stream.getvalue().splitlines()) < lines:
        assert time.monotonic() < end, written
        time.sleep(0.005)
    return written


def test_lines_that_inform_are_written_together_and_in_order(logger, stream):
    for number in range(200):
        logger.info("line %d", number)

    assert until_written(stream, 200) == [f"line {number}" for number in range(200)]
    assert len(stream.writes) < 20


def test_a_line_after_a_quiet_time_is_written_too(logger, stream):
    logger.info("first")
    until_written(stream, 1)

    logger.info("second")

    assert until_written(stream, 2) == ["first", "second"]


@pytest.mark.parametrize("level", [logging.WARNING, logging.ERROR])
def test_a_warning_is_written_at_once_behind_what_waits(logger, stream, level):
    logger.info("before")
    logger.log(level, "now")

    assert stream.getvalue().splitlines()[-2:] == ["before", "now"]


def test_many_waiting_lines_are_written_by_the_one_that_is_too_many(logger, stream, monkeypatch):
    monkeypatch.setattr(logs, "MAX_WAITING", 5)

    for number in range(5):
        logger.info("%d", number)

    assert stream.getvalue().split() == ["0", "1", "2", "3", "4"]


def test_lines_of_many_threads_are_whole_and_all_there(logger, stream):
    def work(name: int) -> None:
        for number in range(200):
            logger.info("%d %d", name, number)

    threads = [threading.Thread(target=work, args=[name]) for name in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    lines = until_written(stream, 1600)
    assert sorted(lines) == sorted(f"{name} {number}" for name in range(8) for number in range(200))


def test_a_line_that_cannot_be_made_does_not_fail_its_caller(logger, stream, capsys):
    bad = logging.LogRecord("batched", logging.INFO, "", 1, "%d", ("no number",), None)
    logger.handlers[0].handle(bad)
    logger.warning("next")

    assert stream.getvalue() == "next\n"
    assert "no number" in capsys.readouterr().err


def test_what_waits_at_the_end_of_a_process_is_written():
    program = (
        "import logging; from axonportal.common.logs import BatchingHandler as H; "
        "logging.basicConfig(level='INFO', handlers=[H()], format='%(message)s'); "
        "logging.info('last words')"
    )

    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60
    )

    assert done.stderr == "last words\n"


def test_what_waits_at_the_end_of_a_servers_worker_is_written():
    # A file of its own, as the start of such a child imports the main program again.
    program = (
        "import logging, multiprocessing, sys\n"
        "def work():\n"
        "    from axonportal.common.logs import BatchingHandler as H\n"
        "    logging.basicConfig(level='INFO', handlers=[H()], format='%(message)s')\n"
        "    logging.info('last words')\n"
        "if __name__ == '__main__':\n"
        "    child = multiprocessing.get_context(sys.argv[1]).Process(target=work)\n"
        "    child.start()\n"
        "    child.join()\n"
    )
    with tempfile.NamedTemporaryFile("w", suffix=".py") as file:
        file.write(program)
        file.flush()
        for method in ("spawn", "fork"):
            done = subprocess.run(
                [sys.executable, file.name, method],
                capture_output=True,
                text=True,
                check=True,
                timeout=60,
                env={**os.environ, "PYTHONPATH": str(ROOT)},
            )
            assert done.stderr == "last words\n", method


def test_a_fork_writes_its_own_lines_once_and_not_its_parents(logger, stream):
    logger.info("parent")
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            handler = logger.handlers[0]
            assert isinstance(handler, BatchingHandler)
            handler.setStream(os.fdopen(writing, "w"))
            logger.warning("child")
        finally:
            os._exit(0)
    os.close(writing)
    os.waitpid(child, 0)

    assert os.read(reading, 100) == b"child\n"
    os.close(reading)
    assert until_written(stream, 1) == ["parent"]
