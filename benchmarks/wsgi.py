"""The application that the benchmark's servers run; see `settings`."""

import os

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "benchmarks.settings")

# The application first: it sets Django up, which the other imports need.
from axonportal.wsgi import application

# isort: split
from axonportal.gateway import services
from benchmarks import views
from benchmarks.settings import AXON_BENCH_RECORDER

__all__ = ["application"]

if AXON_BENCH_RECORDER != "own":
    made = views.OrmRecorder() if AXON_BENCH_RECORDER == "orm" else views.NoRecorder()
    vars(services)["recorder"] = lambda: made
