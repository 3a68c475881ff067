"""Every installation starts with one level: patron, from any amount."""

from django.db import migrations


def make_first_level(apps, schema_editor):
    level = apps.get_model("members", "Level").objects.create(slug="patron", rank=1)
    names = apps.get_model("members", "LevelName").objects
    names.create(level=level, language="en", name="Patron")
    names.create(level=level, language="uk", name="Спільнота")


class Migration(migrations.Migration):
    dependencies = [("members", "0001_initial")]
    operations = [migrations.RunPython(make_first_level, migrations.RunPython.noop)]
