from django.apps import AppConfig


class CommonConfig(AppConfig):
    name = "axonportal.common"
    label = "common"
    verbose_name = "Portal"

    def ready(self) -> None:
        from axonportal.common import checks  # noqa: F401 (registers them)
