from members.models.access import ApiKey
from members.models.consent import Consent
from members.models.correspondence import DeliveryReport, MailChoice, Message, Suppression
from members.models.membership import Level, LevelAmount, LevelName, Membership
from members.models.newsroom import Newsroom
from members.models.people import Supporter, TimelineEntry

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
    "Supporter",
    "Suppression",
    "TimelineEntry",
]
