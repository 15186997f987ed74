from django.apps import AppConfig
from django.core import signals
from django.core.cache import close_caches
from django.db import close_old_connections, reset_queries


class CommonConfig(AppConfig):
    name = "axonportal.common"
    label = "common"
    verbose_name = "Portal"

    def ready(self) -> None:
        from axonportal.common import checks  # noqa: F401 (registers them)

        _spare_each_request()


def _spare_each_request() -> None:
    """Leave out what Django does around every request and what has no use here.

    Connections go back to the pool when a request ends, so none is old when the next one starts;
    queries are only logged, and need resetting, with DEBUG; and there are no caches to close.
    Together they take a pre-check as long as finding its view.
    """
    from django.conf import settings

    signals.request_started.disconnect(close_old_connections)
    if not settings.DEBUG:
        signals.request_started.disconnect(reset_queries)
    if len(settings.CACHES) == 1 and "locmem" in settings.CACHES["default"]["BACKEND"]:
        signals.request_finished.disconnect(close_caches)
