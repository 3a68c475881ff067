from django.apps import AppConfig


class ProjectConfig(AppConfig):
    """The roof: settings, addresses, health, checks, running it."""

    name = "project"

    def ready(self) -> None:
        from project import checks, reporting  # noqa: F401 - registers the system checks

        reporting.start()
