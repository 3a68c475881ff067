from members.models.access import ApiKey
from members.models.consent import Consent
from members.models.correspondence import Message
from members.models.membership import Level, LevelAmount, LevelName, Membership
from members.models.people import Supporter, TimelineEntry

__all__ = [
    "ApiKey",
    "Consent",
    "Level",
    "LevelAmount",
    "LevelName",
    "Membership",
    "Message",
    "Supporter",
    "TimelineEntry",
]
