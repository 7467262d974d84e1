"""Rules about how long certificates are valid, against each other and against the platforms."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from ipmpki.diagnostics import Related, Severity
from ipmpki.rules.registry import Finding, fleet_rule
from ipmpki.vocabulary import OperatingSystem, Role
from ipmpki.wording import days

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from ipmpki.diagnostics import Place
    from ipmpki.fleet import Fleet

_APPLES_LIMIT = timedelta(days=825)


@fleet_rule(
    Severity.ERROR, cites="RFC 5280, section 6.1.3 (every certificate of a path is valid at the time)"
)
def leaf_outlives_ca(fleet: Fleet) -> Iterator[Finding]:
    """A host's certificate is declared to be valid for longer than its authority.

    ## What it finds

    A lifetime of a host, or of all hosts, longer than the lifetime of the authority that is made here.

    ## Who is hurt

    Everybody on the day the authority ends: its certificates stop working with it, whatever their own
    date says.

    ## Example

    ```toml
    [ca]
    common_name = "Acme Print CA"
    lifetime = "1y"

    [[hosts]]
    name = "ipm1.example.com"
    role = "server"
    lifetime = "2y"
    ```

    ## Instead

    ```toml
    [ca]
    common_name = "Acme Print CA"
    lifetime = "10y"

    [[hosts]]
    name = "ipm1.example.com"
    role = "server"
    lifetime = "2y"
    ```
    """
    table = fleet.signing_table
    is_made_here = fleet.signs_here and fleet.existing is None
    if not is_made_here or not fleet.was_read(table, "lifetime") or not fleet.was_read("ca", "kind"):
        return
    longest = fleet.authority.lifetime
    authority = fleet.place.at(table, "lifetime")
    written = fleet.declared.client_ca if fleet.is_mixed else fleet.declared.ca
    defaults = fleet.declared.defaults
    because: tuple[Related, ...] = ()
    if written is not None and "lifetime" in written.model_fields_set:
        because = (Related(f"the authority ends after {days(longest.days)}", authority),)
    if defaults.lifetime > longest and fleet.was_read("defaults", "lifetime"):
        if "lifetime" in defaults.model_fields_set:
            yield Finding(
                f"certificates of {days(defaults.lifetime.days)} outlive the authority,"
                f" which is valid for {days(longest.days)}",
                f"shorten it, or let the authority live longer: [{table}] lifetime",
                fleet.place.at("defaults", "lifetime"),
                because,
            )
        else:
            yield Finding(
                f"the authority ends after {days(longest.days)}, before certificates"
                f" of the usual {days(defaults.lifetime.days)}",
                "let the authority live longer, such as '10y', or declare a shorter [defaults] lifetime",
                authority,
            )
    for host in fleet.hosts:
        own = host.declared.lifetime
        is_bought = bool(host.certificates) and all(spec.is_bought for _, spec in host.certificates)
        if own is not None and own > longest and not is_bought:
            yield Finding(
                f"a certificate of {days(own.days)} outlives the authority,"
                f" which is valid for {days(longest.days)}",
                f"shorten it, or let the authority live longer: [{table}] lifetime",
                host.place.at("lifetime"),
                because,
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
    defaults = fleet.declared.defaults
    lifetime_was_read = fleet.was_read("defaults", "lifetime")
    window_was_read = fleet.was_read("defaults", "renew_before")
    spread = defaults.renew_spread or timedelta(0)
    if not fleet.was_read("defaults", "renew_spread"):
        spread = timedelta(0)
    if defaults.renew_before + spread >= defaults.lifetime and lifetime_was_read and window_was_read:
        given, table = defaults.model_fields_set, fleet.place.at("defaults")
        key = next((key for key in ("renew_before", "renew_spread") if key in given), "lifetime")
        yield Finding(
            *_window_words(defaults.renew_before + spread, defaults.lifetime),
            table.at(key),
            _other_half(key, given, table),
        )
    for host in fleet.hosts:
        window, lifetime = host.declared.renew_before, host.declared.lifetime
        if window is None and lifetime is None:
            continue
        if not (host.was_read("renew_before") and host.was_read("lifetime")):
            continue
        if (window is None and not window_was_read) or (lifetime is None and not lifetime_was_read):
            continue
        whole = (window or defaults.renew_before) + spread
        if whole >= (lifetime or defaults.lifetime):
            key = "lifetime" if window is None else "renew_before"
            related = _other_half(key, host.declared.model_fields_set, host.place)
            yield Finding(
                *_window_words(whole, lifetime or defaults.lifetime),
                host.place.at(key),
                related or _other_half(key, defaults.model_fields_set, fleet.place.at("defaults")),
            )


def _other_half(key: str, written: Iterable[str], table: Place) -> tuple[Related, ...]:
    """Where the key that ``key`` is compared with stands, if it is written in that table."""
    if key != "lifetime" and "lifetime" in written:
        return (Related("the lifetime is declared here", table.at("lifetime")),)
    if key == "lifetime" and "renew_before" in written:
        return (Related("the renewal window is declared here", table.at("renew_before")),)
    return ()


def _window_words(window: timedelta, lifetime: timedelta) -> tuple[str, str]:
    return (
        f"a certificate of {days(lifetime.days)} is to be renewed {days(window.days)} before its end:"
        " it would be renewed by every build",
        "let renew_before be shorter than lifetime, such as a third of it",
    )


@fleet_rule(
    Severity.WARNING,
    cites="Apple, Requirements for trusted certificates in iOS 13 and macOS 10.15 (HT210176, now 103769)",
)
def lifetime_over_825_days(fleet: Fleet) -> Iterator[Finding]:
    """A server's certificate is valid for longer than Macs accept.

    ## What it finds

    A lifetime above 825 days on a server, where a client runs macOS.

    ## Who is hurt

    Users of Macs: macOS refuses TLS server certificates that are valid for more than 825 days, those of
    private authorities too.

    ## Example

    ```toml
    [[hosts]]
    name = "ipm1.example.com"
    role = "server"
    lifetime = "3y"

    [[hosts]]
    name = "mac1.example.com"
    role = "client"
    os = "macos"
    ```

    ## Instead

    ```toml
    [[hosts]]
    name = "ipm1.example.com"
    role = "server"
    lifetime = "825d"

    [[hosts]]
    name = "mac1.example.com"
    role = "client"
    os = "macos"
    ```
    """
    mac = next(
        (
            host
            for host in fleet.hosts
            if host.os is OperatingSystem.MACOS and host.role is Role.CLIENT and host.was_read("os")
        ),
        None,
    )
    if mac is None or not mac.was_read("role"):
        return
    if mac.declared.os is not None:
        because = Related("this client is a Mac", mac.place.at("os"))
    else:
        because = Related("clients are Macs by default", fleet.place.at("defaults", "os"))
    is_inherited = False
    for host in fleet.hosts:
        if host.role is not Role.SERVER:
            continue
        own = host.declared.lifetime
        if own is None:
            is_inherited = is_inherited or host.was_read("lifetime")
        elif own > _APPLES_LIMIT:
            yield Finding(*_apples_words(own), host.place.at("lifetime"), (because,))
    default = fleet.declared.defaults.lifetime
    if is_inherited and default > _APPLES_LIMIT:
        yield Finding(*_apples_words(default), fleet.place.at("defaults", "lifetime"), (because,))


def _apples_words(lifetime: timedelta) -> tuple[str, str]:
    return (
        f"Macs refuse a server's certificate that is valid for {days(lifetime.days)}",
        "write '825d' or less for servers that Macs connect to",
    )
