from members.models.access import ApiKey
from members.models.consent import Consent
from members.models.correspondence import DeliveryReport, MailChoice, Message, Suppression
from members.models.membership import Level, LevelAmount, LevelName, Membership
from members.models.newsroom import Newsroom
from members.models.people import Supporter, TimelineEntry
from members.models.rights import Tombstone
from members.models.staff import RecoveryCode, StaffAccount, StaffLogEntry, StoredSearch

__all__ = [
    "ApiKey",
    "Consent",
    "DeliveryReport",
    "Level",
    "LevelAmount",
    "LevelName",
    "MailChoice",
    "Membership",
    "Message",
    "Newsroom",
    "RecoveryCode",
    "StaffAccount",
    "StaffLogEntry",
    "StoredSearch",
    "Supporter",
    "Suppression",
    "TimelineEntry",
    "Tombstone",
]
