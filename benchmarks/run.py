"""Hold ipmpki against its floors, side by side in one run: ``python benchmarks/run.py [--full]``.

Machines differ and are noisy, so what counts is the ratio to a floor measured in the same run: the bare
interpreter, the bare libraries doing the same work, all cores making keys. Every figure is the best of
several runs, floor and tool taking turns. Prints a table; exits 1 where a limit is missed.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import browsing

if TYPE_CHECKING:
    from collections.abc import Callable

HERE = Path(__file__).resolve().parent
IPMPKI = [sys.executable, "-m", "ipmpki"]
FLOORS = [sys.executable, str(HERE / "floors.py")]

CHECK_LIMITS = {10: 1.3, 1_000: 1.4, 10_000: 1.5}
PLAN_LIMITS = {10: 1.3, 10_000: 2.5}
BUILD_LIMITS = {10: 3.0, 1_000: 1.5, 10_000: 1.1}
STATUS_LIMITS = {10: 1.3, 10_000: 1.3}
"""The highest ratio to the floor, by the number of hosts; other numbers have none."""

HEAD = (
    'schema = 1\n[ca]\ncommon_name = "Acme Print CA"\nkey = "{key}"\n[tls]\nmutual_auth = "required"\n'
    '[ipm.keywords]\nmutual_auth = "NameReadOffTheSample"\n'
)


def fleet(hosts: int, key: str, ca_key: str) -> str:
    """A declaration of one server and many clients, with aliases and addresses as a shop has them."""
    text = [HEAD.format(key=ca_key)]
    text.append('[[hosts]]\nname = "ipm.example.com"\nrole = "server"\nos = "linux"\nkey = "rsa-2048"\n')
    for number in range(hosts - 1):
        address = f"10.{number // 65536}.{number // 256 % 256}.{number % 256}"
        text.append(
            f'[[hosts]]\nname = "desk{number}.example.com"\nrole = "client"\nos = "linux"\nkey = "{key}"\n'
            f'aliases = ["print{number}.example.com"]\nips = ["{address}"]\n'
        )
    return "\n".join(text)


@dataclass
class Row:
    """One line of the table. ``limit`` bounds the ratio, ``seconds`` the tool's own time; 0 means none."""

    what: str
    tool: float
    floor: float
    floor_name: str
    limit: float = 0.0
    seconds: float = 0.0
    memory: float = 0.0
    """In MiB, as is its limit."""
    memory_limit: float = 0.0

    @property
    def ratio(self) -> float:
        """How many times its floor the tool took."""
        return self.tool / self.floor

    @property
    def holds(self) -> bool:
        """Whether every limit is kept."""
        return (
            (not self.limit or self.ratio <= self.limit)
            and (not self.seconds or self.tool <= self.seconds)
            and (not self.memory_limit or self.memory <= self.memory_limit)
        )


