"""Pages of lists: `limit` and `offset`, or `page` and `page_size`, whichever a client sends."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from django.db.models import Model, QuerySet

from axonportal.common.errors import Invalid

DEFAULT_SIZE = 100
MAX_SIZE = 1000

T = TypeVar("T", bound=Model)


@dataclass(frozen=True, slots=True, kw_only=True)
class Page(Generic[T]):
    """Rows of a list and where they stand in it."""

    rows: Sequence[T]
    total: int
    limit: int
    offset: int

    def envelope(self) -> dict[str, int]:
        """The figures in both styles."""
        return {
            "page": self.offset // self.limit + 1,
            "page_size": self.limit,
            "limit": self.limit,
            "offset": self.offset,
            "total": self.total,
            "total_items": self.total,
            "total_pages": -(-self.total // self.limit),
        }


def page_of(
    queryset: QuerySet[T],
    parameters: Mapping[str, str],
    *,
    sorts: Sequence[str] | Mapping[str, str],
    default: str,
) -> Page[T]:
    """The page that the query parameters ask for.

    `sorts` are the names that it can be sorted by, or those names with their columns.

    Raises:
        Invalid: no number, out of bounds, or no field to sort by.
    """
    limit = _number(parameters, ("limit", "page_size"), DEFAULT_SIZE, least=1, most=MAX_SIZE)
    if "page" in parameters and "offset" not in parameters:
        offset = (_number(parameters, ("page",), 1, least=1, most=2**31) - 1) * limit
    else:
        offset = _number(parameters, ("offset",), 0, least=0, most=2**31)
    by = parameters.get("sort_by") or default
    name, descending = by.lstrip("-"), by.startswith("-")
    if name not in sorts:
        raise Invalid(f"sort_by: one of {', '.join(sorts)}; got {by[:50]!r}.")
    order = (parameters.get("sort_order") or parameters.get("sort_dir") or "").lower()
    if order in {"asc", "desc"}:
        descending = order == "desc"
    elif order:
        raise Invalid(f"sort_order: asc or desc; got {order[:20]!r}.")
    column = sorts[name] if isinstance(sorts, Mapping) else name
    rows = queryset.order_by(f"-{column}" if descending else column, "pk")
    return Page(
        rows=list(rows[offset : offset + limit]), total=queryset.count(), limit=limit, offset=offset
    )


def _number(
    parameters: Mapping[str, str], names: Sequence[str], default: int, *, least: int, most: int
) -> int:
    name = next((name for name in names if parameters.get(name)), "")
    if not name:
        return default
    try:
        value = int(parameters[name])
    except ValueError:
        raise Invalid(f"{name}: a whole number; got {parameters[name][:20]!r}.") from None
    if not least <= value <= most:
        raise Invalid(f"{name}: between {least} and {most}.")
    return value
