"""Settings and lists of this floor at the staff's desk. Supporters and messages are on the floor of money."""

from members.admin import access, levels, memberships

__all__ = ["access", "levels", "memberships"]
