"""The demo supporters: what they give, when they began, and how their gift continues.

All people are invented: names are common ones, addresses are at example.org.
"""

from __future__ import annotations

from dataclasses import dataclass

STOPS, CARD_FAILS, REFUNDED, PARTLY_REFUNDED = "stops", "card fails", "refunded", "partly refunded"
TWICE, DECLINED_FIRST, SEPA, SEPA_FAILS = "twice", "declined first", "sepa", "sepa fails"
# Days from the beginning of a gift to what its fate says.
STOPS_AFTER, NEW_CARD_AFTER, REFUNDED_AFTER = 80, 33, 3
# Supporters whose card fails get a new one if they began longer ago than this; later ones do not.
NEW_CARD_BEFORE = 150


@dataclass(frozen=True)
class Story:
    """A demo supporter: their gift, how many days ago it began, and its `fate`, one of the words above or nothing."""

    days_ago: int
    name: str
    language: str
    frequency: str
    amount: str
    currency: str
    fate: str = ""

    @property
    def email(self) -> str:
        return f"demo-{self.days_ago}-{self.frequency}@example.org"

    @property
    def stops(self) -> int | None:
        """Return how many days ago the gift is stopped, or None."""
        return self.days_ago - STOPS_AFTER if self.fate == STOPS else None

    @property
    def gets_card(self) -> int | None:
        """Return how many days ago a new card replaces the one that failed, or None."""
        gets_one = self.fate == CARD_FAILS and self.days_ago > NEW_CARD_BEFORE
        return self.days_ago - NEW_CARD_AFTER if gets_one else None

    @property
    def refunded(self) -> int | None:
        """Return how many days ago the gift is refunded, or None."""
        return self.days_ago - REFUNDED_AFTER if self.fate in {REFUNDED, PARTLY_REFUNDED} else None

    def days(self) -> set[int]:
        """Return the days, as days ago, on which this supporter or the staff act in this story."""
        known = {self.days_ago, self.stops, self.gets_card, self.refunded}
        return {day for day in known if day is not None}


def read(table: str) -> list[Story]:
    """Return the stories of a table: one line per story, with its fields in order."""
    stories = []
    for line in table.strip().splitlines():
        days_ago, name, language, frequency, money, fate = (cell.strip() for cell in line.split("|"))
        amount, currency = money.split()
        stories.append(Story(int(days_ago), name, language, frequency, amount, currency, fate))
    return stories


# A yearly patron began long ago, so that a renewal is near; everybody else began within eight months.
STORIES = read("""
330 | Elżbieta Zawadzka    | en | year  |   60 EUR |
240 | Олена Коваль         | uk | month |  200 UAH |
238 | James Whitfield      | en | month |   10 GBP |
231 | Марко Шевчук         | uk | month |   10 EUR |
229 | Anna Lindqvist       | en | month |  100 SEK |
222 | Jean Moreau          | en | month |   20 EUR | stops
215 | Katarzyna Nowak      | en | month |   30 PLN |
210 | Тарас Бондар         | uk | once  |  400 UAH |
204 | Emily Carter         | en | month |    5 USD |
199 | Софія Мельник        | uk | month |    5 EUR | card fails
193 | Lars Hansen          | en | once  |  250 DKK |
188 | Ірина Ткачук         | uk | month |  100 UAH |
181 | Robert Fischer       | en | month |   10 CHF |
176 | Hannah Weber         | en | month |   10 EUR | sepa
170 | Олександр Кравець    | uk | once  |   50 EUR |
163 | Yuki Tanaka          | en | month | 1500 JPY |
158 | Grace Osei           | en | once  |  100 USD | refunded
151 | Наталія Поліщук      | uk | month |   10 EUR |
144 | Pieter de Vries      | en | month |   20 EUR |
137 | Lucía Romero         | en | once  |   25 EUR | partly refunded
130 | Дмитро Савчук        | uk | month |  400 UAH |
124 | Chloé Bernard        | en | month |    5 EUR | stops
118 | Oliver Brown         | en | month |   15 CAD |
111 | Jan Svoboda          | en | month |  200 CZK |
105 | Вікторія Лисенко     | uk | once  | 1000 UAH |
 98 | Michael Grant        | en | month |   50 USD |
 91 | Éva Kovács           | en | month | 4000 HUF |
 84 | Андрій Гончар        | uk | month |   10 EUR | card fails
 77 | Ingrid Dahl          | en | once  |  500 NOK |
 70 | Матвій Рудий         | uk | month |    5 EUR |
 63 | Sarah Mitchell       | en | month |   30 AUD |
 56 | Юлія Зінченко        | uk | month |   20 EUR | sepa
 49 | Thomas Keller        | en | once  |  100 EUR | declined first
 42 | Богдан Іваненко      | uk | month |   10 EUR |
 35 | Fiona Byrne          | en | month |   10 EUR | twice
 28 | Камілла Дорош        | uk | year  |  100 EUR |
 21 | Daniel Cohen         | en | year  |  200 USD |
 14 | Павло Остапчук       | uk | month |   10 EUR |
  9 | Marie Dubois         | en | once  |   50 EUR | sepa fails
  5 | Зоряна Білик         | uk | month |   10 EUR |
  2 | Henrik Olsen         | en | once  |  100 EUR | sepa
  1 | Rosa Marino          | en | month |   20 EUR |
""")
