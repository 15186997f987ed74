"""Start the whole portal on this machine; docs/how-to/run.md."""

from __future__ import annotations

import sys
from typing import Any

from django.core.management.base import BaseCommand

from axonportal.launcher import up


class Command(BaseCommand):
    """`manage.py up`; manage.py itself starts the launcher before Django is loaded."""

    help = "Start PostgreSQL, the web, worker and beat processes, and stop them with Ctrl-C."
    requires_system_checks = []

    def handle(self, *args: Any, **options: Any) -> None:
        sys.exit(up.main())
