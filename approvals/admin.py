"""Approvals in the portal: the inbox and one page for each request."""

from __future__ import annotations

from django.contrib import admin
from django.utils.translation import gettext_lazy as _

from approvals.models import ApprovalRequest
from axonportal.common.admin import ReadOnly, TenantScoped


@admin.register(ApprovalRequest)
class ApprovalRequestAdmin(ReadOnly, TenantScoped):
    """What waits and how it ended."""

    menu_group = "work"
    list_display = ["__str__", "status", "client_id", "created_at", "expires_at"]
    list_filter = ["status"]
    empty_text = _("Nothing waits. Operations that a policy holds for approval appear here.")