def seconds_of(command: list[str], folder: Path) -> float:
    """The wall time of a command that must succeed."""
    begun = time.perf_counter()
    subprocess.run(command, cwd=folder, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return time.perf_counter() - begun


def best(runs: int, *measures: Callable[[], float]) -> list[float]:
    """The best time of each measure, taking turns so that noise falls on all alike."""
    times: list[list[float]] = [[] for _ in measures]
    for _ in range(runs):
        for found, measure in zip(times, measures, strict=True):
            found.append(measure())
    return [min(found) for found in times]


def start_up(folder: Path) -> Row:
    """``ipmpki --version`` against an interpreter that does nothing."""
    script = shutil.which("ipmpki", path=str(Path(sys.executable).parent)) or "ipmpki"
    tool, floor = best(
        25,
        lambda: seconds_of([script, "--version"], folder),
        lambda: seconds_of([sys.executable, "-c", "pass"], folder),
    )
    return Row("start-up", tool, floor, "python -c pass", limit=2.0)


def check(folder: Path, hosts: int) -> Row:
    """``ipmpki check`` of a sound declaration against parsing and modelling it."""
    (folder / "pki.toml").write_text(fleet(hosts, "ec-p256", "ec-p256"))
    tool, floor = best(
        5,
        lambda: seconds_of([*IPMPKI, "check", "pki.toml"], folder),
        lambda: seconds_of([*FLOORS, "parse", "pki.toml"], folder),
    )
    return Row(f"check, {hosts:,} hosts", tool, floor, "tomllib + pydantic", CHECK_LIMITS.get(hosts, 0.0))


def check_with_mistakes(folder: Path, hosts: int, form: str) -> Row:
    """The same where every tenth host has an address that is its own loopback, which is a warning each."""
    text = fleet(hosts, "ec-p256", "ec-p256")
    for number in range(0, hosts - 1, 10):
        address = f'"10.{number // 65536}.{number // 256 % 256}.{number % 256}"'
        text = text.replace(f"ips = [{address}]", f'ips = [{address}, "127.0.0.1"]')
    (folder / "pki.toml").write_text(text)
    tool, floor = best(
        5,
        lambda: seconds_of([*IPMPKI, "check", "--format", form, "pki.toml"], folder),
        lambda: seconds_of([*FLOORS, "parse", "pki.toml"], folder),
    )
    what = f"{hosts // 10:,} mistakes ({form})"
    return Row(what, tool, floor, "tomllib + pydantic", 1.8 if hosts >= 10_000 else 0.0)


def first_problems(folder: Path, hosts: int) -> Row:
    """From the start of ``ipmpki lsp`` to the problems of a text, against parsing and modelling it."""
    text = fleet(hosts, "ec-p256", "ec-p256") + "alias = []\n"
    (folder / "editor.toml").write_text(fleet(hosts, "ec-p256", "ec-p256"))
    tool, floor = best(
        5,
        lambda: seconds_until_published(folder, text),
        lambda: seconds_of([*FLOORS, "parse", "editor.toml"], folder),
    )
    return Row(
        f"editor, {hosts:,} hosts", tool, floor, "tomllib + pydantic", seconds=2.0 if hosts >= 10_000 else 0
    )


def seconds_until_published(folder: Path, text: str) -> float:
    """The time from starting a language server to the problems of the first document it is shown."""
    uri = (folder / "pki.toml").as_uri()
    document = {"uri": uri, "languageId": "toml", "version": 1, "text": text}
    messages = [
        {"id": 1, "method": "initialize", "params": {"processId": None, "rootUri": None, "capabilities": {}}},
        {"method": "initialized", "params": {}},
        {"method": "textDocument/didOpen", "params": {"textDocument": document}},
    ]
    bodies = [json.dumps({"jsonrpc": "2.0", **message}).encode() for message in messages]
    begun = time.perf_counter()
    process = subprocess.Popen([*IPMPKI, "lsp"], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert process.stdin is not None
    assert process.stdout is not None
    with process, process.stdin:
        for body in bodies:
            process.stdin.write(b"Content-Length: %d\r\n\r\n%s" % (len(body), body))
        process.stdin.flush()
        while True:
            headers = iter(process.stdout.readline, b"\r\n")
            length = next(int(line[15:]) for line in list(headers) if line.startswith(b"Content-Length:"))
            answer = json.loads(process.stdout.read(length))
            if answer.get("method") == "textDocument/publishDiagnostics":
                assert answer["params"]["diagnostics"]
                return time.perf_counter() - begun


def build_elliptic(folder: Path, hosts: int, runs: int) -> Row:
    """A first build with EC keys against making keys, signing and writing the same files."""
    # Every run has a folder of its own, and none is removed before the end: some file systems are slow to
    # make files for a while after many were removed.
    text = fleet(hosts, "ec-p256", "ec-p256")
    turns = iter(range(2 * runs))

    def build() -> float:
        place = folder / f"build-{hosts}-{next(turns)}"
        place.mkdir()
        (place / "pki.toml").write_text(text)
        return seconds_of([*IPMPKI, "build", "pki.toml"], place)

    def bare() -> float:
        like = next(folder.glob(f"build-{hosts}-*/dist"))
        return seconds_of([*FLOORS, "sign", str(hosts), f"bare-{hosts}-{next(turns)}", str(like)], folder)

    tool, floor = best(runs, build, bare)
    return Row(f"build EC, {hosts:,} hosts", tool, floor, "sign and write", BUILD_LIMITS.get(hosts, 0.0))


def plan_nothing(bench: Path, hosts: int) -> Row:
    """A plan after a build, which finds nothing to do."""
    folder = next(bench.glob(f"build-{hosts}-*"))
    tool, floor = best(
        5,
        lambda: seconds_of([*IPMPKI, "plan", "pki.toml"], folder),
        lambda: seconds_of([*FLOORS, "parse", "pki.toml"], folder),
    )
    process = subprocess.Popen([*IPMPKI, "plan", "pki.toml"], cwd=folder, stdout=subprocess.DEVNULL)
    _, _, usage = os.wait4(process.pid, 0)
    return Row(
        f"no-op plan, {hosts:,} hosts",
        tool,
        floor,
        "tomllib + pydantic",
        PLAN_LIMITS.get(hosts, 0.0),
        memory=usage.ru_maxrss / 1024,
        memory_limit=120.0 if hosts >= 10_000 else 0.0,
    )


def status(bench: Path, hosts: int, form: str) -> Row:
    """How every certificate stands, against parsing the declaration and listing the store's rows."""
    folder = next(bench.glob(f"build-{hosts}-*"))
    tool, floor = best(
        5,
        lambda: seconds_of([*IPMPKI, "status", "pki.toml", "--format", form], folder),
        lambda: seconds_of([*FLOORS, "ends", "pki.toml", "pki.db"], folder),
    )
    return Row(f"status ({form}), {hosts:,}", tool, floor, "parse and list", STATUS_LIMITS.get(hosts, 0.0))


def browse(bench: Path, hosts: int, runs: int) -> list[Row]:
    """What a browser takes over the report of a build, against a bare table of as many rows."""
    path = browsing.executable()
    if path is None:
        if os.environ.get("CI"):
            sys.exit("chromium is not here, and CI must have it")
        print("chromium is not here: what a browser takes is not measured", file=sys.stderr)
        return []
    report = next(bench.glob(f"build-{hosts}-*")) / "dist" / "report.html"
    bare = bench / f"bare-{hosts}.html"
    browsing.bare_table(hosts, bare)
    limits = (0.0, 1.0, 1.0) if hosts >= 10_000 else (0.0, 0.0, 0.0)
    with browsing.chromium(path) as browser:
        measures = {
            "open report": (
                lambda: browsing.opening(browser, report),
                lambda: browsing.opening(browser, bare),
            ),
            "sort its hosts": (
                lambda: browsing.sorting(browser, report, ".hosts thead button"),
                lambda: browsing.sorting(browser, bare, "thead th"),
            ),
            "find one of them": (
                lambda: browsing.finding(browser, report, "#filter", "desk7."),
                lambda: browsing.finding(browser, bare, "input", "desk7."),
            ),
        }
        return [
            Row(
                f"{what}, {hosts:,}",
                *best(runs, *pair),
                "a bare table",
                1.1 if hosts >= 10_000 and what == "open report" else 0.0,
                seconds=limit,
            )
            for (what, pair), limit in zip(measures.items(), limits, strict=True)
        ]


def build_rsa(folder: Path, hosts: int, runs: int) -> Row:
    """A first build with RSA keys against all cores making as many keys.

    The time to find an RSA key's primes varies widely, so both sides are measured over many keys and
    the median ratio of several turns is taken.
    """
    ratios = []
    for turn in range(runs):
        place = folder / f"rsa-{hosts}-{turn}"
        place.mkdir()
        (place / "pki.toml").write_text(fleet(hosts, "rsa-2048", "rsa-2048"))
        tool = seconds_of([*IPMPKI, "build", "pki.toml"], place)
        floor = seconds_of([*FLOORS, "keys", str(hosts)], folder)
        ratios.append((tool / floor, tool, floor))
    _, tool, floor = sorted(ratios)[len(ratios) // 2]
    return Row(
        f"build RSA, {hosts:,} hosts", tool, floor, "keys on all cores", limit=1.05 if hosts >= 500 else 0
    )


def main() -> int:
    """Measure, print, judge."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--full", action="store_true", help="10,000 hosts with RSA keys too: a quarter of an hour"
    )
    parser.add_argument(
        "--smoke", action="store_true", help="tiny fleets only, to see that the benchmark runs"
    )
    options = parser.parse_args()
    # What pip installs has its bytecode beside it, as the floors' libraries have: so is ipmpki measured.
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    sizes = (10, 50) if options.smoke else (10, 1_000, 10_000)
    rows: list[Row] = []
    with tempfile.TemporaryDirectory(prefix="ipmpki-bench-") as name:
        folder = Path(name)
        rows.append(start_up(folder))
        rows += [check(folder, hosts) for hosts in sizes]
        rows += [first_problems(folder, hosts) for hosts in sizes]
        rows += [check_with_mistakes(folder, sizes[-1], form) for form in ("text", "json")]
        for hosts in sizes:
            rows.append(build_elliptic(folder, hosts, runs=3 if hosts < 10_000 else 2))
            rows.append(plan_nothing(folder, hosts))
            rows += [status(folder, hosts, form) for form in ("table", "prometheus")]
        rows += browse(folder, sizes[-1], runs=1 if options.smoke else 5)
        rsa_sizes = (10,) if options.smoke else (10, 1_000, *((10_000,) if options.full else ()))
        rows += [build_rsa(folder, hosts, runs=3 if hosts <= 1_000 else 1) for hosts in rsa_sizes]
    show(rows)
    if options.smoke:
        return show_what_is_wrong(rows)
    return 0 if all(row.holds for row in rows) else 1


GOALS = {"start-up": 2.0, "check, ": 1.3, "mistakes": 1.8, "no-op plan": 1.3, "build": 3.0, "status": 1.3}
"""The ratio that small fleets shall come to, by what a row's name holds; rows of seconds alone have none."""
GENEROUS = 3
"""A busy machine and one run may be so many times slower; what is slower still, is broken."""
FEWEST_ROWS = 19
"""Of tiny fleets, the browser's three among them."""


def show_what_is_wrong(rows: list[Row]) -> int:
    """Print which figures are missing or far from their goal; the exit status."""
    wrong = [f"no row is about {what!r}" for what in GOALS if not any(what in row.what for row in rows)]
    if len(rows) < FEWEST_ROWS:
        wrong.append(f"{len(rows)} rows, where there should be {FEWEST_ROWS}")
    for row in rows:
        goal = next((goal for what, goal in GOALS.items() if what in row.what), None)
        if not (row.tool > 0 and row.floor > 0):
            wrong.append(f"{row.what}: no time was measured")
        elif goal is not None and row.ratio > GENEROUS * goal:
            wrong.append(f"{row.what}: {row.ratio:.2f} times its floor, where {goal} is the goal")
    for one in wrong:
        print(f"wrong: {one}")
    return 1 if wrong else 0


def show(rows: list[Row]) -> None:
    """Print the table."""
    print(f"{os.cpu_count()} cores, Python {sys.version.split()[0]}\n")
    print(f"{'what':<28}{'ipmpki':>10}{'floor':>10}{'ratio':>8}  {'limit':<18}{'':<6}floor is")
    for row in rows:
        limits = []
        if row.limit:
            limits.append(f"<= {row.limit:.2f} x")
        if row.seconds:
            limits.append(f"<= {row.seconds:.1f} s")
        if row.memory_limit:
            limits.append(f"{row.memory:.0f}/{row.memory_limit:.0f} MiB")
        verdict = "" if not limits else "ok" if row.holds else "OVER"
        print(
            f"{row.what:<28}{row.tool:>9.3f}s{row.floor:>9.3f}s{row.ratio:>8.2f}"
            f"  {', '.join(limits):<18}{verdict:<6}{row.floor_name}"
        )


if __name__ == "__main__":
    sys.exit(main())
