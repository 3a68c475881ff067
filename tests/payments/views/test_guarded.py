"""The details page at a guarded door, and what may not pass it: nobody is refused because others give."""

from __future__ import annotations

import re
import secrets
from datetime import timedelta

import pytest
from django.test import Client

from members import clock, limits
from members.links import signed
from payments.giving.sessions import SHORT
from payments.guard import door, marks
from payments.models import Checkout, FailedTry, HeldGift
from tests.payments.guard.scene import (
    CHOICE,
    DETAILS,
    another_card,
    challenge,
    guard_the_door,
    network,
    send,
    solved,
    with_script,
)
from tests.stage import Stage, hidden_fields, link

PERSON = {"email": "olena@example.org", "name": "Olena Koval"}


def page(stage: Stage, **more: str):
    return stage.client.get(DETAILS, CHOICE, **more).content.decode()


def with_proof(html: str) -> dict[str, str]:
    return with_script(html) | PERSON | {"proof": solved(challenge(html))}


def lives(stage: Stage) -> int:
    session = stage.stripe.get(Checkout.objects.get().stripe_session_id)
    return int(session["expires_at"] - session["created"])


def test_an_open_door_asks_for_nothing(stage: Stage) -> None:
    html = page(stage)
    assert "data-challenge" not in html
    assert "proof.js" not in html
    stage.give("once")
    assert lives(stage) == 24 * 3600


def test_a_guarded_door_opens_to_a_proof_for_half_an_hour(stage: Stage) -> None:
    guard_the_door()
    html = page(stage)
    assert 'src="/static/proof.js"' in html
    answer = stage.client.post(DETAILS, with_proof(html), REMOTE_ADDR=network())
    assert answer.status_code == 303
    assert SHORT.total_seconds() - 60 <= lives(stage) <= SHORT.total_seconds()
    assert not HeldGift.objects.exists()


def test_without_a_proof_the_answers_stay_and_the_page_sends_itself_once(stage: Stage) -> None:
    guard_the_door()
    fields = with_script(page(stage)) | PERSON
    asked = stage.client.post(DETAILS, fields)
    html = asked.content.decode()
    assert asked.status_code == 422
    assert 'value="olena@example.org"' in html
    assert "Nothing was charged" in html
    assert "data-sends-itself" in html
    assert HeldGift.objects.get().amount == 1000
    fields = with_script(html)
    assert fields["sent"] == "1"
    for times in ("1", "2", "9", "x"):
        again = stage.client.post(DETAILS, fields | PERSON | {"proof": "wrong", "sent": times})
        assert ("data-sends-itself" in again.content.decode()) == (times == "1"), "It does not go round and round."
    assert stage.client.post(DETAILS, with_proof(html)).status_code == 303
    assert not HeldGift.objects.exists(), "What has passed is not held back."


def test_a_proof_for_another_sum_or_form_or_used_before_is_none(stage: Stage) -> None:
    guard_the_door()
    html = page(stage)
    fields = with_proof(html)
    assert stage.client.post(DETAILS, fields | {"amount": "20"}).status_code == 422
    assert stage.client.post(DETAILS, fields | {"form_key": "another-form-key-00"}).status_code == 422
    assert stage.client.post(DETAILS, fields).status_code == 303
    assert stage.client.post(DETAILS, fields).status_code == 303, "A double click has its session."
    assert stage.client.post(DETAILS, fields | {"email": "maria@example.org"}).status_code == 422
    assert Checkout.objects.count() == 1


def test_a_session_that_was_closed_needs_another_proof(stage: Stage) -> None:
    guard_the_door()
    fields = with_proof(page(stage))
    stage.client.post(DETAILS, fields)
    stage.stripe.expire(Checkout.objects.get().stripe_session_id)
    stage.settle_down()
    assert stage.client.post(DETAILS, fields | {"email": "o@example.org"}).status_code == 422


def test_a_short_session_that_stripe_refuses_because_it_comes_late_gets_another_end(stage: Stage) -> None:
    guard_the_door()
    fields = with_proof(page(stage))
    stage.stripe.fail("500", times=4, path="checkout/sessions")
    assert stage.client.post(DETAILS, fields).status_code == 503
    stage.move(timedelta(minutes=10))
    assert stage.client.post(DETAILS, with_proof(page(stage)) | {"form_key": fields["form_key"]}).status_code == 422
    asked = stage.client.post(DETAILS, fields | {"proof": ""}).content.decode()
    assert stage.client.post(DETAILS, fields | {"proof": solved(challenge(asked))}).status_code == 303
    assert Checkout.objects.get().attempt == 3  # the first key is spent, and the end of the second came late


