"""report.txt: the report for a terminal or a letter, at most WIDTH columns wide."""

from __future__ import annotations

import textwrap
from itertools import zip_longest
from typing import TYPE_CHECKING

from ipmpki.declaration.dns_names import shared_domain
from ipmpki.diagnostics import wording
from ipmpki.diagnostics.escape import visible, visible_lines
from ipmpki.diagnostics.problem import tally
from ipmpki.diagnostics.wording import counted, day, grouped, minute
from ipmpki.render.problems.text import render_text
from ipmpki.render.report import next_steps, words
from ipmpki.render.report.due import due_work, progress_of
from ipmpki.render.report.trust_map import draw_trust

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from ipmpki.render.prose import Sentence
    from ipmpki.render.report.document import Report, ReportedCertificate, ReportedHost
    from ipmpki.render.report.words import Census

WIDTH = 80
_NAME_WIDTH = 28
_LABEL_WIDTH = 14
_PAIRS_A_LINE = 48
"""Sixteen pairs of a fingerprint with their colons."""


def render_plain(report: Report, census: Census) -> bytes:
    """The report as plain text, UTF-8, with a final newline and no control character but that."""
    return (visible_lines("\n".join(_lines(report, census))) + "\n").encode()


def _lines(report: Report, census: Census) -> Iterator[str]:
    headline = words.write_headline(report, census)
    title = f"PKI report for {visible(report.declaration)}"
    yield from _wrapped(title, "")
    yield "=" * min(len(title), WIDTH)
    yield "Before the first build" if report.as_of is None else f"As of {minute(report.as_of)}"
    yield ""
    yield f"{headline.symbol} {headline.title}"
    for sentence in headline.sentences:
        yield from _prose(sentence, "  ")
    yield ""
    yield from _summary(report, census)
    yield from _due(report, census)
    yield from _hosts(report)
    yield from _problems(report)
    yield from _next_steps(report, census)
    yield from _past(report)
    yield from _certificates(report)
    yield from _trust(report, census)
    yield from _bundle(report)
    yield from _authority(report)
    if not report.refused:
        yield from _heading("Back up pki.db")
        for sentence in next_steps.backing_up(report):
            yield from _item(sentence)


def _heading(title: str) -> tuple[str, ...]:
    return "", title, "-" * len(title)


def _plain(sentence: Sentence) -> str:
    return "".join(sentence)


def _wrapped(text: str, indent: str, first: str | None = None) -> list[str]:
    """Break a line over WIDTH; the wrapper is slow, so a line that fits never meets it."""
    opening = indent if first is None else first
    if len(opening) + len(text) <= WIDTH:
        return [opening + text]
    return textwrap.wrap(
        text, WIDTH, initial_indent=opening, subsequent_indent=indent, break_on_hyphens=False
    )


def _prose(sentence: Sentence, indent: str) -> list[str]:
    return _wrapped(_plain(sentence), indent)


def _item(sentence: Sentence) -> list[str]:
    return _wrapped(_plain(sentence), "  ", "- ")


def _field(label: str, value: str) -> list[str]:
    return _wrapped(value, " " * (_LABEL_WIDTH + 2), f"  {label:<{_LABEL_WIDTH}}")


def _summary(report: Report, census: Census) -> Iterator[str]:
    count = tally(located.problem for located in report.problems)
    yield from _field(
        "Problems",
        f"{counted(count.errors, 'error')}, {counted(count.warnings, 'warning')}, "
        f"{counted(count.infos, 'note')}",
    )
    yield from _field(
        "Hosts",
        f"{census.hosts:,} ({counted(census.servers, 'server')}, {counted(census.clients, 'client')})",
    )
    standing = [f"{number:,} {status.word.lower()}" for status, number in census.statuses.items() if number]
    if standing:
        yield from _field("Certificates", ", ".join(standing))
    word, meaning = report.mutual_auth_words
    yield from _field("Mutual auth.", word.lower() if word == "Off" else f"{word.lower()}: {meaning}")
    if census.next_renewal is not None:
        due = "now, since " if words.is_due(report, census) else ""
        yield from _field("Next renewal", f"{due}{day(census.next_renewal)}")


