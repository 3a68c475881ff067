"""What readers and staff do in a random life."""

from __future__ import annotations

import contextlib
import uuid

from hypothesis import strategies as st
from hypothesis.stateful import rule

from payments.desk.acts.duplicates import RefundOne, StopOneAndRefund
from payments.inbox import replay
from payments.models import Case, Checkout, RefundRequest, StripeEvent, Subscription
from payments.recurring import changes, portal, undoing
from tests.machine.house import SHRUGGED_AT, House, nth, one_of

PLAIN, FAILS_LATER, DECLINED, ASKS, ASKS_ALWAYS = CARDS = [
    "4242424242424242",
    "4000000000000341",
    "4000000000000002",
    "4000002500003155",
    "4000002760003184",
]
ACCOUNTS = ["DE89370400440532013000", "DE62370400440532013001"]
PEOPLE = st.sampled_from(["olena@example.org", "marko@example.org", "ira@example.org"])
GIFTS = st.sampled_from([("once", "25"), ("month", "10"), ("month", "20"), ("year", "100")])
NUMBERS = st.integers(0, 9)
REASONS = st.sampled_from(RefundRequest.Reason.values)


class Readers(House):
    @rule(
        gift=GIFTS,
        who=PEOPLE,
        currency=st.sampled_from(["EUR", "USD"]),
        card=st.sampled_from(CARDS),
        confirms=st.booleans(),
    )
    def gives_by_card(self, gift: tuple[str, str], who: str, currency: str, card: str, confirms: bool) -> None:
        how = {"authenticate": confirms} if card in {ASKS, ASKS_ALWAYS} else {}
        self.pays(self.sends(self.fills_in(gift, who, currency)), card=card, **how)

    @rule(gift=GIFTS, who=PEOPLE, account=st.sampled_from(ACCOUNTS))
    def gives_by_debit(self, gift: tuple[str, str], who: str, account: str) -> None:
        self.pays(self.sends(self.fills_in(gift, who)), iban=account)

    @rule(gift=GIFTS, who=PEOPLE)
    def gives_by_what_is_paid_elsewhere(self, gift: tuple[str, str], who: str) -> None:
        """By a voucher, or from an account that asks for small deposits to be confirmed, or that never hears of it."""
        how, currency = ("multibanco", "EUR") if gift[0] == "once" else ("us_bank_account", "USD")
        self.pays(self.sends(self.fills_in(gift, who, currency)), elsewhere=how)

    @rule(number=NUMBERS)
    def pays_elsewhere(self, number: int) -> None:
        if session := self.at_stripe("checkout.session", number, status="complete", payment_status="unpaid"):
            with contextlib.suppress(*SHRUGGED_AT):
                self.stripe.complete(session["id"])

    @rule(gift=GIFTS, who=PEOPLE, by_debit=st.booleans())
    def gives_in_two_tabs(self, gift: tuple[str, str], who: str, by_debit: bool) -> None:
        how = {"iban": ACCOUNTS[0]} if by_debit else {"card": PLAIN}
        for waiting in [self.sends(self.fills_in(gift, who)) for _ in range(2)]:
            self.pays(waiting, **how)

    @rule(number=NUMBERS, times=st.integers(1, 2))
    def sends_a_form_again(self, number: int, times: int) -> None:
        if fields := nth(self.forms, number):
            for _ in range(times):
                self.sends(fields)

    @rule(number=NUMBERS, card=st.sampled_from(CARDS), confirms=st.booleans())
    def goes_on_at_stripes_page(self, number: int, card: str, confirms: bool) -> None:
        """One who was declined, turned away from 3-D Secure, or had left."""
        waiting = Checkout.objects.filter(status__in=["started", "open"])
        self.pays(one_of(waiting, number), card=card, authenticate=confirms)

    @rule(number=NUMBERS)
    def confirms_a_renewal_at_the_bank(self, number: int) -> None:
        if invoice := self.at_stripe("invoice", number, status="open"):
            self.paid_by_hand.add(invoice["id"])
            with contextlib.suppress(*SHRUGGED_AT):
                self.stripe.pay_invoice(invoice["id"])

    @rule(number=NUMBERS)
    def stops_from_a_letter(self, number: int) -> None:
        if subscription := self.alive(number):
            with self.doing():
                changes.request_stop(subscription, "mail")

    @rule(number=NUMBERS)
    def pauses_from_a_letter(self, number: int) -> None:
        if subscription := self.alive(number):
            with self.doing():
                changes.request_pause(subscription, "mail")

    @rule(number=NUMBERS)
    def gives_less_from_a_letter(self, number: int) -> None:
        if (subscription := self.alive(number)) and (amount := changes.lower_amount(subscription)):
            with self.doing():
                changes.request_amount(subscription, amount, "mail")

    @rule(number=NUMBERS)
    def goes_on_after_all(self, number: int) -> None:
        if subscription := self.alive(number):
            with self.doing():
                changes.request_keep(subscription, "mail")

    @rule(number=NUMBERS, card=st.sampled_from([PLAIN, FAILS_LATER, ASKS_ALWAYS]), retry_now=st.booleans())
    def takes_another_card(self, number: int, card: str, retry_now: bool) -> None:
        """Stripe tries what is overdue with it or, when it does not, we do."""
        if subscription := one_of(Subscription.objects.all(), number):
            with contextlib.suppress(*SHRUGGED_AT):
                self.stripe.set_payment_method(subscription.stripe_customer_id, card, retry_now=retry_now)

    @rule(number=NUMBERS, card=st.sampled_from([PLAIN, FAILS_LATER, ASKS_ALWAYS]))
    def takes_another_card_by_our_link(self, number: int, card: str) -> None:
        """Stripe's page changes the customer's default only."""
        if subscription := self.alive(number):
            with self.doing():
                portal.begin(subscription, "http://testserver/back/", "http://testserver/left/", "en")
                self.stripe.set_payment_method(subscription.stripe_customer_id, card, only_default=True)


class Staff(House):
    @rule(number=NUMBERS, share=st.sampled_from([3, 2, 1]), reason=REASONS, also_stops=st.booleans())
    def send_money_back(self, number: int, share: int, reason: str, also_stops: bool) -> None:
        if payment := self.received(number):
            with self.doing():
                undoing.send_back(payment, payment.amount // share, reason, self.marta, also_stops=also_stops)

    @rule(number=NUMBERS)
    def stop_for_somebody(self, number: int) -> None:
        if subscription := self.alive(number):
            with self.doing():
                changes.request_stop(subscription, "staff", actor=self.marta)

    @rule(number=NUMBERS, which=st.integers(0, 1))
    def settle_a_duplicate_in_one_act(self, number: int, which: int) -> None:
        acts = {act.kind: act for act in (RefundOne(), StopOneAndRefund())}
        case = one_of(Case.objects.filter(settled_at=None, kind__in=list(acts)), number)
        if case and (one := nth(acts[Case.Kind(case.kind)].candidates(case), which)):
            with self.doing():
                act, answers = (
                    acts[Case.Kind(case.kind)],
                    {"which": str(one.pk), "sentence": "", "request_id": uuid.uuid4()},
                )
                act.perform(case, {**answers, "shown": act.confirmation(case, answers).shown}, self.marta)

    @rule(type=st.sampled_from(["", "invoice", "customer.subscription", "charge", "checkout"]))
    def work_events_again(self, type: str) -> None:
        replay.replay(StripeEvent.objects.filter(type__startswith=type))
