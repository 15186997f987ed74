"""Refusals about approvals."""

from __future__ import annotations

from axonportal.common.errors import Conflict, Forbidden, Invalid, NotFound


class ApprovalNotFound(NotFound):
    code = "approval-not-found"
    title = "There is no such approval request"


class ApprovalClosed(Conflict):
    code = "approval-closed"
    title = "The request no longer takes answers"


class NotAnApprover(Forbidden):
    code = "not-an-approver"
    title = "This person may not answer the request"


class ReasonMissing(Invalid):
    code = "reason-missing"
    title = "A reason is needed"


class NobodyCanAnswer(Conflict):
    code = "nobody-can-answer"
    title = "Nobody could answer the request"


class TooManyPending(Conflict):
    code = "too-many-pending"
    status = 429
    title = "Too many requests wait already"


class DelegationRefused(Invalid):
    """`field`: the one of the form that has to change."""

    code = "delegation-refused"
    title = "This cannot be delegated so"

    def __init__(self, detail: str, *, field: str) -> None:
        super().__init__(detail, errors=[{"field": field, "message": detail}])
        self.field = field
