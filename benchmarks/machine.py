"""What the kernel says: processor time and memory of processes, the disk, the machine."""

from __future__ import annotations

import os
import platform
import statistics
import sys
import tempfile
import time
from importlib import metadata
from pathlib import Path

TICK_US = 1_000_000 // os.sysconf("SC_CLK_TCK")
_PACKAGES = (
    "django",
    "djangorestframework",
    "granian",
    "gunicorn",
    "psycopg",
    "hyperscan",
    "orjson",
    "msgspec",
)


def descendants(pid: int) -> list[int]:
    """The process and everything it started."""
    found = [pid]
    for process in found:
        try:
            for thread in Path(f"/proc/{process}/task").iterdir():
                found += map(int, (thread / "children").read_text().split())
        except OSError:
            continue  # it ended meanwhile
    return found


def cpu_us(pid: int) -> int:
    """Processor time of the process tree so far, in microseconds; 10 ms grain."""
    total = 0
    for process in descendants(pid):
        try:
            fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue
        # With that of its ended children, which would be missed otherwise.
        total += sum(map(int, fields[11:15])) * TICK_US
    return total


def resident_mb(pid: int) -> float:
    """Memory of the biggest process of the tree (granian's worker), in MB of 10^6 bytes."""
    sizes = [0]
    for process in descendants(pid):
        try:
            text = Path(f"/proc/{process}/status").read_text()
        except OSError:
            continue
        sizes += [int(line.split()[1]) for line in text.splitlines() if line.startswith("VmRSS")]
    return max(sizes) * 1024 / 1e6


def fdatasync_us(folder: Path, *, seconds: float) -> list[float]:
    """How long one small write and fdatasync take, one by one, in microseconds."""
    times: list[float] = []
    with tempfile.TemporaryFile(dir=folder, buffering=0) as file:
        os.posix_fallocate(file.fileno(), 0, 16 * 2**20)
        end = time.perf_counter() + seconds
        while (began := time.perf_counter()) < end:
            os.pwrite(file.fileno(), b"x" * 512, len(times) * 512 % (16 * 2**20))
            os.fdatasync(file.fileno())
            times.append((time.perf_counter() - began) * 1e6)
    return times


def percentile(values: list[float], share: float) -> float:
    """The value below which `share` of them lie."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))]


def median(values: list[float]) -> float:
    return statistics.median(values)


def describe() -> dict[str, object]:
    """The machine and the versions, for the results' file."""
    info = Path("/proc/cpuinfo").read_text() if sys.platform == "linux" else ""
    models = [line.partition(": ")[2] for line in info.splitlines() if "model name" in line]
    return {
        "cpu": models[0] if models else platform.processor(),
        "cores": os.cpu_count(),
        "kernel": platform.release(),
        "python": platform.python_version(),
        "load_average": os.getloadavg(),
        "packages": {name: metadata.version(name) for name in _PACKAGES},
    }
