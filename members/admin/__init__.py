"""This app's lists at the staff desk. Supporters and messages are in payments/admin/, because they show money too."""

from members.admin import access, levels, memberships, newsroom

__all__ = ["access", "levels", "memberships", "newsroom"]
