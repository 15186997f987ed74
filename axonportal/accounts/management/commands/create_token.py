"""Make a personal token from a shell, for somebody who answers approvals without a browser."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from audit.actors import PORTAL
from axonportal.accounts import services
from axonportal.accounts.models import User
from axonportal.common.errors import PortalError


class Command(BaseCommand):
    """`manage.py create_token USER`: prints the token, once."""

    help = "Make a personal token for USER and print it; nobody can look it up later."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("user", help="the user's name")
        parser.add_argument("--name", default="command line", help="where it is used")
        parser.add_argument(
            "--days",
            type=int,
            default=services.TOKEN_LIFE.days,
            help=f"how long it lives, 1 to {services.MAX_TOKEN_LIFE.days}; default %(default)s",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        user = User.objects.filter(username=options["user"]).first()
        if user is None:
            raise CommandError(f"There is no user {options['user']!r}.")
        most = services.MAX_TOKEN_LIFE.days
        if not 1 <= options["days"] <= most:
            raise CommandError(f"A token lives from 1 to {most} days.")
        try:
            issued = services.issue_token(
                user,
                name=options["name"],
                actor=PORTAL,
                expires_at=timezone.now() + timedelta(days=options["days"]),
            )
        except PortalError as error:
            raise CommandError(error.detail) from None
        # The token alone, so that a script can take it; what is said of it goes elsewhere.
        self.stdout.write(issued.secret)
        self.stderr.write(f"It is shown this once, and ends {issued.token.expires_at:%Y-%m-%d}.")
