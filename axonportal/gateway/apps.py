from django.apps import AppConfig


class GatewayConfig(AppConfig):
    name = "axonportal.gateway"
    label = "gateway"
    verbose_name = "Gateway"

    def ready(self) -> None:
        from approvals import reading as of_approvals
        from axonportal.gateway import reading

        of_approvals.use(reading.read)
