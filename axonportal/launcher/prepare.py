"""The one start-up step that needs Django: migrate the database and seed the demo.

Run by the launcher as `python -m axonportal.launcher.prepare FD`; the answer goes to the file
descriptor as one JSON object, because the password in it must not appear in a log.
"""

from __future__ import annotations

import json
import os
import sys
from typing import Any

# One at a time on a database; the number only has to differ from other programs' locks.
_LOCK = 0x41584F4E


def main() -> int:
    """Prepare the database; 0, or 1 after the one sentence that tells why not."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "axonportal.settings")
    import django
    from django.core.exceptions import ImproperlyConfigured
    from django.core.management.base import SystemCheckError
    from django.db import DatabaseError, connection

    try:
        django.setup()
        # One connection that says why it was refused; a pool only says that it has none.
        connection.settings_dict["OPTIONS"].pop("pool", None)
        answer = _prepare()
    except (ImproperlyConfigured, SystemCheckError) as error:
        return _refuse(str(error))
    except DatabaseError as error:
        # Without DETAIL lines, which may hold a row.
        host = connection.settings_dict["HOST"] or "this machine"
        return _refuse(f"The database on {host} answered: {str(error).partition(chr(10))[0]}")
    with os.fdopen(int(sys.argv[1]), "w") as result:
        json.dump(answer, result)
    return 0


def _refuse(text: str) -> int:
    sys.stderr.write(f"FAULT: {text.strip()}\n")
    return 1


def _prepare() -> dict[str, Any]:
    from django.conf import settings
    from django.core.management import call_command
    from django.db import connection

    from audit import partitions

    call_command("check", deploy=not settings.AXON_DEMO, fail_level="ERROR")
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_lock(%s)", [_LOCK])
    call_command("migrate", interactive=False, verbosity=1, skip_checks=True)
    partitions.make()
    password = None
    if settings.AXON_DEMO:
        from axonportal.gateway import demo

        password = demo.seed(os.environ.get("AXON_ADMIN_PASSWORD") or None).admin_password
    connection.close()  # Lets go of the lock.
    return {"admin_password": password}


if __name__ == "__main__":
    sys.exit(main())
