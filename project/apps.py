from django.apps import AppConfig


class ProjectConfig(AppConfig):
    """The app for everything around the others: settings, addresses, health, checks and `make run`."""

    name = "project"

    def ready(self) -> None:
        from project import checks, reporting  # noqa: F401 - registers the system checks

        reporting.start()
