"""report.html in a real Chromium: it fits a telephone and a desk, its policy holds, its script works."""

from __future__ import annotations

import json
import re
import subprocess
from dataclasses import replace
from datetime import UTC, datetime
from html import unescape
from typing import TYPE_CHECKING, Any

from ipmpki.render.report import Report, render_report
from tests.render.reports import HOSTILE, PRINT_ROOM, REFUSED, fleet, host, hostile
from tests.tools import require

if TYPE_CHECKING:
    from pathlib import Path

OLD = datetime(2020, 1, 1, tzinfo=UTC)
REPORTS: dict[str, Report] = {
    "print-room": PRINT_ROOM,
    "refused": REFUSED,
    "hostile": hostile(HOSTILE),
    "many": fleet(450),
    "old": replace(PRINT_ROOM, as_of=OLD, hosts=(host("ipm1.example.com", issued=OLD),)),
}
WIDTHS = (320, 390, 1280)

# Each report stands in frames of its own; the page around them measures them and writes down what it saw.
MEASURE = """
addEventListener("load", () => {
  const seen = {};
  for (const frame of document.querySelectorAll("iframe")) {
    const page = frame.contentDocument, root = page.documentElement, view = frame.contentWindow;
    for (const part of page.querySelectorAll("details")) part.open = true;
    const report = (seen[frame.title] = {
      overflow: root.scrollWidth - root.clientWidth,
      width: root.clientWidth,
      styled: view.getComputedStyle(page.querySelector(".skip")).position,
      scripts: page.scripts.length,
      tables: page.querySelectorAll(".hosts").length,
      since: page.getElementById("since").textContent,
      rows: page.querySelectorAll(".hosts tbody tr").length,
    });
    const tools = page.getElementById("tools");
    if (!tools || tools.hidden) continue;
    const choose = (id, value) => {
      page.getElementById(id).value = value;
      page.getElementById(id).dispatchEvent(new view.Event("change"));
      const rows = [...page.querySelectorAll(".hosts tbody tr:not([hidden])")];
      return rows.map((row) => row.cells[0].innerText.trim());
    };
    report.expired = choose("state", "Expired");
    report.found = page.getElementById("found").textContent;
    report.all = choose("state", "").length;
    report.byExpiry = choose("order", "until");
    report.declared = choose("order", "");
  }
  const out = document.createElement("pre");
  out.id = "seen";
  out.textContent = JSON.stringify(seen);
  document.body.append(out);
});
"""


def watch(folder: Path) -> tuple[dict[str, dict[str, Any]], str]:
    """Load every report at every width in one Chromium: what was measured, and what it complained of."""
    frames = []
    for name, report in REPORTS.items():
        (folder / f"{name}.html").write_bytes(render_report(report)[0].content)
        frames += [
            f'<iframe title="{name} {width}" width="{width}" height="800" src="{name}.html"></iframe>'
            for width in WIDTHS
        ]
    page = folder / "frames.html"
    page.write_text(f"<!DOCTYPE html><title>frames</title>{''.join(frames)}<script>{MEASURE}</script>")
    run = subprocess.run(
        [
            require("chromium"),
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-quic",
            "--no-first-run",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
            "--allow-file-access-from-files",
            "--enable-logging=stderr",
            "--window-size=1400,900",
            f"--user-data-dir={folder / 'profile'}",
            "--dump-dom",
            page.as_uri(),
        ],
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    found = re.search(r'<pre id="seen">(.*?)</pre>', run.stdout, re.DOTALL)
    assert found, run.stderr
    complaints = "\n".join(line for line in run.stderr.splitlines() if "CONSOLE" in line)
    return json.loads(unescape(found[1])), complaints


def test_the_report_in_a_browser(tmp_path: Path) -> None:
    seen, complaints = watch(tmp_path)
    assert complaints == ""
    assert set(seen) == {f"{name} {width}" for name in REPORTS for width in WIDTHS}
    for frame, page in seen.items():
        assert page["overflow"] == 0, frame
        assert page["width"] > 300, frame
        assert page["styled"] == "absolute", f"{frame}: the policy kept the style out"
        assert page["scripts"] == 1, frame
    for width in WIDTHS:
        assert seen[f"refused {width}"]["rows"] == 0
        room = seen[f"print-room {width}"]
        assert "1 certificate has expired" in seen[f"old {width}"]["since"]
        assert [name.split()[0] for name in room["expired"]] == ["sap.example.com"]
        assert room["found"] == "1 of 7 hosts"
        assert room["all"] == room["rows"] == 7
        assert [name.split()[0] for name in room["byExpiry"]] == [
            "ipm3.example.com",
            "ipm2.example.com",
            "ipm1.example.com",
            "sap.example.com",
            "desk.example.com",
            "batch.example.com",
            "mac.example.com",
        ]
        assert [name.split()[0] for name in room["declared"]][:3] == [
            "ipm1.example.com",
            "ipm2.example.com",
            "ipm3.example.com",
        ]
        many = seen[f"many {width}"]
        assert (many["tables"], many["rows"], many["all"]) == (6, 450, 450)
