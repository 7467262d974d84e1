"""How long a browser takes over report.html, against a bare table of the same rows and a few lines of script.

Times are taken within the page, from the start of the navigation or the reader's act to the frame after it.
"""

from __future__ import annotations

import shutil
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from playwright.sync_api import Browser

_SCRIPT = """
<script>
document.querySelector("thead").addEventListener("click", () => {
  const body = document.querySelector("tbody");
  const name = (row) => row.cells[0].textContent;
  body.replaceChildren(...[...body.rows].sort((one, other) => name(one) < name(other) ? 1 : -1));
});
document.querySelector("input").addEventListener("input", (event) => {
  const sought = event.target.value;
  for (const row of document.querySelector("tbody").rows) row.hidden = !row.textContent.includes(sought);
});
</script>
"""
_PAINTED = "await new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));"
_OPENED = f"async () => {{ {_PAINTED} return performance.now() / 1000; }}"
_SORTED = f"""async (selector) => {{
  const heading = document.querySelector(selector);
  const begun = performance.now();
  heading.click();
  {_PAINTED}
  return (performance.now() - begun) / 1000;
}}"""
_FOUND = f"""async ([selector, text]) => {{
  const last = [...document.querySelectorAll(".hosts tbody tr")].at(-1);
  const field = document.querySelector(selector);
  const begun = performance.now();
  field.value = text;
  field.dispatchEvent(new Event("input", {{ bubbles: true }}));
  while (!last.hidden) {{
    if (performance.now() - begun > 60000) throw new Error("nothing was filtered");
    await new Promise((done) => setTimeout(done, 1));
  }}
  {_PAINTED}
  return (performance.now() - begun) / 1000;
}}"""


def executable() -> str | None:
    """The system's Chromium, if there is one."""
    return shutil.which("chromium")


@contextmanager
def chromium(path: str) -> Iterator[Browser]:
    """A Chromium without a window."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=path, args=["--no-sandbox"])
        try:
            yield browser
        finally:
            browser.close()


def bare_table(hosts: int, file: Path) -> None:
    """The same rows as a report shows before anything is unfolded, and nothing else."""
    rows = "".join(
        f"<tr><th>desk{number}.example.com</th><td>Client, Linux</td><td>Valid until 2027-12-27</td>"
        "<td>Not known</td><td>2026-11-25</td></tr>\n"
        for number in range(hosts)
    )
    file.write_text(
        "<!DOCTYPE html><html lang='en'><meta charset='utf-8'><title>Hosts</title><input>"
        "<table class='hosts'><thead><tr>"
        "<th>Host<th>System<th>Certificate<th>Installed<th>Folder changed</thead>\n"
        f"<tbody>{rows}</tbody></table>{_SCRIPT}"
    )


def opening(browser: Browser, file: Path) -> float:
    """Seconds from the start of the navigation to the first frame after its scripts ran."""
    page = browser.new_page()
    page.goto(file.as_uri())
    seconds: float = page.evaluate(_OPENED)
    page.close()
    return seconds


def sorting(browser: Browser, file: Path, heading: str) -> float:
    """Seconds from a click on a heading to the frame that shows the rows in order."""
    page = browser.new_page()
    page.goto(file.as_uri())
    seconds: float = page.evaluate(_SORTED, heading)
    page.close()
    return seconds


def finding(browser: Browser, file: Path, field: str, text: str) -> float:
    """Seconds from the last letter typed to the frame that shows only what was sought."""
    page = browser.new_page()
    page.goto(file.as_uri())
    seconds: float = page.evaluate(_FOUND, [field, text])
    page.close()
    return seconds
