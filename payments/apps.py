from typing import Any

from django.apps import AppConfig
from django.db.models.signals import post_migrate
from django.utils.module_loading import import_string
from django.utils.translation import gettext_lazy as _


class PaymentsConfig(AppConfig):
    """Django's configuration of the app for money, and for everything that needs both people and money."""

    name = "payments"
    verbose_name = _("Money")

    def ready(self) -> None:
        # The last of our apps with models: Django has made the rights of all of them by then.
        post_migrate.connect(make_roles, sender=self)


def make_roles(**kwargs: Any) -> None:
    """Give the ready roles their rights, after each `migrate`."""
    import_string("members.staff.roles.sync")()  # models can be imported only once all apps are ready
