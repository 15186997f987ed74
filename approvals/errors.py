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
