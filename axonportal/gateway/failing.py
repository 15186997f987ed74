"""What a caller is told when the portal itself fails: a denial, or what its fail mode says."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import TypeVar

from django.db import DatabaseError

from axonportal.accounts.authentication import Principal
from axonportal.accounts.models import Client
from axonportal.common.errors import PortalError, Unavailable

logger = logging.getLogger(__name__)

T = TypeVar("T")


class CannotDecide(Unavailable):
    """Deciding or recording failed; the text says what to do."""

    code = "cannot-decide"
    title = "The portal cannot decide now"


def guarded(decide: Callable[[], T]) -> T:
    """Run `decide`; whatever goes wrong inside becomes a `CannotDecide`.

    Refusals of the request itself (4xx) pass through: those are the caller's to correct.
    """
    try:
        return decide()
    except PortalError as error:
        if error.status < 500:
            raise
        logger.warning("cannot decide: %s", error)
        raise CannotDecide(f"{error.detail} {_ADVICE}") from error
    except DatabaseError as error:
        # The text of a database error may quote values; its kind says enough.
        logger.warning("cannot decide: database: %s", type(error).__name__)
        raise CannotDecide(f"The portal's database cannot be reached. {_ADVICE}") from error
    except Exception as error:
        logger.exception("cannot decide")
        raise CannotDecide(f"The portal met an internal error. {_ADVICE}") from error


_ADVICE = (
    "Nothing was decided, so this is a denial. Try again; if it lasts, tell the security team."
)


def fails_open(principal: Principal) -> bool:
    """Does this client rather run unchecked than wait?"""
    return principal.fail_mode == Client.FailMode.OPEN
