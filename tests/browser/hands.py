"""A reader's hands: on the keys alone, or pressing what leads to another page."""

from __future__ import annotations

from typing import Any

from playwright.sync_api import Page

FOCUSED = """() => {
  const one = document.activeElement;
  const shown = one.closest(".money") || one;
  const style = getComputedStyle(shown);
  const box = shown.getBoundingClientRect();
  const words = one.labels?.[0]?.innerText || one.innerText || one.value || "";
  return {
    tag: one.tagName.toLowerCase(), name: one.name || "", value: one.value || "", type: one.type || "",
    words: words.trim(), checked: Boolean(one.checked),
    outline: style.outlineStyle === "none" ? 0 : parseFloat(style.outlineWidth),
    inSight: box.width > 0 && box.bottom > 0 && box.top < innerHeight && box.right > 0 && box.left < innerWidth,
  };
}"""


def press(page: Page, selector: str) -> None:
    """Click, and wait for the page it leads to."""
    with page.expect_navigation():
        page.click(selector)


def focused(page: Page) -> dict[str, Any]:
    found: dict[str, Any] = page.evaluate(FOCUSED)
    return found


def tab_to(page: Page, words: str, *, most: int = 40) -> list[dict[str, Any]]:
    """Tab on until what has focus says `words`; every stop on the way, each of which must be seen."""
    stops = []
    for _ in range(most):
        page.keyboard.press("Tab")
        stop = focused(page)
        if stop["tag"] == "body":  # past the last: the browser's own bar is next, then the page begins anew
            continue
        stops.append(stop)
        assert stop["outline"] >= 2, f"focus cannot be seen on {stop}"
        assert stop["inSight"], f"focus is out of sight on {stop}"
        if words in (stop["words"], f"{stop['name']}={stop['value']}", stop["name"]):
            return stops
    raise AssertionError(f"{words!r} was not reached; passed {[stop['words'] for stop in stops]}")


def enter(page: Page) -> None:
    """The key that follows a link or sends a form, and the page it leads to."""
    with page.expect_navigation():
        page.keyboard.press("Enter")
