"""Who asks, in one value that every entry point makes."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from audit.models import NAME_LENGTH
from axonportal.accounts.authentication import Principal


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """Who asks, for whom, from where: claims as given, verified only through the principal."""

    principal: Principal
    agent: str
    user_id: str = ""
    session_id: str = ""
    tool_use_id: str = ""
    context: Mapping[str, Any] = field(default_factory=dict)
    data_sources: tuple[str, ...] = ()

    def fields(self, **more: Any) -> dict[str, Any]:
        """What policies may ask for beside the text; see `policies.engine.conditions`."""
        principal = self.principal
        context = self.context
        return {
            "client_id": principal.client_id,
            "team": principal.team,
            "tenant": principal.tenant,
            "region": principal.region,
            "user_id": self.user_id,
            "verified_user": principal.user,
            "user": {"email": principal.email},
            "session_id": self.session_id,
            "agent": self.agent,
            "working_directory": context.get("working_directory") or context.get("cwd") or "",
            "permission_mode": context.get("permission_mode", ""),
            "data_sources": list(self.data_sources),
            "context": context,
            **more,
        }


def name(text: str) -> str:
    """A name that fits its column; a longer one keeps its beginning and a digest of the whole."""
    if len(text) <= NAME_LENGTH:
        return text
    mark = hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()[:16]
    return f"{text[: NAME_LENGTH - 20]}... {mark}"