# Without script


def test_the_form_says_that_a_link_comes_by_email(stage: Stage) -> None:
    guard_the_door()
    html = page(stage)
    without_script = re.search(r"<noscript>(.*?)</noscript>", html, re.DOTALL)
    assert without_script
    assert "email you a link" in without_script[1]
    assert 'name="by_email" value="1"' in without_script[1]


def by_email(stage: Stage, **changes: str):
    fields = hidden_fields(page(stage)) | PERSON | {"proof": "", "by_email": "1"} | changes
    return stage.client.post(DETAILS, fields, REMOTE_ADDR="192.0.2.77")


def test_a_link_by_email_stands_for_the_proof(stage: Stage) -> None:
    guard_the_door()
    answer = by_email(stage, email=f"{secrets.token_hex(4)}@example.org")
    assert answer.status_code == 200
    assert "Check your inbox" in answer.content.decode()
    begun = Checkout.objects.get()
    assert (begun.status, begun.stripe_session_id) == ("started", None)
    stage.send_mail()
    assert stage.subjects() == ["Your link to continue"]
    path = link(stage.last_mail(), "/support/begin/")
    assert begun.email not in path
    for _ in range(3):
        opened = Client().get(path)
        assert 'data-state="ask"' in opened.content.decode()
        assert opened["Referrer-Policy"] == "no-referrer"
    assert Checkout.objects.get().stripe_session_id is None, "Opening it changes nothing."
    places = {Client().post(path)["Location"] for _ in range(2)}
    assert places == {Checkout.objects.get().stripe_session_url}, "Pressed twice, it is one session."
    assert SHORT.total_seconds() - 60 <= lives(stage) <= SHORT.total_seconds()
    stage.pay(Checkout.objects.get())
    stage.settle_down()
    assert Client().post(path)["Location"].startswith("http://testserver/support/return/")


def test_the_address_can_be_corrected_without_typing_all_again(stage: Stage) -> None:
    guard_the_door()
    sent = by_email(stage, email="olena@exmaple.org").content.decode()
    again = stage.client.post(DETAILS, with_script(sent)).content.decode()
    assert 'value="olena@exmaple.org"' in again
    assert 'value="Olena Koval"' in again


def test_a_link_works_once(stage: Stage) -> None:
    guard_the_door()
    by_email(stage, email=f"{secrets.token_hex(4)}@example.org")
    stage.send_mail()
    path = link(stage.last_mail(), "/support/begin/")
    Client().post(path)
    stage.stripe.expire(Checkout.objects.get().stripe_session_id)
    stage.settle_down()
    answer = Client().post(path)
    assert 'data-state="expired"' in answer.content.decode()
    assert 'href="/support/details/?' in answer.content.decode()
    assert Checkout.objects.get().attempt == 2


def test_links_of_another_kind_and_made_up_ones_open_nothing(stage: Stage) -> None:
    checkout = stage.give()
    for token in ("x", signed.sign("return", str(checkout.public_id)), signed.sign("begin", "x")):
        assert Client().get(f"/support/begin/{token}/").status_code == 404


def test_an_address_gets_three_such_emails_an_hour(stage: Stage) -> None:
    guard_the_door()
    email = f"{secrets.token_hex(6)}@example.org"
    answers = [by_email(stage, email=email, form_key=f"form-of-olena-0{number}").status_code for number in range(4)]
    assert answers == [200, 200, 200, 429]


@pytest.mark.parametrize(("fault", "status"), [("500", 503), ("400", 502)])
def test_a_link_says_so_when_stripe_does_not_take_it(stage: Stage, fault: str, status: int) -> None:
    checkout = stage.give("once")
    Checkout.objects.update(status="started", stripe_session_url="", stripe_session_id=None)
    stage.stripe.fail(fault, times=4, path="checkout/sessions")
    answer = Client().post(f"/support/begin/{signed.sign('begin', str(checkout.public_id))}/")
    assert answer.status_code == status
    assert "Nothing was charged" in answer.content.decode()


