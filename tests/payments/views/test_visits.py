"""Visits to Stripe's pages by a link from an email are limited in words that blame nobody; stopping never is."""

from __future__ import annotations

import secrets

from members.links import signed
from payments.guard import marks, tries
from payments.models import Checkout, DoorPeriod
from tests.payments.guard.scene import network, send
from tests.stage import Stage


def test_the_pages_of_card_and_confirmation_slow_down_in_words_that_blame_nobody(stage: Stage, settings) -> None:
    subscription = stage.join().subscription
    path = f"/method/{signed.sign('method', str(subscription.public_id))}/"
    answers = [stage.client.post(path, REMOTE_ADDR=network()) for _ in range(11)]
    assert [answer.status_code for answer in answers] == [303] * 10 + [429]
    assert 'data-state="busy"' in answers[-1].content.decode()
    assert "It’s not about you" in answers[-1].content.decode()
    assert answers[-1]["Retry-After"]
    payment = subscription.payments.get()
    payment.status, payment.stripe_invoice_id = "failed", "in_unknown"
    payment.save(update_fields=["status", "stripe_invoice_id"])
    path = f"/confirm/{signed.sign('confirm', str(payment.public_id))}/"
    answers = [stage.client.post(path, REMOTE_ADDR=network()) for _ in range(11)]
    assert answers[-1].status_code == 429
    assert 'data-state="busy"' in answers[-1].content.decode()


def test_one_network_may_open_many_gifts_and_not_without_end(stage: Stage) -> None:
    here, subscription = network(), stage.join().subscription
    counted = []
    for _ in range(62):
        path = f"/confirm/{signed.sign('confirm', secrets.token_hex(16))}/"
        counted.append(stage.client.post(path, REMOTE_ADDR=here).status_code)
    assert set(counted) == {404}, "A link that names nothing is no visit."
    path = f"/stop/{signed.sign('stop', str(subscription.public_id))}/"
    assert stage.client.post(path, REMOTE_ADDR=here).status_code == 200, "Stopping is never slowed down."


def test_tries_are_noted_with_where_they_came_from(stage: Stage) -> None:
    send(stage, "192.0.2.5")
    origin = Checkout.objects.get().origin
    assert origin.networks == marks.of_networks(["192.0.2.5"])
    tries.note_origin(origin.checkout, ["0:other"])
    assert Checkout.objects.get().origin.networks == ["0:other"]
    assert DoorPeriod.objects.count() == 0
