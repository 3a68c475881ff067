"""A stand-in for Stripe, for development and tests. The real SDK sends it HTTP requests; it posts signed webhooks back.

    simulator = Simulator(webhook_url="http://127.0.0.1:8000/webhooks/stripe/", webhook_secret="whsec_...")
    with serve(simulator) as running:            # port=0 takes a free port
        client = stripe.StripeClient("sk_test_simulator", base_addresses={"api": running.url})

Creating one
    Simulator(store_path=None, webhook_url=None, webhook_secret="whsec_simulator", secret_key="sk_test_simulator",
              base_url="", api_version=<the SDK's>, chaos=Chaos(), *, hold=False, post=None, on_advance=None,
              settle_in_presentment=False, **policy)
    store_path None keeps everything in memory. post(url, payload, headers) -> status replaces HTTP, for instance with
    Django's test client. hold=True delivers nothing until release(). Policy: settlement="eur", late_fees=False,
    late_fee_seconds=2, draft_seconds=3600, retry_days=(3, 5, 7), sepa_days=5, upcoming_days=7, payout_days=None,
    available_days=2, failure_fee=0, dispute_fee_apart=False, names_replays=True, resume_is_told=True,
    methods=("card", "link", "sepa_debit"), elsewhere_days=7.
    Chaos(duplicate=0, shuffle=0 seconds, delay=(0, 0) seconds, drop=0, two_ids=0, seed=0)

Time            now(), next_due(), advance(days=0, seconds=0, to=None), begin(days_ago)
Readers         pay(session, card=..., iban=None, email=..., name=..., authenticate=None, expires=None,
                elsewhere=None) -> Outcome, complete(session),
                authenticate(session, passes=True), expire(session), pay_invoice(invoice)
Banks           settle_sepa(payment, succeeds=True), close_dispute(dispute, won), fail_refund(refund),
                dispute(payment, amount=None, reason=..., inquiry=False, currency=None), fail_payout(payout),
                update_card(method, expires), revoke_mandate(method)
Dashboard       refund(payment, amount=None, **given), cancel(subscription, at_period_end=False), payout(),
                cancel_payout(payout), answer_dispute(dispute), break_invoices(subscription),
                set_payment_method(customer, card=..., iban=None, expires=None, retry_now=False, only_default=False),
                mend_invoices(subscription), add_item(subscription, amount, quantity=1),
                set_price(subscription, amount, interval, count=1, quantity=1, decimal=...),
                set_facts(subscription, **facts), discount(subscription, percent), credit(customer, amount),
                prorate(subscription, *amounts), move_billing_day(subscription, days),
                pay_by_another(invoice, card, amount)
Stripe itself   end_for(subscription, reason), return_part(dispute, amount)
Others          foreign_session(customer), foreign_refund(refund)
Deliveries      flush(timeout=10), hold(), release(), outbox(), deliver(events_or_ids), redeliver(event),
                hand_over(taken=()) -> [{id, type, url, payload, headers}], deliveries(event), signed(payload),
                events(type=None)
Requests        requests (Logged: id, at, method, path, params, idempotency_key, status, replayed),
                fail(kind, times=1, path="", method="", seconds=1.0), clear_faults(); kinds are in faults.KINDS
Reading         get(id, expand=()), snapshot() -> {currency: {"gross", "fees", "net", <type>: net}}

A payment can be given as a charge, payment intent, invoice, session or subscription; every object as its id, its
document or the SDK's object. Over HTTP, the same names are POST /_simulator/<name> with a JSON object of arguments
(server/control.py): `clock` moves time and waits for the deliveries; GET reads clock, requests, snapshot and outbox.
The page for people is /_simulator/. Test numbers are CARDS and ACCOUNTS in world/cards.py. Anything that is not
simulated is refused with the code `not_simulated`.
"""

from stripe_simulator.server.server import Running, serve
from stripe_simulator.simulator import KEY_PREFIX, Simulator
from stripe_simulator.world.cards import ACCOUNTS, CARDS
from stripe_simulator.world.chaos import Chaos

__all__ = ["ACCOUNTS", "CARDS", "KEY_PREFIX", "Chaos", "Running", "Simulator", "serve"]
