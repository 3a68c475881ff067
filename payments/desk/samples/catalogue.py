"""The catalogue of emails: every kind with a sample, when it is sent, and how to build each of its cases.

The samples are in this folder by topic; the emails themselves are in payments/letters/ and payments/alerts/letters.py.
A new kind gets its entry in one of the topics: tests/payments/desk/test_samples.py fails without it.
"""

from __future__ import annotations

from payments.desk.samples.failing import FAILING
from payments.desk.samples.links import LINKS
from payments.desk.samples.money_back import MONEY_BACK
from payments.desk.samples.received import RECEIVED
from payments.desk.samples.recurring import RECURRING
from payments.desk.samples.sample import Sample
from payments.desk.samples.staff import STAFF

SAMPLES: dict[str, Sample] = {**RECEIVED, **FAILING, **RECURRING, **MONEY_BACK, **LINKS, **STAFF}