def _due(report: Report, census: Census) -> Iterator[str]:
    work = due_work(report, census)
    if work:
        yield from _heading("What is due")
    for one in work:
        when = f"{one.day}, {one.left}" if one.day else "No day"
        where = f" ({one.where})" if one.where else ""
        yield from _wrapped(f"{when}: {one.what}{where}", "  ", f"{one.symbol} ")
    for under_way in progress_of(report):
        yield from _heading(f"{under_way.title}: {under_way.done:,} of {counted(under_way.total, 'host')}")
        for number, (state, step) in enumerate(under_way.steps, start=1):
            yield from _wrapped(f"{state}: {step}", "   ", f"{number}. ")
        yield from _wrapped(f"{under_way.waiting}.", "")


def _past(report: Report) -> Iterator[str]:
    if report.past:
        yield from _heading("What was done last")
    for one in report.past:
        for at, line in enumerate(one.what):
            label = minute(one.at) if at == 0 else ""
            yield from _wrapped(visible(line), " " * 22, f"{label:<20}  ")


def _problems(report: Report) -> Iterator[str]:
    if not report.problems:
        return
    yield from _heading("Problems")
    yield ""
    yield from render_text(report.problems, width=WIDTH, colour=False).rstrip("\n").split("\n")


def _next_steps(report: Report, census: Census) -> Iterator[str]:
    yield from _heading("What to do next")
    if report.refused:
        yield from _item(
            ("Mend each error listed under Problems, then run ", *words.build_command(report), ".")
        )
        yield from _item(("What was published before, if anything, is as it was.",))
        return
    if not report.hosts:
        yield from _item(
            ("Add a host to ", visible(report.declaration), ", then run ", *words.build_command(report), ".")
        )
        return
    groups = next_steps.group_installs(report)
    before = next_steps.before_installing(report) if groups else next_steps.nothing_to_install(report)
    for sentence in (
        *next_steps.ordering(report),
        *next_steps.taking_over(report),
        *next_steps.turning(report),
        *before,
    ):
        yield from _item(sentence)
    for group in groups:
        yield ""
        yield f"{next_steps.stage_title(group.role, report)}: {group.system}"
        yield from _prose(group.how, "  ")
        for wave in group.waves:
            yield f"  Folders changed {wave.published}:"
            yield from (f"    {line}" for line in wave.lines)
            if wave.more:
                yield f"    and {wave.more:,} more, listed under Hosts"
    yield ""
    yield "Then"
    after = next_steps.after_installing(report) if groups else ()
    for sentence in (*after, *next_steps.renewal(report, census)):
        yield from _item(sentence)


def _hosts(report: Report) -> Iterator[str]:
    if not report.hosts:
        return
    hosts = words.order_hosts(report)
    yield from _heading(f"Hosts ({len(hosts):,})")
    yield ""
    domain = shared_domain(host.name for host in hosts)
    if max(len(host.name) for host in hosts) <= _NAME_WIDTH:
        domain = ""
    label = f"Host of {domain}" if domain else "Host"
    if len(label) > _NAME_WIDTH:
        yield from _wrapped(f"Hosts of {domain}", "")
        label = "Host"
    yield f"{label:<{_NAME_WIDTH}}  {'Role':<6}  {'System':<7}  {'Certificate':<20}  Expires"
    for host in hosts:
        yield _host_line(host, report, domain)


def _certificates(report: Report) -> Iterator[str]:
    hosts = words.order_hosts(report)
    if hosts:
        yield from _heading("Certificates")
    for host in hosts:
        yield ""
        yield from _host_card(host, report)


def _host_line(host: ReportedHost, report: Report, domain: str) -> str:
    name = visible(host.name.removesuffix(f".{domain}") if domain else host.name)
    above = ""
    if len(name) > _NAME_WIDTH:
        above, name = "\n".join([*_wrapped(name, ""), ""]), ""
    status = words.status_of(host, report)
    expires = "" if host.certificate is None else day(host.certificate.not_after)
    line = (
        f"{name:<{_NAME_WIDTH}}  {words.ROLE_NAMES[host.role]:<6}  {host.os.label:<7}  "
        f"{status.symbol} {status.word:<18}  {expires}"
    )
    return above + line.rstrip()


