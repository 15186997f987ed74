from django.apps import AppConfig


class GatewayConfig(AppConfig):
    name = "axonportal.gateway"
    label = "gateway"
    verbose_name = "Gateway"
