"""Every path, in one table."""

from __future__ import annotations

from django.contrib import admin
from django.urls import path
from django.views.generic import RedirectView

from approvals.models import Answer
from approvals.views import LinkView
from axonportal.common.paths import api_path
from axonportal.gateway.api import hitl
from axonportal.gateway.api.audit_calls import LlmCallView, ToolCallView
from axonportal.gateway.api.health import HealthView
from axonportal.gateway.hooks.claude_code import ClaudeCodeHookView
from axonportal.gateway.pre_check import PreCheckView
from policies.api.views import PolicyListView, PolicyVersionsView, PolicyView

handler400 = "axonportal.common.problems.bad_request"
handler404 = "axonportal.common.problems.not_found"
handler500 = "axonportal.common.problems.server_error"

_policies = [
    pattern
    for prefix, wrapped in (("api/v1/policies", False), ("api/v1/dynamic-policies", True))
    for pattern in (
        api_path(prefix, PolicyListView.as_view(wrapped=wrapped), f"{prefix}-list"),
        api_path(f"{prefix}/<policy_id>", PolicyView.as_view(wrapped=wrapped), f"{prefix}-one"),
        api_path(
            f"{prefix}/<policy_id>/versions",
            PolicyVersionsView.as_view(wrapped=wrapped),
            f"{prefix}-versions",
        ),
    )
]

urlpatterns = [
    # Hooks and SDKs; the busiest first.
    api_path("api/policy/pre-check", PreCheckView.as_view(), "pre-check"),
    api_path("api/v1/hooks/claude-code", ClaudeCodeHookView.as_view(), "hooks-claude-code"),
    api_path("api/v1/audit/tool-call", ToolCallView.as_view(), "audit-tool-call"),
    api_path("api/audit/llm-call", LlmCallView.as_view(), "audit-llm-call"),
    api_path("api/v1/hitl/queue", hitl.HitlQueueView.as_view(), "hitl-queue"),
    api_path("api/v1/hitl/queue/<request_id>", hitl.HitlRequestView.as_view(), "hitl-request"),
    api_path(
        "api/v1/hitl/queue/<request_id>/approve", hitl.HitlAnswerView.as_view(), "hitl-approve"
    ),
    api_path(
        "api/v1/hitl/queue/<request_id>/reject",
        hitl.HitlAnswerView.as_view(choice=Answer.Choice.DENY),
        "hitl-reject",
    ),
    api_path(
        "api/v1/hitl/queue/<request_id>/override", hitl.HitlOverrideView.as_view(), "hitl-override"
    ),
    api_path(
        "api/v1/hitl/queue/<request_id>/history", hitl.HitlHistoryView.as_view(), "hitl-history"
    ),
    api_path("api/v1/hitl/stats", hitl.HitlStatsView.as_view(), "hitl-stats"),
    api_path("api/v1/hitl/status", hitl.HitlStatusView.as_view(), "hitl-status"),
    api_path("api/v1/hitl/expire", hitl.HitlExpireView.as_view(), "hitl-expire"),
    api_path("health", HealthView.as_view(), "health"),
    *_policies,
    # People.
    path("approvals/<str:token>", LinkView.as_view(), name="approval-link"),
    path("admin/", admin.site.urls),
    path("", RedirectView.as_view(pattern_name="admin:index"), name="home"),
]