def _host_card(host: ReportedHost, report: Report) -> list[str]:
    name = visible(host.name)
    lines = _wrapped(name, "")
    if host.aliases:
        lines += _field("Aliases", _joined(host.aliases))
    if host.addresses:
        lines += _field("Addresses", _joined(host.addresses))
    if host.published_at is not None:
        lines += _field("Folder", f"dist/hosts/{name}, changed {minute(host.published_at)}")
    if host.installed_at is not None:
        lines += _field("Installed", f"as was told on {day(host.installed_at)}")
    if host.install_by is not None:
        lines += _field("Install by", f"{day(host.install_by)}: {host.effect or 'it has something older'}")
    if words.installing_of(host, report) is not words.Installing.NOTHING and not report.refused:
        copy, run = next_steps.lines_to_copy(host)  # each a line, however long, so that it can be copied
        lines += [f"  {'To copy':<{_LABEL_WIDTH}}{copy}", f"  {next_steps.run_by(host):<{_LABEL_WIDTH}}{run}"]
    if host.awaited_since is not None:
        lines += _field("Awaited", f"since {day(host.awaited_since)}")
    certificate = host.certificate
    if certificate is None:
        lines += _field("Certificate", words.status_of(host, report).word.lower())
    else:
        lines += _field("Names", _joined((*certificate.dns_names, *certificate.addresses)))
        lines += _certificate_lines(certificate, report)
    if host.tools_certificate is not None:
        lines += _field("As a client", "its own programs show another certificate:")
        lines += _certificate_lines(host.tools_certificate, report)
    return lines


def _certificate_lines(certificate: ReportedCertificate, report: Report) -> list[str]:
    left = words.left_of(certificate.not_after, report)
    lines = _field(
        "Valid",
        f"{day(certificate.not_before)} to {minute(certificate.not_after)}{f', {left}' if left else ''}",
    )
    lines += _field("Renewed", f"from {day(certificate.renew_from)}")
    lines += _field("Key", visible(certificate.key))
    lines.append(f"  Serial        {wording.serial_number(certificate.serial)}")
    return lines + _fingerprint(certificate.fingerprint)


def _joined(parts: Iterable[str]) -> str:
    return visible(", ".join(parts))


def _fingerprint(fingerprint: str) -> list[str]:
    pairs = grouped(fingerprint)
    lines = [pairs[at : at + _PAIRS_A_LINE] for at in range(0, len(pairs), _PAIRS_A_LINE)]
    return [
        f"  {label:<{_LABEL_WIDTH}}{line}" for label, line in zip_longest(("SHA-256",), lines, fillvalue="")
    ]


def _trust(report: Report, census: Census) -> Iterator[str]:
    trust = draw_trust(report, census)
    if trust is not None:
        yield from _heading("Who trusts whom")
        for sentence in trust.sentences:
            yield from _item(sentence)


def _bundle(report: Report) -> Iterator[str]:
    bundle = report.bundle
    if bundle is None:
        return
    yield from _heading("Trust bundle")
    yield from _field("Made from", visible(bundle.source))
    yield from _field("Authorities", f"{bundle.authorities:,}")
    yield from _fingerprint(bundle.sha256)
    if bundle.limits:
        yield ""
        yield from _prose(words.LIMITS, "  ")
        for name, until in bundle.limits:
            yield from _item((f"{day(until)}  {visible(name)}",))


def _authority(report: Report) -> Iterator[str]:
    revocation_list = report.revocation_list
    for authority, title in words.authorities(report):
        yield from _heading(title or "Authority")
        yield from _field("Subject", visible(authority.subject))
        yield from _field("Key", visible(authority.key))
        yield from _field("Valid", f"{day(authority.not_before)} to {minute(authority.not_after)}")
        yield from _field("Origin", "brought by you" if authority.is_existing else "made by ipmpki")
        yield from _fingerprint(authority.fingerprint)
    if revocation_list is not None:
        yield from _heading("Revocation list (CRL)")
        yield from _field("Number", str(revocation_list.number))
        yield from _field("Issued", minute(revocation_list.this_update))
        yield from _field("Next update", f"before {minute(revocation_list.next_update)}")
        yield from _field("Revoked", counted(revocation_list.revoked, "certificate"))
