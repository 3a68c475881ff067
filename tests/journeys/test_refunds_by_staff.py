"""Staff send money back: asked of Stripe once, told to the supporter once, in the books to the cent."""

from __future__ import annotations

from members.models import Message
from payments import refund_requests
from payments.models import Payment, Refund, RefundRequest
from tests import factories
from tests.stage import Stage


def refund_mails() -> list[Message]:
    return list(Message.objects.filter(kind="refund_done").order_by("pk"))


def test_a_part_and_then_the_rest(stage: Stage) -> None:
    stage.join("once", amount="25")
    payment, marta = Payment.objects.get(), factories.staff("marta")
    refund_requests.request_refund(payment, 1000, "requested_by_customer", marta, "You were right about the amount.")
    stage.settle_down()
    request = RefundRequest.objects.get()
    assert (request.state, request.stripe_refund_id) == ("seen", Refund.objects.get().stripe_refund_id)
    print(stage.last_mail())
    payment.refresh_from_db()
    assert payment.refunded_amount == 1000
    assert refund_requests.left(payment) == 1500
    assert len(refund_mails()) == 1
    assert stage.books()["broken"] == []
