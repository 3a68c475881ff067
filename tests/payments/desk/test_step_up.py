"""Before a grave act one says again who one is; large refunds need two people, and Support has a limit."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from members.models import StaffLogEntry
from members.staff import door, roles, step_up
from payments import cases
from payments.models import Case, HeldRefund, Payment, RefundRequest
from tests import colleagues, factories
from tests.stage import Stage

pytestmark = pytest.mark.django_db
PASSWORD = "a long pass phrase"
ANSWERS = {"amount": "10", "reason": "requested_by_customer", "sentence": "Дякуємо & до зустрічі"}


@pytest.fixture(autouse=True)
def nothing_tried() -> None:
    factories.forget_tries()


def send_back(payment: Payment) -> str:
    return reverse("admin:payments_payment_send-back", args=[payment.pk])


def confirmed(page: str, **answers: str) -> dict[str, str]:
    found = re.search(r'name="request_id" value="([^"]+)"', page)
    assert found
    return {**ANSWERS, **answers, "request_id": found[1]}


def grow_old(client: Client) -> None:
    """Let more than ten minutes pass since this client proved who it is."""
    session = client.session
    session[door.CONFIRMED] -= step_up.LASTS_SECONDS + 1
    session.save()


def hidden_fields(page: str) -> dict[str, str]:
    found = dict(re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)">', page))
    return {name: value for name, value in found.items() if name != "csrfmiddlewaretoken"}


def test_after_ten_minutes_a_refund_asks_for_the_password_and_keeps_what_was_typed(
    client: Client, stage: Stage
) -> None:
    stage.pay(stage.give())
    stage.settle_down()
    payment = Payment.objects.get()
    colleagues.sign_in(client)
    answers = confirmed(client.post(send_back(payment), ANSWERS).content.decode())
    grow_old(client)
    asked = client.post(send_back(payment), answers).content.decode()
    assert "Your password" in asked
    assert not RefundRequest.objects.exists()
    kept = hidden_fields(asked)
    assert kept["sentence"] == "Дякуємо &amp; до зустрічі"
    assert kept["request_id"] == answers["request_id"]
    wrong = client.post(send_back(payment), {**answers, "step_up": "wrong"}).content.decode()
    assert "Wrong password." in wrong
    assert hidden_fields(wrong)["amount"] == "10"
    assert not RefundRequest.objects.exists()
    client.post(send_back(payment), {**answers, "step_up": PASSWORD})
    assert RefundRequest.objects.get().sentence == ANSWERS["sentence"]
    assert StaffLogEntry.objects.filter(action="step_up.refused").count() == 1
    assert PASSWORD not in str(list(StaffLogEntry.objects.values()))


def test_who_has_a_second_factor_gives_that_and_not_the_password(client: Client) -> None:
    payment = factories.payment()
    user = colleagues.sign_in(client)
    device = colleagues.second_factor(user)
    session = client.session
    session[door.FACTOR] = True
    session.save()
    answers = confirmed(client.post(send_back(payment), ANSWERS).content.decode())
    grow_old(client)
    assert "recovery codes" in client.post(send_back(payment), answers).content.decode()
    assert "not right" in client.post(send_back(payment), {**answers, "step_up": PASSWORD}).content.decode()
    assert step_up.FIELD in client.post(send_back(payment), answers).content.decode()
    client.post(send_back(payment), {**answers, "step_up": colleagues.code_of(device)})
    assert client.session[door.CONFIRMED] > 0
    assert "Is it you?" not in client.post(send_back(payment), answers, follow=True).content.decode()


def test_guesses_are_stopped(client: Client) -> None:
    payment = factories.payment()
    colleagues.sign_in(client)
    answers = confirmed(client.post(send_back(payment), ANSWERS).content.decode())
    grow_old(client)
    for _number in range(10):
        client.post(send_back(payment), {**answers, "step_up": "wrong"})
    stopped = client.post(send_back(payment), {**answers, "step_up": PASSWORD}).content.decode()
    assert "many tries" in stopped
    assert not RefundRequest.objects.exists()


def test_after_a_page_that_was_only_opened_one_comes_back_to_it(rf: Any, client: Client) -> None:
    user = colleagues.sign_in(client)
    grow_old(client)

    def view(request: Any) -> Any:
        request.user, request.session = user, client.session
        return step_up.ask(request)

    asked = view(rf.get("/admin/x/?page=2"))
    asked.render()
    assert hidden_fields(asked.content.decode()) == {"step_up_alone": "yes"}
    answer = view(rf.post("/admin/x/?page=2", {"step_up_alone": "yes", "step_up": PASSWORD}))
    assert answer["Location"] == "/admin/x/?page=2"


@pytest.mark.parametrize(
    ("currency", "amount", "is_above"), [("EUR", 10000, False), ("EUR", 10100, True), ("JPY", 9000, False)]
)
def test_support_sends_back_up_to_its_limit_also_in_parts(
    client: Client, currency: str, amount: int, is_above: bool
) -> None:
    payment = factories.payment(amount=20000, currency=currency)
    colleagues.sign_in(client, colleagues.in_role(roles.SUPPORT))
    written = str(amount // 100) if currency == "EUR" else str(amount)
    page = client.post(send_back(payment), {**ANSWERS, "amount": written}).content.decode()
    assert ("Alone you may send back" in page) is is_above
    factories.refund(payment, amount - 100)
    Payment.objects.filter(pk=payment.pk).update(refunded_amount=9900)
    if currency == "EUR":
        more = client.post(send_back(payment), {**ANSWERS, "amount": "2"}).content.decode()
        assert "up to €1" in more
    colleagues.sign_in(client, colleagues.in_role(roles.FINANCE))
    assert "request_id" in client.post(send_back(payment), {**ANSWERS, "amount": "2"}).content.decode()


def held(client: Client, stage: Stage, settings: Any) -> HeldRefund:
    settings.REFUND_LIMIT_ALONE = 5
    stage.pay(stage.give())
    stage.settle_down()
    payment = Payment.objects.get()
    colleagues.sign_in(client, colleagues.in_role(roles.FINANCE, "oleh"))
    page = client.post(send_back(payment), ANSWERS).content.decode()
    assert "a second colleague confirms" in page
    answers = confirmed(page)
    for _twice in range(2):
        client.post(send_back(payment), answers)
    assert not RefundRequest.objects.exists()
    return HeldRefund.objects.get()


def decide(row: HeldRefund, slug: str) -> str:
    return reverse(f"admin:payments_heldrefund_{slug}", args=[row.pk])


def test_above_the_second_limit_a_colleague_confirms(client: Client, stage: Stage, settings: Any) -> None:
    row = held(client, stage, settings)
    own = client.post(decide(row, "confirm")).content.decode()
    assert "another colleague confirms" in own
    assert not RefundRequest.objects.exists()
    other = Client()
    colleagues.sign_in(other, colleagues.in_role(roles.MANAGER))
    assert "Refunds that wait" in other.get("/admin/").content.decode()
    assert f"{row}" in other.get("/admin/payments/heldrefund/").content.decode()
    for _twice in range(2):
        other.post(decide(row, "confirm"))
    request = RefundRequest.objects.get()
    assert (request.amount, request.actor.username, request.public_id) == (1000, "oleh", row.public_id)
    row.refresh_from_db()
    assert (row.state, row.decided_by.username) == ("confirmed", "manager")
    stage.settle_down()
    assert Payment.objects.get().refunded_amount == 1000


def test_a_refund_that_is_declined_sends_nothing_back(client: Client, stage: Stage, settings: Any) -> None:
    row = held(client, stage, settings)
    client.post(decide(row, "decline"))
    row.refresh_from_db()
    assert row.state == "declined"
    other = Client()
    colleagues.sign_in(other, colleagues.in_role(roles.MANAGER))
    assert "Nothing was done" in other.post(decide(row, "confirm"), follow=True).content.decode()
    assert not RefundRequest.objects.exists()


def test_support_confirms_no_refund_of_others(client: Client, stage: Stage, settings: Any) -> None:
    row = held(client, stage, settings)
    colleagues.sign_in(client, colleagues.in_role(roles.SUPPORT))
    assert client.post(decide(row, "confirm")).status_code == 403
    assert client.post(decide(row, "decline")).status_code == 403


def test_a_case_is_no_way_round_the_limits(client: Client) -> None:
    who = factories.supporter()
    pair = [factories.payment(who, amount=50000) for _number in range(2)]
    case = cases.open_case("duplicate_payment", "a", who, {"payments": [each.pk for each in pair]})
    colleagues.sign_in(client, colleagues.in_role(roles.SUPPORT))
    act = reverse("admin:payments_case_refund-one", args=[case.pk])
    answers = {"which": str(pair[0].pk), "sentence": ""}
    request_id = re.search(r'name="request_id" value="([^"]+)"', client.post(act, answers).content.decode())
    assert request_id
    refused = client.post(act, {**answers, "request_id": request_id[1]}).content.decode()
    assert "above what you may send back alone" in refused
    assert Case.objects.get().settled_at is None
    assert not RefundRequest.objects.exists()
