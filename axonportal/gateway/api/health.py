"""`GET /health`: is the portal up? Cheap, for everybody, and it says exactly "healthy"."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from axonportal import __version__
from axonportal.common.api import CallView, answer
from axonportal.gateway.pre_check import iso

CAPABILITIES = (
    ("pre_check", "Decides before an operation runs."),
    ("audit", "Records tool calls and model calls."),
    ("policies", "Policies over the API, in force at once."),
    ("claude_code_hooks", "Answers Claude Code's HTTP hooks."),
)


class HealthView(CallView):
    """Answers as long as the process serves; the database's state is told by the decisions."""

    def get(self, request: HttpRequest) -> HttpResponse:
        return answer(
            {
                "status": "healthy",
                "service": "axonportal",
                "version": __version__,
                "timestamp": iso(timezone.now()),
                "capabilities": [
                    {"name": name, "since": "0.1.0", "description": text}
                    for name, text in CAPABILITIES
                ],
            }
        )
