from contextlib import suppress

from django.apps import AppConfig
from django.conf import settings


class PoliciesConfig(AppConfig):
    name = "policies"
    verbose_name = "Policies"

    def ready(self) -> None:
        """Settle what the engine looks for; see `AXON_NATIONAL_IDS`."""
        if settings.AXON_NATIONAL_IDS:
            from policies.engine.analysis import configure

            with suppress(ValueError):  # `common.checks` says which country is unknown
                configure(countries=settings.AXON_NATIONAL_IDS)
