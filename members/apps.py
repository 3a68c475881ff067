from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class MembersConfig(AppConfig):
    """Floor 1: people, membership, levels, entitlements, correspondence."""

    name = "members"
    verbose_name = _("People and membership")
