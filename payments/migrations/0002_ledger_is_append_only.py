"""The ledger refuses every change: corrections are reversals, whoever asks."""

from django.db import migrations

REFUSE = """
CREATE FUNCTION payments_refuse_ledger_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'The ledger is append-only: add a reversing entry instead of % on %.', TG_OP, TG_TABLE_NAME
    USING ERRCODE = 'restrict_violation';
END $$;
CREATE TRIGGER ledger_row_unchanged BEFORE UPDATE OR DELETE ON payments_ledgerentry
  FOR EACH ROW EXECUTE FUNCTION payments_refuse_ledger_change();
CREATE TRIGGER ledger_not_emptied BEFORE TRUNCATE ON payments_ledgerentry
  FOR EACH STATEMENT EXECUTE FUNCTION payments_refuse_ledger_change();
"""
ALLOW = """
DROP TRIGGER ledger_not_emptied ON payments_ledgerentry;
DROP TRIGGER ledger_row_unchanged ON payments_ledgerentry;
DROP FUNCTION payments_refuse_ledger_change();
"""


class Migration(migrations.Migration):
    dependencies = [("payments", "0001_initial")]
    operations = [migrations.RunSQL(REFUSE, ALLOW)]
