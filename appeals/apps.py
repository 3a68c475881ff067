from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class AppealsConfig(AppConfig):
    """Floor 2: asking. Campaigns and appeals."""

    name = "appeals"
    verbose_name = _("Campaigns and appeals")
