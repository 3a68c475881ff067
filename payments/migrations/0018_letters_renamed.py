from django.db import migrations

# The one letter there was is the first of four now, or the one that asks to confirm; what said "ended, unpaid" is a
# kind of its own. Renamed, they show their kind at the desk, can be sent again, and are not owed a second time.
RENAMED = [
    """UPDATE members_message SET kind = 'action_required',
        key = regexp_replace(key, '^payment_failed:([^:]+)', 'action_required:\\1:1')
        WHERE kind = 'payment_failed' AND context ->> 'reason' = 'confirmation'""",
    """UPDATE members_message SET kind = 'payment_failed_1',
        key = regexp_replace(key, '^payment_failed:', 'payment_failed_1:') WHERE kind = 'payment_failed'""",
    """UPDATE members_message SET kind = 'ended_unpaid',
        key = regexp_replace(key, '^ended:', 'ended_unpaid:') WHERE kind = 'ended' AND context ->> 'unpaid' = 'true'""",
]


class Migration(migrations.Migration):

    dependencies = [
        ('members', '0006_withheld_letters'),
        ('payments', '0017_stops_at_once'),
    ]

    operations = [migrations.RunSQL(sql, migrations.RunSQL.noop) for sql in RENAMED]
