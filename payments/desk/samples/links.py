"""The samples of emails with links to a supporter's own pages. Part of catalogue.py."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from members.links import fresh as fresh_links
from members.models import Message
from payments.desk.samples.rows import Giver, checkout, stopping, subscription
from payments.desk.samples.sample import Sample, Variant, always
from payments.letters import links as link_letters


def _fresh(who: Giver) -> Message | None:
    return fresh_links.fresh_link("stop", str(subscription(who).public_id), who.supporter)


def _twice(who: Giver) -> Message | None:
    return link_letters.duplicate_plan(subscription(who), [subscription(who, "year")])


def _several(who: Giver) -> Message | None:
    return link_letters.gift_links(who.supporter, [subscription(who, "year"), subscription(who), stopping(who)])


def _begin(who: Giver) -> Message | None:
    return link_letters.begin_gift(checkout(who, "once"))


LINKS: dict[str, Sample] = {
    "begin_gift": always(
        _("While the door is guarded, when somebody whose browser runs no script begins a gift."), _begin
    ),
    "duplicate_plan": always(_("At once, when somebody who gives already begins a second recurring gift."), _twice),
    "fresh_link": always(_("When somebody asks for it on the page of a link that has run out."), _fresh),
    "gift_links": Sample(
        _("When somebody types their address on the page to change or stop a gift."),
        {
            "one": Variant(_("One gift"), lambda who: link_letters.gift_links(who.supporter, [subscription(who)])),
            "several": Variant(_("Several gifts"), _several),
            "none": Variant(_("No recurring gift"), lambda who: link_letters.gift_links(who.supporter, [])),
        },
    ),
}
