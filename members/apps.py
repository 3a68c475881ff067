from django.apps import AppConfig


class MembersConfig(AppConfig):
    """Floor 1: people, membership, levels, entitlements, correspondence."""

    name = "members"
    verbose_name = "People and membership"
