from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class AppealsConfig(AppConfig):
    """The app for campaigns and appeals, and the block under an article. It may import members, but not payments."""

    name = "appeals"
    verbose_name = _("Campaigns and appeals")
