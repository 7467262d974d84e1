"""Rules about renewals: when certificates are made anew, and whether people can keep up with it."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from typing import TYPE_CHECKING, NamedTuple

from ipmpki.declaration import renewal
from ipmpki.declaration.vocabulary import OperatingSystem, Role
from ipmpki.diagnostics.problem import Related, Severity
from ipmpki.diagnostics.wording import days
from ipmpki.rules.ipm import site_value
from ipmpki.rules.registry import VENDOR, Finding, fleet_rule, state_rule

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from ipmpki.declaration.fleet import Fleet
    from ipmpki.diagnostics.problem import Place
    from ipmpki.rules.context import Surroundings

_EVERY_WEEK = timedelta(days=7)
"""Whoever goes to each host more often than once a week by hand will miss one."""

_A_DAYS_WORK = 30
"""As many hosts as one person installs in a working day, at a quarter of an hour each."""


class _Window(NamedTuple):
    """A lifetime, how long before its end it is renewed at the most, and where either is written."""

    lifetime: timedelta
    whole: timedelta
    spread: timedelta
    place: Place
    related: tuple[Related, ...]


def _windows(fleet: Fleet) -> Iterator[_Window]:
    """The renewal window of [defaults], and those of hosts that declare a lifetime or a window."""
    defaults = fleet.declared.defaults
    lifetime_was_read = fleet.was_read("defaults", "lifetime")
    window_was_read = fleet.was_read("defaults", "renew_before")
    spread = defaults.renew_spread or timedelta(0)
    if not fleet.was_read("defaults", "renew_spread"):
        spread = timedelta(0)
    if lifetime_was_read and window_was_read:
        given, table = defaults.model_fields_set, fleet.place.at("defaults")
        key = next((key for key in ("renew_before", "renew_spread") if key in given), "lifetime")
        whole, related = defaults.renew_before + spread, _other_half(key, given, table)
        yield _Window(defaults.lifetime, whole, spread, table.at(key), related)
    for host in fleet.hosts:
        window, lifetime = host.declared.renew_before, host.declared.lifetime
        if window is None and lifetime is None:
            continue
        if not (host.was_read("renew_before") and host.was_read("lifetime")):
            continue
        if (window is None and not window_was_read) or (lifetime is None and not lifetime_was_read):
            continue
        key = "lifetime" if window is None else "renew_before"
        related = _other_half(key, host.declared.model_fields_set, host.place)
        yield _Window(
            lifetime or defaults.lifetime,
            (window or defaults.renew_before) + spread,
            spread,
            host.place.at(key),
            related or _other_half(key, defaults.model_fields_set, fleet.place.at("defaults")),
        )


@fleet_rule(Severity.ERROR, cites="ipmpki: a certificate is renewed renew_before its end")
def renewal_window_too_wide(fleet: Fleet) -> Iterator[Finding]:
    """A certificate is to be renewed earlier than it is made.

    ## What it finds

    A renew_before that, with renew_spread, is not shorter than the lifetime.

    ## Who is hurt

    Whoever carries folders to hosts: every build would renew every certificate.

    ## Example

    ```toml
    [[hosts]]
    name = "ipm1.example.com"
    role = "server"
    lifetime = "90d"
    renew_before = "90d"
    ```

    ## Instead

    ```toml
    [[hosts]]
    name = "ipm1.example.com"
    role = "server"
    lifetime = "90d"
    renew_before = "30d"
    ```
    """
    for one in _windows(fleet):
        if one.whole >= one.lifetime:
            yield Finding(
                f"a certificate of {days(one.lifetime.days)} is to be renewed {days(one.whole.days)} before"
                " its end: it would be renewed by every build",
                "let renew_before be shorter than lifetime, such as a third of it",
                one.place,
                one.related,
            )


def _other_half(key: str, written: Iterable[str], table: Place) -> tuple[Related, ...]:
    """Where the key that ``key`` is compared with stands, if it is written in that table."""
    if key != "lifetime" and "lifetime" in written:
        return (Related("the lifetime is declared here", table.at("lifetime")),)
    if key == "lifetime" and "renew_before" in written:
        return (Related("the renewal window is declared here", table.at("renew_before")),)
    return ()


@fleet_rule(
    Severity.WARNING,
    cites=f"{VENDOR}: restart each computer; Let's Encrypt, Profiles (shortlived: for automatic renewal)",
)
def renewed_too_often(fleet: Fleet) -> Iterator[Finding]:
    """Certificates are renewed more often than once a week.

    ## What it finds

    Less than seven days between the making of a certificate and its renewal, which is lifetime less
    renew_before and renew_spread. Of bought certificates nothing is said.

    ## Who is hurt

    Whoever carries folders to hosts, and everybody who prints: each renewal is installed by people, and the
    server restarted after it. One week of holidays, and the certificate ends.

    ## Example

    ```toml
    [[hosts]]
    name = "ipm1.example.com"
    role = "server"
    lifetime = "7d"
    renew_before = "3d"
    ```

    ## Instead

    ```toml
    [[hosts]]
    name = "ipm1.example.com"
    role = "server"
    lifetime = "90d"
    renew_before = "30d"
    ```
    """
    if not fleet.signs_here:
        return
    for one in _windows(fleet):
        between = one.lifetime - one.whole
        if timedelta(0) < between < _EVERY_WEEK:
            often = "every day" if between.days == 1 else f"every {days(between.days)}"
            who = "a certificate" if not one.spread else "a certificate of some hosts"
            yield Finding(
                f"{who} is to be renewed, and installed, {often}",
                "let lifetime be longer, or renew_before shorter, so that weeks lie between two renewals",
                one.place,
                one.related,
            )


@fleet_rule(Severity.WARNING, cites=f"{VENDOR}: restart each computer where the file has been copied")
def renewal_window_shorter_than_restart_cycle(fleet: Fleet) -> Iterator[Finding]:
    """A certificate may end before the server is restarted with the new one.

    ## What it finds

    A renew_before that is shorter than restart_every of [ipm], or of the server's system. A renewed
    certificate takes effect when the server is restarted after it was installed.

    ## Who is hurt

    Everybody who prints through that server: it still shows the old certificate on the day this one ends.

    ## Example

    ```toml
    [defaults]
    renew_before = "30d"

    [ipm]
    restart_every = "12w"

    [[hosts]]
    name = "ipm1.example.com"
    role = "server"
    ```

    ## Instead

    ```toml
    [defaults]
    renew_before = "120d"

    [ipm]
    restart_every = "12w"

    [[hosts]]
    name = "ipm1.example.com"
    role = "server"
    ```
    """
    usual = fleet.declared.defaults.renew_before
    inherited: tuple[timedelta, Place] | None = None
    cycles = {system: site_value(fleet, system, "restart_every") for system in OperatingSystem}
    for host in fleet.hosts:
        if host.role is not Role.SERVER or not (host.was_read("os") and host.was_read("renew_before")):
            continue
        cycle, place = cycles[host.os]
        own = host.declared.renew_before
        if cycle is None:
            continue
        if own is not None and own < cycle:
            because = (Related("servers are restarted so seldom", place),)
            yield Finding(*_restart_words(own, cycle), host.place.at("renew_before"), because)
        elif own is None and usual < cycle and (inherited is None or cycle > inherited[0]):
            inherited = (cycle, place)
    if inherited is not None and fleet.was_read("defaults", "renew_before"):
        cycle, place = inherited
        if "renew_before" in fleet.declared.defaults.model_fields_set:
            because = (Related("servers are restarted so seldom", place),)
            window = fleet.place.at("defaults", "renew_before")
            yield Finding(*_restart_words(usual, cycle), window, because)
        else:
            yield Finding(*_restart_words(usual, cycle), place)


def _restart_words(window: timedelta, cycle: timedelta) -> tuple[str, str]:
    return (
        f"certificates are renewed {days(window.days)} before they end, but servers are restarted every"
        f" {days(cycle.days)} only: one may still show the old certificate when it ends",
        "let renew_before be longer than restart_every; or restart a server whenever its folder is installed,"
        " and leave out restart_every",
    )


@state_rule(Severity.INFO, cites="RFC 5280, section 4.1.2.5; ipmpki, renew_spread")
def renewals_on_one_day(fleet: Fleet, surroundings: Surroundings) -> Iterator[Finding]:
    """All certificates of a large fleet come up for renewal on the same day.

    ## What it finds

    More than 30 hosts whose certificates are renewed from the same day on, where no renew_spread is declared.
    So many one person installs in a working day, at a quarter of an hour each.

    ## Who is hurt

    Whoever has to install all of it again. What is left undone ends on one day as well, and then nobody
    prints.

    ## Example

    It comes of building a large fleet on one day, with renew_before = "30d" and no renew_spread.

    ## Instead

    Declare a spread below [defaults], such as renew_spread = "60d". It counts for certificates that are there
    already: each host's renewal begins up to 60 days earlier, on a day of its own.
    """
    spread = fleet.declared.defaults.renew_spread
    if surroundings.issued is None or spread or not fleet.was_read("defaults", "renew_spread"):
        return
    current = surroundings.issued.current
    authorities = renewal.of_authorities(surroundings.issued.signers, fleet)
    meant = ((host, host.certificate, current.get(host.name)) for host in fleet.hosts)
    by_day = Counter(
        renewal.of_certificate(certificate, host, spec, authorities).due.date()
        for host, spec, certificate in meant
        if spec is not None and certificate is not None and certificate.revoked_at is None
    )
    for day, count in by_day.items():
        if count > _A_DAYS_WORK and day > surroundings.now.date():
            yield Finding(
                f"the certificates of {count} hosts are all to be renewed from {day:%Y-%m-%d} on",
                'spread them over some weeks: [defaults] renew_spread = "60d"',
                fleet.place.at("defaults", "renew_before"),
            )
