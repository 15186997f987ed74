"""The settings under test: the portal's own, on a database of the run, with fixed secrets."""

import os
import tempfile
from pathlib import Path

# A run starts from the defaults, whatever the shell has set; its database may be chosen.
# The processes of a parallel run inherit what the first one has put together here.
if "PYTEST_XDIST_WORKER" not in os.environ:
    for _name in [name for name in os.environ if name.startswith("AXON_")]:
        if _name != "AXON_DATABASE_URL":
            del os.environ[_name]
    os.environ["AXON_DATA_DIR"] = str(Path(tempfile.gettempdir(), f"axon-tests-{os.getpid()}"))
os.environ["AXON_SECRET_KEY"] = "secret-key-of-the-tests-which-protects-nothing-at-all"
os.environ["AXON_CREDENTIAL_KEY"] = "credential-key-of-the-tests-which-protects-nothing"
os.environ["AXON_RECORDER"] = "inline"

from axonportal.launcher.postgres import Cluster

# tests/conftest.py starts this server when a test first asks for a database.
TEST_CLUSTER = None
if not os.environ.get("AXON_DATABASE_URL"):
    TEST_CLUSTER = Cluster.within(
        Path(os.environ["AXON_DATA_DIR"]),
        {
            "fsync": "off",
            "synchronous_commit": "off",
            "full_page_writes": "off",
            # Nobody reads the pipe; a full one would stop the server.
            "log_min_messages": "panic",
        },
    )
    os.environ["AXON_DATABASE_URL"] = TEST_CLUSTER.url

from axonportal.settings import *  # noqa: E402, F403
from axonportal.settings import DATABASES  # noqa: E402

PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
CELERY_TASK_ALWAYS_EAGER = False
# A test owns its one connection and closes it; a pool's threads would keep the database open.
DATABASES["default"]["OPTIONS"].pop("pool", None)
