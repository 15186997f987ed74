from django.apps import AppConfig


class AccountsConfig(AppConfig):
    name = "axonportal.accounts"
    label = "accounts"
    verbose_name = "Access"
