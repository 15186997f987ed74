"""What is told to whom; written in the transaction of what happened, delivered by tasks."""

from __future__ import annotations

from collections.abc import Sequence

from approvals.eligibility import Person
from approvals.models import ApprovalRequest


def announce(request: ApprovalRequest, what: str, people: Sequence[Person]) -> None:
    """Tell `people`, and for an outcome the requester, that `what` happened to the request."""
