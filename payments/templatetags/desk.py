"""A template tag with the cards of the desk's front page and the sign of agreement with Stripe (desk/front_page.py)."""

from __future__ import annotations

from typing import Any

from django import template

from payments.desk import front_page

register = template.Library()


@register.inclusion_tag("staff/cards.html", takes_context=True)
def desk_cards(context: dict[str, Any]) -> dict[str, Any]:
    user = context["request"].user
    return {"cards": front_page.cards(user), "sign": front_page.sign(user)}
