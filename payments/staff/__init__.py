"""The desk's lists about staff: colleagues and roles, the log, sign-ins, refunds of two people.

Registered on import, by payments/admin/.
"""

from payments.staff import colleagues, held_refunds, log, sign_ins

__all__ = ["colleagues", "held_refunds", "log", "sign_ins"]
