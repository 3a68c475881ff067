"""Take the README's pictures from a running demo. In one terminal

    EDITOR_NAME="Mariana Savchuk" EDITOR_ROLE=Editor-in-chief make run

and in another `.venv/bin/python -m tests.pictures`. It gives one gift through the pages, as a reader would, and writes
docs/pictures/. The fonts are those of the machine: install Noto Serif and Noto Sans.
"""

from __future__ import annotations

import json
import shutil
from argparse import ArgumentParser
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright

from tests.browser.hands import press
from tests.indexed_png import indexed

PICTURES = Path(__file__).resolve().parent.parent / "docs" / "pictures"
# One height for the three that stand side by side.
ARTICLE, PHONE, DESK = (648, 916), (390, 916), (1240, 780)
# Text that is smoothed in grey looks right on every screen.
CHROMIUM = ["--no-sandbox", "--disable-gpu", "--disable-lcd-text", "--font-render-hinting=none"]
PAID_SECONDS = 60
# The newsroom's address in place of this machine's, in words only.
PUT_ADDRESS = """() => {
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    walker.currentNode.data = walker.currentNode.data.replace(location.origin, "https://courier.example");
  }
}"""


def take_appeal(page: Page) -> None:
    """Save the end of the demo article with the appeal below it."""
    page.goto("/demo/article/")
    page.locator(".appeal .actions:last-of-type").evaluate(
        "(links, below) => scrollTo({top: links.getBoundingClientRect().bottom + scrollY + below - innerHeight})", 21
    )
    page.wait_for_timeout(300)
    save(page, "appeal")


def take_thanks(page: Page) -> None:
    """Give 10 euros a month from the article, and save the page that says thank you."""
    page.goto("/demo/article/")
    press(page, ".appeal button")
    page.fill("#email", "olena.koval@example.org")
    page.fill("#name", "Olena Koval")
    press(page, "#give")
    press(page, ".button.wide")
    for _ in range(PAID_SECONDS):
        if page.get_attribute("main", "data-state") == "paid":
            break
        page.wait_for_timeout(1000)
        page.reload()
    save(page, "thanks")


def take_email(page: Page, password: str) -> None:
    """Save the first email about a payment that failed, as the desk previews it."""
    sign_in(page, password)
    page.goto("/admin/members/message/letters/payment_failed_1/frame/?language=en")
    save(page, "email")


def take_desk(page: Page, password: str) -> None:
    """Save the top of a supporter's page at the staff desk."""
    sign_in(page, password)
    page.goto("/admin/members/supporter/")
    page.fill("#searchbar", "Мельник")
    page.click("#changelist-search input[type=submit]")
    press(page, "tbody th a")
    save(page, "desk")


def sign_in(page: Page, password: str) -> None:
    page.goto("/admin/login/?next=/admin/password_change/")
    page.fill("[name=username]", "desk")
    page.fill("[name=password]", password)
    press(page, "[type=submit]")


def save(page: Page, name: str) -> None:
    """Write the part of the page that the window shows as a small PNG."""
    page.mouse.move(0, 0)
    page.evaluate(PUT_ADDRESS)
    picture = indexed(page.context, page.screenshot())
    (PICTURES / f"{name}.png").write_bytes(picture)
    print(f"docs/pictures/{name}.png: {len(picture) // 1024} kB")


@contextmanager
def window(browser: Browser, site: str, size: tuple[int, int], scale: float = 1.5) -> Iterator[Page]:
    """Open the site in a window of its own, in English and by day."""
    context = browser.new_context(
        base_url=site,
        locale="en-IE",
        color_scheme="light",
        viewport={"width": size[0], "height": size[1]},
        device_scale_factor=scale,
    )
    yield context.new_page()
    context.close()


def take_all(browser: Browser, site: str, password: str) -> None:
    with window(browser, site, ARTICLE) as page:
        take_appeal(page)
    with window(browser, site, PHONE) as page:
        take_thanks(page)
    with window(browser, site, PHONE) as page:
        take_email(page, password)
    with window(browser, site, DESK, scale=1) as page:
        take_desk(page, password)


def main() -> None:
    parser = ArgumentParser(description="Take the README's pictures from a running demo.")
    parser.add_argument("--data", type=Path, default=Path(".data"), help="the DATA_DIR of `make run`")
    data = parser.parse_args().data
    site = json.loads((data / "servers" / "run.json").read_text())["address"]
    PICTURES.mkdir(exist_ok=True)
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=shutil.which("chromium"), args=CHROMIUM)
        take_all(browser, site, (data / "demo_password").read_text())
        browser.close()


if __name__ == "__main__":
    main()
