"""How a delivery fails, told in the portal's list of what is undelivered; and a refusal."""

from __future__ import annotations

from axonportal.common.errors import Conflict


class CannotResend(Conflict):
    code = "cannot-resend"
    title = "There is nothing to send again"


class NotNow(Exception):
    """It may go well later; `after_s` is how long the other side wants to be left alone."""

    def __init__(self, why: str, *, after_s: int = 0) -> None:
        super().__init__(why)
        self.after_s = after_s


class Never(Exception):
    """Trying again would change nothing."""
