from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("members", "0002_first_level")]
    operations = [
        migrations.AddField(
            model_name="message",
            name="unanswered",
            field=models.PositiveSmallIntegerField(
                default=0,
                editable=False,
                help_text="How often the mail server got the whole message and never said what it did with it.",
                verbose_name="handed over without an answer",
            ),
        ),
    ]
