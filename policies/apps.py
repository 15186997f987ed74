from contextlib import suppress
from typing import Any

from django.apps import AppConfig
from django.conf import settings
from django.db.models.signals import post_migrate


class PoliciesConfig(AppConfig):
    name = "policies"
    verbose_name = "Policies"

    def ready(self) -> None:
        """Settle what the engine looks for; see `AXON_NATIONAL_IDS`."""
        from policies import checks  # noqa: F401 (registers them)

        post_migrate.connect(_add_builtin_policies, sender=self)
        if settings.AXON_NATIONAL_IDS:
            from policies.engine.analysis import configure

            with suppress(ValueError):  # `checks` says which country is unknown
                configure(countries=settings.AXON_NATIONAL_IDS)


def _add_builtin_policies(using: str, **_: Any) -> None:
    """Give every tenant the built-in policies that came with this version."""
    from axonportal.accounts.models import Tenant
    from policies import services

    for tenant in Tenant.objects.using(using):
        services.add_builtin_policies(tenant)
