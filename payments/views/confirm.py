"""The page behind an email's link to confirm a payment with the bank: one button to Stripe's page of the invoice.

GET changes nothing. The shared parts of pages behind a link are in linked.py.
"""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from payments import key_faults
from payments.accounts import account as accounts
from payments.errors import KeyRefused, StripeRefused, StripeUnavailable
from payments.guard import entry
from payments.models import Payment
from payments.stripe_api import client
from payments.views import linked


@never_cache
@csrf_exempt  # why: members/links/pages.py
@require_http_methods(["GET", "HEAD", "POST"])
def confirm(request: HttpRequest, token: str) -> HttpResponse:
    payment = linked.payment("confirm", token)
    if payment is None:
        return linked.unopened(request, "confirm", token)
    if payment.status == Payment.Status.SUCCEEDED:
        return _page(request, payment, "paid")
    if payment.subscription and payment.subscription.is_ending_or_asked_to:  # Stripe would still take the money
        return _page(request, payment, "over")
    if request.method != "POST":
        return _page(request, payment, "ask")
    if not entry.may_visit(request, "confirm", str(payment.public_id)):
        return _page(request, payment, "busy", status=429)
    return _to_stripe(request, payment)


def _to_stripe(request: HttpRequest, payment: Payment) -> HttpResponse:
    """Redirect to Stripe's page of the invoice if it is still open; otherwise say that it is paid or over."""
    try:
        with key_faults.noted("confirm-page"), client.missing_means_missing():
            invoice = client.read_invoice(payment.stripe_invoice_id or "")
    except KeyRefused:
        return _page(request, payment, "ours", status=503)
    except StripeUnavailable:
        return _page(request, payment, "unavailable", status=503)
    except StripeRefused:
        return _page(request, payment, "over")
    if invoice.status == "open" and invoice.hosted_url:
        return linked.private(HttpResponseRedirect(invoice.hosted_url, status=303))
    return _page(request, payment, "paid" if invoice.status == "paid" else "over")


def _page(request: HttpRequest, payment: Payment, state: str, status: int = 200) -> HttpResponse:
    account = accounts.of(payment.subscription) if payment.subscription else None
    return linked.page(request, "portal/confirm.html", {"payment": payment, "account": account, "state": state}, status)
