"""A real Chromium, and pages watched in it.

Needs the Python package ``playwright`` and a Chromium (Debian: ``apt-get install chromium``), which is not downloaded.
Skipped without, unless DFAR_BENCH_REQUIRE_BROWSER is set. axe-core, which finds what keeps people with a screen reader
or a keyboard from using a page, comes with ``axe-playwright-python``.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import pytest

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)


def launched() -> Iterator[Browser]:
    """A browser, for a fixture."""
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        lacking("Python package playwright")
    if CHROMIUM is None:
        lacking("chromium on the PATH")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=CHROMIUM, args=["--no-sandbox", "--disable-dev-shm-usage"]
        )  # root cannot have a sandbox, and containers little shared memory
        yield browser
        browser.close()


def lacking(what: str) -> NoReturn:
    if os.environ.get("DFAR_BENCH_REQUIRE_BROWSER"):
        pytest.fail(f"DFAR_BENCH_REQUIRE_BROWSER is set, and there is no {what}")
    pytest.skip(f"no {what}")


def inaccessible(page: Page) -> list[str]:
    """Return what axe-core finds serious or critical on a page."""
    from axe_playwright_python.sync_playwright import Axe

    violations = Axe().run(page, options={"resultTypes": ["violations"]}).response["violations"]
    return [
        f"{found['id']}: {found['help']}: {found['nodes'][0]['html'][:200]}"
        for found in violations
        if found["impact"] in ("serious", "critical")
    ]


class Watched:
    """A page, with all that it asked for and complained of."""

    def __init__(
        self,
        browser: Browser,
        file: Path,
        width: int = 1280,
        script: str = "",
        scheme: str = "light",
        height: int = 800,
        **options: Any,
    ) -> None:
        self.context = browser.new_context(viewport={"width": width, "height": height}, color_scheme=scheme, **options)
        self.context.add_init_script(script)
        self.requests: list[str] = []
        self.complaints: list[str] = []
        self.file = file
        self.page = self.open()

    def open(self) -> Page:
        page = self.context.new_page()
        page.set_default_timeout(60_000)
        page.on("request", lambda request: self.requests.append(request.url))
        page.on("console", lambda message: self.complaints.append(message.text))
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("dialog", lambda dialog: dialog.accept())
        page.goto(self.file.as_uri())
        return page

    def close(self) -> None:
        """It asked for nothing but itself (and what it made itself), and complained of nothing."""
        assert {url for url in self.requests if not url.startswith("blob:")} <= {self.file.as_uri()}
        assert self.complaints == []
        self.context.close()

    def shown(self, selector: str) -> str:
        return self.page.locator(f"article:not([hidden]) {selector}").inner_text()

    def progress(self) -> str:
        return self.page.locator("#progress-text").inner_text()

    def press(self, keys: str) -> None:
        for key in keys:
            self.page.keyboard.press(key)


class OnSite(Watched):
    """A page of a built site, from which one may go to its other pages."""

    def close(self) -> None:
        folder = next(parent for parent in self.file.parents if (parent / "index.html").exists()).as_uri()
        assert all(url.startswith((f"{folder}/", "blob:")) for url in self.requests)
        assert self.complaints == []
        self.context.close()
