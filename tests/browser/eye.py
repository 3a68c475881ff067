"""One look at a page as many readers see it: axe by day and by night, a narrow screen, large text.

With SCREENSHOTS=folder in the environment every look is also kept as pictures, for people to look at.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

AXE = Axe().axe_script
# Without `preload` axe leaves style sheets alone; copying them would break the page's policy.
HOW = {"resultTypes": ["violations"], "preload": False}
RULES = {**HOW, "runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]}
RULES_OF_COLOUR = {**HOW, "runOnly": {"type": "rule", "values": ["color-contrast", "link-in-text-block"]}}
# One call each: on its way to Chromium and back a call takes longer than most of what it asks.
AXE_WHEN_STILL = """async (rules) => {
  if (!("axe" in window)) return null;
  await Promise.all(document.getAnimations().map((one) => one.finished));
  return axe.run(document, rules);
}"""
WIDER_THAN_THE_SCREEN = """(letters) => {
  const root = document.documentElement;
  root.style.fontSize = letters;
  const found = (() => {
    if (root.scrollWidth <= root.clientWidth) return "";
    const wide = [...document.body.querySelectorAll("*")].filter(
      (one) => one.getBoundingClientRect().right > root.clientWidth + 1 && !one.closest(".scroll, .unseen, .rooms"));
    return `${root.scrollWidth} > ${root.clientWidth}: ${wide.slice(0, 3).map((one) => one.outerHTML.slice(0, 80))}`;
  })();
  root.style.fontSize = "";
  return found;
}"""
PHONE, DESK = {"width": 360, "height": 740}, {"width": 1280, "height": 860}


class Eye:
    """Looks at what a window shows and writes down what is wrong; `found` is empty in the end."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.found: list[str] = []

    def look(self, name: str, *, at_a_desk: bool = False) -> None:
        """The page as it stands in the window of a phone. It is left as it was found."""
        self.axe(name)
        self.look_whether_it_fits(name)
        if at_a_desk:
            self.page.set_viewport_size(DESK)  # type: ignore[arg-type]
            self._axe(f"{name} at a desk", RULES)
            self.page.set_viewport_size(PHONE)  # type: ignore[arg-type]

    def look_at(self, addresses: Iterable[tuple[str, str]]) -> None:
        for name, address in addresses:
            self.page.goto(address)
            self.look(name)

    def axe(self, name: str, *, at_night: bool = True) -> None:
        self._axe(name, RULES)
        if not at_night:
            return
        self.page.emulate_media(color_scheme="dark")
        self._axe(f"{name} at night", RULES_OF_COLOUR)
        self.page.emulate_media(color_scheme="light")

    def look_whether_it_fits(self, name: str) -> None:
        """320 px is a window of 1280 px at 400 %."""
        self.page.set_viewport_size({"width": 320, "height": 640})
        self._fits(f"{name} at 320 px")
        self.page.set_viewport_size(PHONE)  # type: ignore[arg-type]
        self._fits(f"{name} in large text", "200%")
        if os.environ.get("SCREENSHOTS"):
            keep(self.page, Path(os.environ["SCREENSHOTS"]), name)

    def _axe(self, name: str, rules: dict[str, Any]) -> None:
        said = self.page.evaluate(AXE_WHEN_STILL, rules)
        if said is None:
            self.page.evaluate(AXE)
            said = self.page.evaluate(AXE_WHEN_STILL, rules)
        for rule in said["violations"]:
            where = [f"{node['target']} {node['html'][:120]}" for node in rule["nodes"][:3]]
            self.found.append(f"{name}: {rule['id']} {where}")

    def _fits(self, name: str, letters: str = "") -> None:
        if wider := self.page.evaluate(WIDER_THAN_THE_SCREEN, letters):
            self.found.append(f"{name}: {wider}")


def keep(page: Page, folder: Path, name: str) -> None:
    """Four pictures: phone and desk, by day and by night."""
    folder.mkdir(parents=True, exist_ok=True)
    for size, scheme in ((PHONE, "light"), (PHONE, "dark"), (DESK, "light"), (DESK, "dark")):
        page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
        page.set_viewport_size(size)  # type: ignore[arg-type]
        picture = folder / f"{name.replace(' ', '-')}-{size['width']}-{scheme}.png"
        page.screenshot(path=picture, full_page=True)
    page.emulate_media(color_scheme="light")
    page.set_viewport_size(PHONE)  # type: ignore[arg-type]
