"""The ready roles of staff: Django groups with the rights that stand here. `manage.py migrate` makes them.

A right exists only once Django has made it, at the end of `migrate`; payments/apps.py therefore calls `sync` there,
each time. Roles belong to the software: what somebody changed in them by hand is put right again.
"""

from __future__ import annotations

from collections.abc import Iterable

from django.contrib.auth.models import Group, Permission, User
from django.db import transaction
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

# The apps whose rights an Owner has, all of them. Of other apps an Owner has those in OF_OWNERS.
OWN_APPS = ("members", "appeals", "payments")
OF_OWNERS = (
    "auth.view_user",
    "auth.add_user",
    "auth.change_user",
    "axes.view_accessattempt",
    "axes.view_accessfailurelog",
    "axes.view_accesslog",
)
FIGURES = (
    "payments.see_figures",
    "payments.view_doorperiod",
    "appeals.view_campaign",
    "appeals.view_appeal",
    "members.view_level",
)
PEOPLE = (
    "members.view_supporter",
    "members.view_membership",
    "members.view_message",
    "members.view_letters",
    "members.view_suppression",
    "members.view_consent",
    "payments.view_checkout",
    "payments.view_subscription",
    "payments.view_payment",
    "payments.view_refund",
    "payments.view_refundrequest",
    "payments.view_heldrefund",
    "payments.view_dispute",
    "payments.view_case",
    "payments.view_doorperiod",
)
ACTS = (
    "members.change_supporter",
    "members.change_message",
    "members.change_suppression",
    "payments.change_subscription",
    "payments.change_payment",
    "payments.change_case",
    "payments.change_dispute",
)
BOOKS = (
    "payments.view_payment",
    "payments.view_subscription",
    "payments.view_refund",
    "payments.view_refundrequest",
    "payments.view_heldrefund",
    "payments.view_dispute",
    "payments.view_ledgerentry",
    "payments.view_payout",
    "payments.view_difference",
    "payments.view_reconciliation",
)
REFUNDS = ("payments.change_payment", "payments.refund_without_limit", "payments.change_heldrefund")
ASKING = (
    "appeals.view_campaign",
    "appeals.add_campaign",
    "appeals.change_campaign",
    "appeals.view_appeal",
    "appeals.add_appeal",
    "appeals.change_appeal",
    "appeals.view_appealwords",
    "appeals.add_appealwords",
    "appeals.change_appealwords",
    "appeals.delete_appealwords",
    "appeals.view_appealamounts",
    "appeals.add_appealamounts",
    "appeals.change_appealamounts",
    "appeals.delete_appealamounts",
    "members.view_letters",
)
MANAGING = (
    "appeals.publish_campaign",
    "members.see_at_risk",
    "members.mark_at_risk",
    "payments.change_difference",
    "payments.view_stripeevent",
    "payments.change_stripeevent",
    "payments.export_person",
    "payments.erase_person",
    "payments.view_erasure",
    "payments.change_erasure",
    "payments.view_retentionrun",
)

VIEWER, SUPPORT, EDITOR, FINANCE, MANAGER, OWNER = "Viewer", "Support", "Editor", "Finance", "Manager", "Owner"
ROLES: dict[str, tuple[str, ...]] = {
    VIEWER: FIGURES,
    SUPPORT: PEOPLE + ACTS,
    EDITOR: ASKING,
    FINANCE: FIGURES + BOOKS + REFUNDS + ("payments.change_difference",),
    MANAGER: FIGURES + PEOPLE + ACTS + BOOKS + REFUNDS + ASKING + MANAGING,
    OWNER: OF_OWNERS,
}
NAMES = {
    VIEWER: _("Viewer"),
    SUPPORT: _("Support"),
    EDITOR: _("Editor"),
    FINANCE: _("Finance"),
    MANAGER: _("Manager"),
    OWNER: _("Owner"),
}
MAY = {
    VIEWER: _("The figures of the desk, campaigns and levels. No person."),
    SUPPORT: _("People, except those at risk; stopping a gift, sending emails again, refunds up to a limit."),
    EDITOR: _("Drafts of campaigns and appeals, and samples of our emails. No person, no money."),
    FINANCE: _("Our records of money, and refunds. People as numbers, without names and addresses."),
    MANAGER: _("People, also those at risk, and money; publishes campaigns and appeals; exports and erases people."),
    OWNER: _("Everything: colleagues, keys, levels and the log too."),
}


class NotYours(Exception):
    """The actor may not give this role, or may not change this colleague."""


@transaction.atomic
def sync() -> None:
    """Make the groups of all roles and give each exactly its rights. Idempotent. Call it after `migrate`.

    Raises LookupError for a right that does not exist.
    """
    known = {_label(each): each for each in Permission.objects.select_related("content_type")}
    for name, labels in ROLES.items():
        group, _is_new = Group.objects.get_or_create(name=name)
        missing = [label for label in labels if label not in known]
        if missing:
            raise LookupError(f"The role {name} names rights that do not exist: {', '.join(missing)}.")
        rights = {known[label] for label in labels}
        if name == OWNER:
            rights |= {each for each in known.values() if each.content_type.app_label in OWN_APPS}
        if set(group.permissions.all()) != rights:
            group.permissions.set(rights)


def of(user: User) -> str:
    """Return the name of a user's role for display: "" for none, several names where there are several."""
    if user.is_superuser:
        return str(_("Superuser"))
    return ", ".join(str(NAMES.get(group.name, group.name)) for group in user.groups.all())


def givable(actor: User) -> list[str]:
    """Return the roles that the actor may give: those without a right that the actor does not have."""
    held = actor.get_all_permissions()
    groups = Group.objects.filter(name__in=ROLES).prefetch_related("permissions__content_type")
    fitting = {each.name for each in groups if {_label(right) for right in each.permissions.all()} <= held}
    return [name for name in ROLES if name in fitting]


def may_change(actor: User, colleague: User) -> bool:
    """Return whether the actor may change this colleague: not themselves, no superuser, nobody who may do more."""
    if actor.pk == colleague.pk or colleague.is_superuser:
        return False
    return rights_of(colleague) <= actor.get_all_permissions()


def rights_of(user: User) -> set[str]:
    """Return the rights of a user's groups and of their own, whether or not the account is active."""
    rights = Permission.objects.filter(Q(group__user=user) | Q(user=user)).select_related("content_type").distinct()
    return {_label(each) for each in rights}


@transaction.atomic
def give(actor: User, colleague: User, role: str) -> None:
    """Give a colleague this role in place of all others and of single rights. Raises NotYours."""
    locked = User.objects.select_for_update().get(pk=colleague.pk)
    if not may_change(actor, locked) or role not in givable(actor):
        raise NotYours
    locked.groups.set(Group.objects.filter(name=role))
    locked.user_permissions.clear()


def holders(right: str) -> Iterable[User]:
    """Return the active users with a right such as `members.view_stafflogentry`, superusers too."""
    app, _dot, codename = right.partition(".")
    held = Q(user_permissions__codename=codename, user_permissions__content_type__app_label=app)
    in_group = Q(groups__permissions__codename=codename, groups__permissions__content_type__app_label=app)
    return User.objects.filter(held | in_group | Q(is_superuser=True), is_active=True).distinct()


def _label(right: Permission) -> str:
    return f"{right.content_type.app_label}.{right.codename}"
