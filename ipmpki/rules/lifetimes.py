"""Rules about how long certificates are valid, against each other and against the platforms."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from ipmpki.declaration.types import LONGEST_LIFETIME
from ipmpki.declaration.vocabulary import OperatingSystem, Role
from ipmpki.diagnostics.problem import Related, Severity
from ipmpki.diagnostics.wording import days
from ipmpki.rules.registry import Finding, fleet_rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ipmpki.declaration.fleet import Fleet

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
    defaults = fleet.declared.defaults
    because: tuple[Related, ...] = ()
    if _is_written(fleet):
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


@fleet_rule(
    Severity.WARNING,
    cites="Microsoft, Certificate Life Cycle (cc962064), nested validity dates; RFC 4210, section 4.4",
)
def ca_shorter_than_two_leaves(fleet: Fleet) -> Iterator[Finding]:
    """The authority lives less than twice as long as the certificates it issues.

    ## What it finds

    A lifetime of the authority that is made here below twice the longest lifetime of a certificate issued by
    it. No certificate outlives its authority, so already the second one of a host is cut short; and an
    authority's successor begins to take over as long before its end as certificates live.

    ## Who is hurt

    Whoever carries folders to hosts: one authority is always taking over from another, which takes three
    rounds through all hosts each time, beside the renewals of certificates that do not live as long as
    declared.

    ## Example

    ```toml
    [ca]
    common_name = "Acme Print CA"
    lifetime = "18m"

    [[hosts]]
    name = "ipm1.example.com"
    role = "server"
    lifetime = "397d"
    ```

    ## Instead

    ```toml
    [ca]
    common_name = "Acme Print CA"
    lifetime = "10y"

    [[hosts]]
    name = "ipm1.example.com"
    role = "server"
    lifetime = "397d"
    ```
    """
    table = fleet.signing_table
    is_made_here = fleet.signs_here and fleet.existing is None
    if not is_made_here or not fleet.was_read(table, "lifetime") or not fleet.was_read("ca", "kind"):
        return
    life = fleet.authority.lifetime
    longest, place = timedelta(0), None
    for host in fleet.hosts:
        own = host.declared.lifetime
        if not host.was_read("lifetime") or (own is None and not fleet.was_read("defaults", "lifetime")):
            continue
        for _, spec in host.certificates:
            if not spec.is_bought and longest < spec.lifetime <= life:
                longest = spec.lifetime
                place = fleet.place.at("defaults", "lifetime") if own is None else host.place.at("lifetime")
    if place is None or life >= 2 * longest:
        return
    because: tuple[Related, ...] = (Related("certificates live so long", place),)
    if place.path[0] == "defaults" and "lifetime" not in fleet.declared.defaults.model_fields_set:
        because = ()
    authority = fleet.place.at(table, "lifetime")
    remedy = f"let it live at least {days(2 * longest.days)}, or certificates shorter: [{table}] lifetime"
    if 2 * longest > LONGEST_LIFETIME:
        remedy = "let certificates live shorter, such as '397d': no authority lives twice as long"
    if not _is_written(fleet):
        authority, because = place, ()
        remedy = "let certificates live shorter, such as '397d'"
    yield Finding(
        f"the authority lives {days(life.days)}, less than twice as long as certificates of"
        f" {days(longest.days)}",
        remedy,
        authority,
        because,
    )


def _is_written(fleet: Fleet) -> bool:
    """Whether the lifetime of the authority that is made here stands in pki.toml."""
    written = fleet.declared.client_ca if fleet.is_mixed else fleet.declared.ca
    return written is not None and "lifetime" in written.model_fields_set


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
