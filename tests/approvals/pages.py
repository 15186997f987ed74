"""Held operations and the pages on which people answer them."""

from __future__ import annotations

from django.urls import reverse

from approvals.models import ApprovalRequest
from axonportal.accounts.models import User
from tests.portal.people import browser

INBOX = "admin:approvals_approvalrequest_changelist"


def page(person: User, request: ApprovalRequest) -> str:
    """The page of the request as the person sees it."""
    answer = browser(person).get(request.get_absolute_url())
    assert answer.status_code == 200
    return answer.content.decode()


def inbox(person: User, **query: str) -> str:
    """The inbox as the person sees it."""
    answer = browser(person).get(reverse(INBOX), query)
    assert answer.status_code == 200
    return answer.content.decode()


def says(choice: str, reason: str = "", **more: str) -> dict[str, str]:
    """What the browser sends for an answer."""
    return {"step": "answer", "answer-choice": choice, "answer-reason": reason, **more}
