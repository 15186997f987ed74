from django.apps import AppConfig


class AccountsConfig(AppConfig):
    name = "axonportal.accounts"
    label = "accounts"
    verbose_name = "Access"

    def ready(self) -> None:
        from axonportal.accounts import signals  # noqa: F401 (connects its receivers)
