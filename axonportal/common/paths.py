"""Which paths belong to the API: JSON always, no session, no redirect."""

from __future__ import annotations

from django.urls import URLPattern, re_path

API_PREFIXES = ("/api/", "/mcp", "/health")


def is_api(path: str) -> bool:
    """True for the paths that hooks, SDKs and MCP clients call."""
    return path.startswith(API_PREFIXES) or path == "/api"


def api_path(route: str, view: object, name: str) -> URLPattern:
    """A route that answers with and without a trailing slash, as clients do not follow redirects.

    `<name>` stands for one segment of the path.
    """
    pattern = "".join(
        f"(?P<{piece[1:-1]}>[^/]+)" if piece.startswith("<") else piece for piece in _pieces(route)
    )
    return re_path(rf"^{pattern}/?$", view, name=name)  # type: ignore[call-overload, no-any-return]


def _pieces(route: str) -> list[str]:
    pieces, rest = [], route
    while "<" in rest:
        before, _, rest = rest.partition("<")
        name, _, rest = rest.partition(">")
        pieces += [before, f"<{name}>"]
    return [*pieces, rest]
