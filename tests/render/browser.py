"""Pages in a real Chromium: laid out at a width, in a colour scheme, with or without scripts."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from tests.tools import require

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from playwright.sync_api import Browser, Page

WIDTHS = (320, 390, 768, 1024, 1280)
SCHEMES = ("light", "dark")


@contextmanager
def chromium() -> Iterator[Browser]:
    """The system's Chromium, driven by Playwright."""
    from playwright.sync_api import sync_playwright

    path = require("chromium")
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=path, args=["--no-sandbox"])
        try:
            yield browser
        finally:
            browser.close()


@contextmanager
def opened(browser: Browser, file: Path, *, width: int = 1280, **context: Any) -> Iterator[Page]:
    """A page that is loaded and laid out. What it asks the network for, or complains of, is a failure."""
    frame = browser.new_context(viewport={"width": width, "height": 900}, reduced_motion="reduce", **context)
    try:
        page = frame.new_page()
        complaints: list[str] = []
        page.on("console", lambda message: complaints.append(message.text))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("request", lambda asked: complaints.append(asked.url) if asked.url != file.as_uri() else None)
        page.goto(file.as_uri())
        yield page
        assert complaints == []
    finally:
        frame.close()
