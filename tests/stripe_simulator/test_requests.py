"""Keys, versions, lists, expansion, idempotency and faults, as the SDK sees them."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
import stripe

from stripe_simulator import Running, Simulator
from tests.stripe_simulator.conftest import Give, client_of, session_params

KEY = {"idempotency_key": "checkout:1"}


def test_only_its_own_key_and_version(running: Running) -> None:
    with pytest.raises(stripe.AuthenticationError):
        client_of(running, "sk_test_other").v1.customers.list({})
    with pytest.raises(stripe.InvalidRequestError, match="not simulate"):
        client_of(running).v1.customers.list({}, {"stripe_version": "2020-08-27"})


def test_what_is_not_simulated_says_so(client: stripe.StripeClient) -> None:
    for call in (
        lambda: client.v1.products.list({}),
        lambda: client.v1.setup_intents.retrieve("seti_1"),
        lambda: client.v1.customers.create({"balance": 5}),
        lambda: client.v1.checkout.sessions.create({**session_params(), "mode": "setup"}),
    ):
        with pytest.raises(stripe.InvalidRequestError) as refusal:
            call()
        assert refusal.value.code == "not_simulated"
    with pytest.raises(stripe.InvalidRequestError) as refusal:
        client.v1.customers.retrieve("cus_none")
    assert (refusal.value.http_status, refusal.value.code) == (404, "resource_missing")


def test_customers(client: stripe.StripeClient) -> None:
    made = client.v1.customers.create({"email": "a@example.org", "metadata": {"supporter": "1", "old": "x"}})
    changed = client.v1.customers.update(made.id, {"name": "Ada", "metadata": {"old": "", "new": "y"}})
    assert (changed.name, changed.metadata.to_dict()) == ("Ada", {"supporter": "1", "new": "y"})
    assert [each.id for each in client.v1.customers.list({"email": "a@example.org"}).data] == [made.id]
    assert client.v1.customers.delete(made.id).deleted
    assert client.v1.customers.retrieve(made.id).deleted


def test_lists_are_paged_newest_first(client: stripe.StripeClient) -> None:
    made = [client.v1.customers.create({"name": str(number)}).id for number in range(7)]
    first = client.v1.customers.list({"limit": 3})
    assert [each.id for each in first.data] == made[:3:-1]
    assert first.has_more
    assert [each.id for each in client.v1.customers.list({"limit": 3}).auto_paging_iter()] == made[::-1]
    before = client.v1.customers.list({"limit": 2, "ending_before": made[2]})
    assert [each.id for each in before.data] == [made[4], made[3]]


def test_created_filters(client: stripe.StripeClient, sim: Simulator) -> None:
    client.v1.customers.create({})
    sim.advance(days=2)
    later = client.v1.customers.create({})
    found = client.v1.customers.list({"created": {"gte": sim.now() - 86_400}}).data
    assert [each.id for each in found] == [later.id]


def test_expansion_is_limited(give: Give) -> None:
    subscription = give.subscription()
    retrieve = give.client.v1.subscriptions.retrieve
    shown = retrieve(subscription.id, {"expand": ["latest_invoice.payments.data.payment", "customer"]})
    assert shown.customer.object == "customer"
    assert shown.latest_invoice.payments.data[0].payment.type == "payment_intent"
    for path in ("latest_invoice.payments.data.payment.payment_intent", "status", "nonsense"):
        with pytest.raises(stripe.InvalidRequestError, match="expand"):
            retrieve(subscription.id, {"expand": [path]})


def test_a_key_replays_its_answer(client: stripe.StripeClient, sim: Simulator) -> None:
    first = client.v1.checkout.sessions.create(session_params(), KEY)
    second = client.v1.checkout.sessions.create(session_params(), KEY)
    assert second.id == first.id
    assert second.last_response.headers["Idempotent-Replayed"] == "true"
    with pytest.raises(stripe.IdempotencyError):
        client.v1.checkout.sessions.create(session_params(amount=1), KEY)
    sim.advance(days=1, seconds=60)
    assert client.v1.checkout.sessions.create(session_params(), KEY).id != first.id
    logged = [request for request in sim.requests if request.idempotency_key]
    assert [(request.status, request.replayed) for request in logged] == [
        (200, False),
        (200, True),
        (400, False),
        (200, False),
    ]
    assert logged[0].params["metadata"] == {"checkout": "ck_1"}


def test_a_500_is_replayed_too(client: stripe.StripeClient, sim: Simulator) -> None:
    sim.fail("500", path="sessions")
    for _ in range(2):
        with pytest.raises(stripe.APIError):
            client.v1.checkout.sessions.create(session_params(), KEY)
    assert client.v1.checkout.sessions.list({}).data == []
    sim.fail("commit_then_500", path="sessions")
    with pytest.raises(stripe.APIError):
        client.v1.checkout.sessions.create(session_params(), {"idempotency_key": "checkout:2"})
    assert len(client.v1.checkout.sessions.list({}).data) == 1


def test_a_key_at_work_is_a_conflict(running: Running, sim: Simulator) -> None:
    sim.fail("slow_work", seconds=0.6)
    slow = threading.Thread(target=lambda: client_of(running).v1.customers.create({"name": "A"}, KEY))
    slow.start()
    time.sleep(0.2)
    with pytest.raises(stripe.StripeError) as conflict:
        client_of(running).v1.customers.create({"name": "A"}, KEY)
    assert conflict.value.http_status == 409
    slow.join()
    assert len(client_of(running).v1.customers.list({}).data) == 1


def test_invalid_parameters_do_not_use_the_key_up(client: stripe.StripeClient) -> None:
    with pytest.raises(stripe.InvalidRequestError):
        client.v1.customers.create({"nonsense": "1"}, KEY)
    assert client.v1.customers.create({"name": "Ada"}, KEY).name == "Ada"


@pytest.mark.parametrize("kind", ["drop", "commit_then_drop", "commit_then_timeout", "429"])
def test_faults_are_survived_by_the_sdks_retry_or_reported(running: Running, sim: Simulator, kind: str) -> None:
    sim.fail(kind, path="customers", method="POST", seconds=0.1)
    retrying = client_of(running, max_network_retries=2)
    if kind == "429":
        with pytest.raises(stripe.RateLimitError):
            retrying.v1.customers.create({"name": "Ada"})
    retrying.v1.customers.create({"name": "Ada"})
    assert len(retrying.v1.customers.list({}).data) == 1


def test_slow_answers(running: Running, sim: Simulator) -> None:
    impatient = client_of(running, http_client=stripe.RequestsClient(timeout=0.3))
    sim.fail("slow", seconds=1)
    with pytest.raises(stripe.APIConnectionError):
        impatient.v1.customers.list({})
    sim.fail("slow_body", seconds=0.05)
    assert impatient.v1.customers.list({}).data == []


def test_concurrent_writes_are_all_there(running: Running) -> None:
    with ThreadPoolExecutor(8) as pool:
        made = list(
            pool.map(lambda number: client_of(running).v1.customers.create({"name": str(number)}).id, range(40))
        )
    listed = client_of(running).v1.customers.list({"limit": 100}).data
    assert {each.id for each in listed} == set(made)


def test_paying_twice_at_once_pays_once(give: Give, sim: Simulator) -> None:
    session = give.session("subscription")

    def press(_: int) -> bool:
        try:
            sim.pay(session)
        except Exception:
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(press, range(8))) == 1
    assert len(give.client.v1.charges.list({}).data) == 1
