"""The demo campaign: one appeal for the end of the demo article, in English and Ukrainian. Called by demo data."""

from __future__ import annotations

from django.db import transaction

from appeals.models import Appeal, AppealAmounts, AppealWords, Campaign
from members import clock

CAMPAIGN = "autumn"
APPEAL = "article-end"
AMOUNTS = {
    "EUR": ([5, 10, 20, 50], 10),
    "USD": ([5, 10, 20, 50], 10),
    "GBP": ([4, 8, 15, 40], 8),
    "UAH": ([100, 200, 400, 1000], 200),
    "PLN": ([15, 30, 60, 150], 30),
}
WORDS = {
    "en": {
        "kicker": "From the newsroom",
        "headline": "You could close this page. Or you could join us.",
        "body": (
            "Six people worked on this report for three weeks. You read it free of charge, and so does everyone else: "
            "what happens in a war should be known to all, not only to those who can pay.\n\n"
            "We are a small team and nobody owns us. Readers pay for the train tickets, the body armour and the hours "
            "on the phone."
        ),
        "marked": "If one reader in fifty gave a little every month, we could plan a year ahead.",
        "button": "Become a patron",
        "other_ways": "See other ways to support",
        "goal_line": "{reached} of {goal} new patrons this autumn",
    },
    "uk": {
        "kicker": "Від редакції",
        "headline": "Можна закрити цю сторінку. А можна стати поруч із нами.",
        "body": (
            "Шестеро людей працювали над цим матеріалом три тижні. Ви прочитали його безкоштовно, як і всі: "
            "про те, що діється на війні, мають знати всі, а не лише ті, хто може заплатити.\n\n"
            "Нас небагато, і власника над нами немає. Квитки на потяг, бронежилети й години на телефоні оплачують "
            "читачі."
        ),
        "marked": "Якби кожен п’ятдесятий читач давав потроху щомісяця, ми могли б планувати на рік уперед.",
        "button": "Долучитися",
        "other_ways": "Інші способи підтримати",
        "goal_line": "{reached} із {goal} нових людей у спільноті цієї осені",
    },
}


@transaction.atomic
def make_demo_campaign() -> Campaign:
    """Create the campaign `autumn` with its appeal, words and amounts; return it. Idempotent: keeps staff's changes."""
    campaign, _ = Campaign.objects.get_or_create(
        slug=CAMPAIGN,
        defaults={"title": "Autumn: 500 new patrons", "starts_on": clock.today(), "goal": 500, "starting_value": 287},
    )
    appeal, _ = Appeal.objects.get_or_create(slug=APPEAL, defaults={"campaign": campaign})
    for language, words in WORDS.items():
        AppealWords.objects.get_or_create(appeal=appeal, language=language, defaults=words)
    for currency, (monthly, chosen) in AMOUNTS.items():
        AppealAmounts.objects.get_or_create(
            appeal=appeal, currency=currency, defaults={"monthly": monthly, "chosen": chosen}
        )
    return campaign
