from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class PaymentsConfig(AppConfig):
    """Floor 3: money, and all that needs both people and money."""

    name = "payments"
    verbose_name = _("Money")