# Nobody is refused because others give


def test_many_from_one_network_prove_and_pass(stage: Stage, settings) -> None:
    settings.CHECKOUT_LIMIT_PER_NETWORK = 3
    here = network()
    assert [send(stage, here).status_code for _ in range(4)] == [303, 303, 303, 422]
    for _ in range(5):
        asked = send(stage, here)
        html = asked.content.decode()
        fields = with_script(html) | {"email": f"{secrets.token_hex(4)}@example.org"}
        answer = stage.client.post(DETAILS, fields | {"proof": solved(challenge(html))}, REMOTE_ADDR=here)
        assert answer.status_code == 303
    assert send(stage, network()).status_code == 303, "Other networks are asked for nothing."
    assert door.state() == "normal"


def test_many_in_all_guard_the_door_and_never_close_it(stage: Stage, settings) -> None:
    settings.CHECKOUT_LIMIT_IN_ALL = 0
    asked = send(stage, network())
    assert asked.status_code == 422
    assert door.state() == "guarded"
    html = asked.content.decode()
    fields = with_script(html) | PERSON | {"proof": solved(challenge(html))}
    assert stage.client.post(DETAILS, fields, REMOTE_ADDR=network()).status_code == 303


def test_without_redis_a_network_is_asked_sooner_and_not_refused(stage: Stage, settings) -> None:
    settings.CHECKOUT_LIMIT_PER_NETWORK = 8
    settings.REDIS_URL = "redis://127.0.0.1:9/0"
    limits.reset()
    here = network()
    assert [send(stage, here).status_code for _ in range(3)] == [303, 303, 422]
    limits.reset()


# The suspicious


def suspect(*sources: str) -> None:
    FailedTry.objects.bulk_create(
        FailedTry(key=f"ch_{number}", tried_at=clock.now(), networks=list(sources)) for number in range(12)
    )


def test_a_closed_door_holds_the_suspicious_and_lets_everybody_else_prove(stage: Stage) -> None:
    guard_the_door("closed")
    suspect(*marks.of_networks(["192.0.2.66"]))
    html = page(stage)
    held = stage.client.post(DETAILS, with_proof(html), REMOTE_ADDR="192.0.2.66")
    assert held.status_code == 429
    assert held["Retry-After"]
    said = held.content.decode()
    assert "It’s not about you" in said
    assert "network" not in re.sub(r"<[^>]+>", "", said)
    assert 'value="olena@example.org"' in said
    assert 'href="/support/other-ways/"' in said
    assert HeldGift.objects.get().is_held
    assert stage.client.post(DETAILS, with_proof(page(stage)), REMOTE_ADDR="192.0.2.67").status_code == 303


def test_an_address_with_too_many_tries_is_held_from_any_network(stage: Stage) -> None:
    guard_the_door("closed")
    address = marks.of_address(PERSON["email"])
    FailedTry.objects.bulk_create(FailedTry(key=f"ch_{n}", tried_at=clock.now(), address=address) for n in range(12))
    assert stage.client.post(DETAILS, with_proof(page(stage)), REMOTE_ADDR=network()).status_code == 429


def test_at_an_open_door_a_suspicious_source_proves_first(stage: Stage, settings) -> None:
    suspect(*marks.of_networks(["192.0.2.68"]))
    settings.CHECKOUT_LIMIT_PER_NETWORK = 10000
    assert send(stage, "192.0.2.68").status_code == 422
    settings.CHECKOUT_LIMIT_PER_NETWORK = 0
    assert send(stage, "192.0.2.68").status_code == 429


def test_at_a_guarded_door_a_card_that_failed_elsewhere_closes_its_session(stage: Stage) -> None:
    guard_the_door()
    card = another_card()
    for number in range(3):
        html = page(stage)
        fields = with_proof(html) | {"email": f"r{number}@example.org"}
        assert stage.client.post(DETAILS, fields, REMOTE_ADDR=network()).status_code == 303
        checkout = Checkout.objects.latest("pk")
        for _ in range(2 if number < 2 else 1):
            stage.pay(checkout, card=card)
        stage.settle_down()
    statuses = [stage.stripe.get(each.stripe_session_id)["status"] for each in Checkout.objects.order_by("pk")]
    assert statuses == ["open", "expired", "expired"]
