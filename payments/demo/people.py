"""The acts of the demo supporters and of staff: give, stop, replace a card, refund.

Our side calls the same rules as the website's pages, Stripe's side the simulator's controls. Each act is idempotent, so
that a history that was interrupted can repeat its last day.
"""

from __future__ import annotations

from appeals.models import Appeal
from payments import money
from payments.demo import simulator, stories
from payments.demo.stories import Story
from payments.giving import checkout
from payments.giving.choices import Choice, Person
from payments.models import Checkout, Payment, Subscription
from payments.recurring import changes

CONSENT = "Demo data: made by seed_demo, agreed to by nobody."
PAYS, FAILS_LATER, DECLINED = "4242424242424242", "4000000000000341", "4000000000000002"
MEANS = {
    stories.CARD_FAILS: {"card": FAILS_LATER},
    stories.SEPA: {"iban": "DE89370400440532013000"},
    stories.SEPA_FAILS: {"iban": "DE62370400440532013001"},
}


def act(story: Story, days_ago: int) -> None:
    """Act as the story says for this day."""
    if days_ago == story.days_ago:
        _begin(story)
    if days_ago == story.stops:
        _stop(story)
    if days_ago == story.gets_card:
        customer = Subscription.objects.get(supporter__email=story.email).stripe_customer_id
        simulator.ask("set_payment_method", customer=customer, card=PAYS, retry_now=True)
    if days_ago == story.refunded:
        _refund(story)


def _begin(story: Story) -> None:
    """Give, or give twice at the same time if that is the supporter's fate."""
    if story.fate == stories.TWICE:
        _give(story, "second tab")
    _give(story, "first tab")


def _give(story: Story, tab: str) -> None:
    """Send the form and pay at Stripe's page, unless this was done before."""
    person = Person(story.email, story.name, story.language)
    address = checkout.begin(_choice(story), person, CONSENT, f"demo {story.email} {tab}")
    session = Checkout.objects.filter(stripe_session_url=address).values_list("stripe_session_id", flat=True).first()
    if session is None:  # paid before: the address is our own return page
        return
    if story.fate == stories.DECLINED_FIRST:
        simulator.ask("pay", session=session, card=DECLINED, email=story.email, name=story.name)
    means = MEANS.get(story.fate, {"card": PAYS})
    simulator.ask("pay", session=session, email=story.email, name=story.name, **means)


def _choice(story: Story) -> Choice:
    """Return what the supporter chooses; two in three come from the appeal under the demo article."""
    appeal = Appeal.objects.select_related("campaign").first() if story.days_ago % 3 else None
    return Choice(
        story.frequency,
        money.parse(story.amount, story.currency),
        story.currency,
        appeal.campaign if appeal else None,
        appeal,
        "demo-article" if appeal else "",
    )


def _stop(story: Story) -> None:
    """Request the stop of the gift, unless it is requested."""
    subscription = Subscription.objects.get(supporter__email=story.email)
    if not subscription.changes.exists():
        changes.request_stop(subscription, "mail", "money")


def _refund(story: Story) -> None:
    """Refund all or half of the payment in Stripe's dashboard, unless it is refunded."""
    payment = Payment.objects.get(supporter__email=story.email)
    if not payment.refunded_amount:
        part = {"amount": payment.amount // 2} if story.fate == stories.PARTLY_REFUNDED else {}
        simulator.ask("refund", payment=payment.stripe_payment_intent_id, **part)
