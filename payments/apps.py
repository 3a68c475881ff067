from django.apps import AppConfig


class PaymentsConfig(AppConfig):
    """Floor 3: money, and all that needs both people and money."""

    name = "payments"
    verbose_name = "Money"
