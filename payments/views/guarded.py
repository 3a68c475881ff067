"""The reader's side of the door (payments/guard/): the challenge on the details page, and the link that stands for it.

Without script nothing is computed: the details form says so, and its button then sends a link by email. The link's page
has one button to Stripe; a GET changes nothing there. It works once, for a day.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils import translation
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from members import limits
from members.links import fresh as fresh_links
from members.links import public_ids, signed
from payments import key_faults, locks
from payments.errors import KeyRefused, StripeRefused, StripeUnavailable
from payments.giving import checkout as checkouts
from payments.giving import refused
from payments.giving.choices import Choice, Person, of_checkout
from payments.guard import door, entry, held, marks, proof, tries
from payments.guard.door import State
from payments.guard.entry import Answer, Verdict
from payments.letters import links as letters
from payments.models import Checkout
from payments.views import linked

__all__ = ["Answer", "State", "Verdict", "ask", "begin", "challenge", "email", "lead", "may_email"]

MOST_EMAILS_OF_NETWORK = 30
# A page that was asked for its proof sends it by itself, but not again and again.
MOST_BY_ITSELF = 2


def ask(request: HttpRequest, choice: Choice, person: Person, form_key: str) -> Verdict:
    """Return whether this gift may begin, and count it as held back if it may not yet."""
    form = checkouts.form_name(choice, person, form_key)
    given = str(request.POST.get("proof") or "")
    verdict = entry.ask(request, person.email, lambda: proof.use(given, _bound(choice, form_key), form))
    if verdict.answer != Answer.PASS:
        held.hold(person.email, choice.amount, choice.currency, is_suspicious=verdict.answer == Answer.HELD)
    return verdict


def lead(request: HttpRequest, begun: Checkout) -> str:
    """Return the address to send the reader to, as checkout.lead does; note where the session was asked for from."""
    tries.note_origin(begun, marks.of_request(request))
    held.release(begun.email)
    return checkouts.lead(begun)


def challenge(request: HttpRequest, choice: Choice, form_key: str, state: State | None = None) -> dict[str, Any]:
    """Return what the details page needs in this state of the door, by default the present one; {} where no proof is.

    `submits` says that the page sends its form by itself once it has a proof: the reader has pressed the button.
    """
    state = state or door.state()
    if state == State.NORMAL:
        return {}
    sent = str(request.POST.get("sent") or "")
    done = int(sent) if sent in {str(number) for number in range(MOST_BY_ITSELF)} else MOST_BY_ITSELF * bool(sent)
    return {"challenge": proof.challenge(_bound(choice, form_key), state), "sent": done + 1, "most": MOST_BY_ITSELF}


def may_email(request: HttpRequest, address: str) -> bool:
    """Count one email that stands for a proof; return whether the limits of the address and its network allow it."""
    of_address = limits.hit("begin-email", address.lower(), fresh_links.MOST_A_PERSON, fresh_links.HOUR)
    return limits.hit_from(request, "begin-network", MOST_EMAILS_OF_NETWORK, fresh_links.HOUR) and of_address


def email(begun: Checkout) -> None:
    letters.begin_gift(begun)


@never_cache
@csrf_exempt  # why: members/links/pages.py
@require_http_methods(["GET", "HEAD", "POST"])
def begin(request: HttpRequest, token: str) -> HttpResponse:
    """Show the button to Stripe for a gift whose link was emailed; POST leads there."""
    public_id = public_ids.parse(signed.read("begin", token))
    begun = Checkout.objects.filter(public_id=public_id).first() if public_id else None
    if begun is None:
        return linked.page(request, "give/unknown_link.html", {}, status=404)
    _use_language(request, begun)
    if begun.status in Checkout.DONE_AT_STRIPE:
        return linked.private(HttpResponseRedirect(checkouts.return_url(begun), status=303))
    if begun.status == Checkout.Status.EXPIRED:
        return _page(request, begun, "expired")
    return _to_stripe(request, begun) if request.method == "POST" else _page(request, begun, "ask")


def _to_stripe(request: HttpRequest, begun: Checkout) -> HttpResponse:
    """Redirect to the session of this gift, made now if it has none: the email has proved enough."""
    sources = {*marks.of_request(request), marks.of_address(begun.email)}
    if not entry.may_visit(request, "begin", str(begun.public_id)) or (
        door.state() == State.CLOSED and tries.suspects() & sources
    ):
        return _page(request, begun, "held", status=429)
    try:
        with key_faults.noted("begin-page"), locks.held(f"begin:{begun.public_id}"):
            begun.refresh_from_db()
            if not begun.stripe_session_url and begun.status == Checkout.Status.STARTED:
                checkouts.start_again(begun, is_short=True)
            url = lead(request, begun)
    except KeyRefused as problem:
        refused.open_case(problem)
        return _page(request, begun, "ours", status=502)
    except StripeRefused as problem:
        refused.open_case(problem)
        return _page(request, begun, "ours", status=502)
    except StripeUnavailable:
        return _page(request, begun, "unavailable", status=503)
    return linked.private(HttpResponseRedirect(url, status=303))


def _page(request: HttpRequest, begun: Checkout, state: str, status: int = 200) -> HttpResponse:
    chosen = of_checkout(begun).fields() | {"lang": begun.language}
    context = {"state": state, "checkout": begun, "again_url": f"{reverse('support_details')}?{urlencode(chosen)}"}
    return linked.page(request, "give/begin.html", context, status)


def _use_language(request: HttpRequest, begun: Checkout) -> None:
    if not request.chosen_language:  # type: ignore[attr-defined]
        translation.activate(begun.language)
        request.LANGUAGE_CODE = request.chosen_language = begun.language  # type: ignore[attr-defined]


def _bound(choice: Choice, form_key: str) -> proof.Bound:
    return proof.Bound(form_key, str(choice.frequency), choice.amount, choice.currency)
