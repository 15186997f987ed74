"""What a list of policies can be narrowed and ordered by, in both paging styles."""

from __future__ import annotations

import django_filters
from django.db.models import Q, QuerySet

from policies.models import Policy


class PolicyFilter(django_filters.FilterSet):
    """Query parameters of the lists."""

    type = django_filters.CharFilter(field_name="type")
    # A BooleanFilter takes what it does not understand for no filter at all.
    enabled = django_filters.TypedChoiceFilter(
        field_name="enabled",
        choices=[(name, name) for name in ("true", "false", "True", "False", "1", "0")],
        coerce=lambda name: name in {"true", "True", "1"},
    )
    category = django_filters.CharFilter(field_name="category")
    mode = django_filters.CharFilter(field_name="mode")
    severity = django_filters.CharFilter(field_name="severity")
    name = django_filters.CharFilter(field_name="name")
    search = django_filters.CharFilter(method="filter_search")

    class Meta:
        model = Policy
        fields: list[str] = []

    def filter_search(self, queryset: QuerySet[Policy], name: str, value: str) -> QuerySet[Policy]:
        """Words in the name or the description."""
        return queryset.filter(Q(name__icontains=value) | Q(description__icontains=value))
