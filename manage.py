#!/usr/bin/env python3
"""Runs the portal's commands; `python manage.py up` starts everything."""

import os
import sys


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "axonportal.settings")
    if sys.argv[1:] == ["up"]:
        # The launcher prepares the environment that the settings are read from.
        from axonportal.launcher import up

        sys.exit(up.main())
    from django.core.management import execute_from_command_line

    execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()
