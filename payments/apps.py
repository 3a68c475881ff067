from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class PaymentsConfig(AppConfig):
    """Django's configuration of the app for money, and for everything that needs both people and money."""

    name = "payments"
    verbose_name = _("Money")
