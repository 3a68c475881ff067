from django.apps import AppConfig


class AppealsConfig(AppConfig):
    """Floor 2: asking. Campaigns and appeals."""

    name = "appeals"
    verbose_name = "Campaigns and appeals"
