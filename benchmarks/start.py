"""`python -m benchmarks.start`: how long `manage.py up` takes, at first and again.

On a data directory and ports of its own; measured until /health answers 200 on the portal's port.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

from benchmarks import machine, stack
from benchmarks.run import RESULTS

STARTS = 4  # the first makes everything, the others find it
TARGETS_S = {"first": 10.0, "later": 3.0}  # G12
TIMEOUT_S = 120.0
STOP_S = 20.0


def main() -> int:
    """Start and stop, print, write; 1 if G12 is missed."""
    parser = argparse.ArgumentParser(description=__doc__, prog="python -m benchmarks.start")
    parser.add_argument("--output", type=Path)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="axon-start-") as folder:
        times = [_start(Path(folder, "data")) for _ in range(STARTS)]
    first, later = times[0], machine.median(times[1:])
    print(
        f"first start {first:.1f} s (target {TARGETS_S['first']:g}); later {later:.1f} s "
        f"({min(times[1:]):.1f}-{max(times[1:]):.1f}, target {TARGETS_S['later']:g})"
    )
    output = options.output or RESULTS / f"start-{time.strftime('%Y%m%d-%H%M%S')}.json"
    output.parent.mkdir(parents=True, exist_ok=True)
    result = {
        "at": datetime.now(UTC).isoformat(),
        "machine": machine.describe(),
        "seconds": times,
    }
    output.write_text(json.dumps(result, indent=1))
    print("results:", output)
    return 0 if first <= TARGETS_S["first"] and later <= TARGETS_S["later"] else 1


def _start(data_dir: Path) -> float:
    """One start and stop; seconds until the portal answered."""
    port, policy_port = stack.free_port(), stack.free_port()
    environment = {name: text for name, text in os.environ.items() if not name.startswith("AXON_")}
    environment |= {
        "AXON_DATA_DIR": str(data_dir),
        "AXON_PORT": str(port),
        "AXON_POLICY_PORT": str(policy_port),
    }
    with tempfile.TemporaryFile() as output:
        began = time.monotonic()
        process = subprocess.Popen(
            [sys.executable, "manage.py", "up"],
            cwd=stack.PROJECT,
            env=environment,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
        try:
            while not stack.is_healthy(port):
                time.sleep(0.02)
                if process.poll() is not None or time.monotonic() - began > TIMEOUT_S:
                    output.seek(0)
                    raise RuntimeError(f"The portal did not start:\n{output.read()[-3000:]!r}")
            took = time.monotonic() - began
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(STOP_S)
    return took


if __name__ == "__main__":
    sys.exit(main())
