from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class MembersConfig(AppConfig):
    """The app for people: supporters, memberships, levels, entitlements and email. It imports no other app."""

    name = "members"
    verbose_name = _("People and membership")
