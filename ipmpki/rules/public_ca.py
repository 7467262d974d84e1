"""Rules about what globally known authorities sell: for which names, and as of a day, for how long."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from ipmpki.declaration.dns_names import read_name
from ipmpki.declaration.ip_addresses import AddressFault, AddressSort, read_address, sort_of_address
from ipmpki.declaration.vocabulary import Profile
from ipmpki.diagnostics.problem import Related, Severity
from ipmpki.diagnostics.wording import days, quote
from ipmpki.rules.registry import Finding, dated_rule, fleet_rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ipmpki.declaration.fleet import Fleet, HostSpec
    from ipmpki.diagnostics.problem import DocumentPath

_NOBODYS_DOMAINS = frozenset(
    {
        *("local", "localhost", "internal", "test", "invalid"),
        *("corp", "home", "intranet", "lan", "private"),
    }
)
"""RFC 6761, RFC 6762 with its appendix G, and what ICANN keeps from ever being delegated (SAC113)."""

_REQUIREMENTS = "CA/Browser Forum Baseline Requirements, section 6.3.2 (ballot SC-081v3)"

_LONGEST_SOLD = (
    (datetime(2020, 9, 1, tzinfo=UTC), timedelta(days=398)),
    (datetime(2026, 3, 15, tzinfo=UTC), timedelta(days=200)),
    (datetime(2027, 3, 15, tzinfo=UTC), timedelta(days=100)),
    (datetime(2029, 3, 15, tzinfo=UTC), timedelta(days=47)),
)
"""From when on a TLS server certificate that browsers know is valid for at most how long."""


@fleet_rule(
    Severity.WARNING,
    cites="CA/Browser Forum Baseline Requirements, sections 4.2.2 and 7.1.2.7.12; RFC 6761",
)
def not_sold_for_this_name(fleet: Fleet) -> Iterator[Finding]:
    """A name or an address that no globally known authority certifies.

    ## What it finds

    With kind = "third-party": a short name, a name in a domain that is nobody's on the Internet, such as
    .local or .internal, and an address that is private.

    ## Who is hurt

    You, when you order: the authority turns the whole request down.

    ## Example

    ```toml
    [ca]
    kind = "third-party"
    bundle = "root.pem"

    [[hosts]]
    name = "ipm1.acme.com"
    role = "server"
    ips = ["10.1.2.3"]
    ```

    ## Instead

    ```toml
    [ca]
    kind = "third-party"
    bundle = "root.pem"

    [[hosts]]
    name = "ipm1.acme.com"
    role = "server"
    ```
    """
    for host in fleet.hosts if fleet.is_third_party else ():
        for path, written in _names_of(host):
            if host.was_read(*path) and is_not_sold(host, written):
                yield Finding(
                    f"no globally known authority certifies {quote(written)}",
                    "give the host a name in a domain that you own" if path == ("name",) else "leave it out",
                    host.place.at(*path),
                )


def _names_of(host: HostSpec) -> Iterator[tuple[DocumentPath, str]]:
    yield ("name",), host.declared.name
    for index, alias in enumerate(host.declared.aliases):
        yield ("aliases", index), alias
    for index, address in enumerate(host.declared.ips):
        yield ("ips", index), address


def is_not_sold(host: HostSpec, written: str) -> bool:
    """Whether ``not_sold_for_this_name`` reports a name or an address of a host.

    Rules about domains and short names leave it to that: one mistake is told once, by the rule that says what
    comes of it. Addresses that no computer has are left to theirs, and so is what cannot be read.
    """
    if host.certificate is None or not host.certificate.is_bought:
        return False
    address = read_address(written)
    if not isinstance(address, AddressFault):
        return not address.is_global and sort_of_address(address) is AddressSort.ORDINARY
    name = read_name(written)
    if name.fault is not None or ":" in written:
        return False
    labels = name.ascii.rstrip(".").split(".")
    return len(labels) == 1 or labels[-1] in _NOBODYS_DOMAINS


def _limit_on(fleet: Fleet, now: datetime) -> tuple[datetime, timedelta] | None:
    """Since when a certificate is valid for at most how long, where the requirements bind the authority.

    A PEM file may hold the authority of a company, which sells for as long as it likes.
    """
    is_bound = fleet.is_third_party and (fleet.bundle is None or fleet.bundle.is_certdata)
    if not is_bound or not fleet.was_read("ca", "kind"):
        return None
    return next(((since, longest) for since, longest in reversed(_LONGEST_SOLD) if since <= now), None)


def _is_sold(host: HostSpec) -> bool:
    """Whether the requirements are about a host's certificate: clients' are of another kind."""
    spec = host.certificate
    return spec is not None and spec.is_bought and spec.profile is not Profile.CLIENT


@dated_rule(Severity.WARNING, cites=_REQUIREMENTS)
def lifetime_not_sold(fleet: Fleet, now: datetime) -> Iterator[Finding]:
    """A lifetime is declared that no globally known authority sells any more.

    ## What it finds

    With kind = "third-party", a lifetime above the longest that such an authority may sell for a server: 200
    days since March 2026, 100 days from 15 March 2027, 47 days from 15 March 2029. Not where the trust bundle
    is a PEM file, which may be a company's.

    ## Who is hurt

    Whoever plans by the declared lifetime: the certificate that comes ends much earlier, and the server has
    to be installed again several times a year.

    ## Example

    ```toml
    [ca]
    kind = "third-party"
    certdata = "certdata.txt"

    [[hosts]]
    name = "ipm1.acme.com"
    role = "server"
    lifetime = "1y"
    ```

    ## Instead

    ```toml
    [ca]
    kind = "third-party"
    certdata = "certdata.txt"

    [[hosts]]
    name = "ipm1.acme.com"
    role = "server"
    ```
    """
    limit = _limit_on(fleet, now)
    if limit is None:
        return
    since, longest = limit
    is_inherited_by_own = False
    inherits = False
    for host in fleet.hosts:
        own = host.declared.lifetime
        if own is not None and own > longest and _is_sold(host) and host.tools_certificate is None:
            yield Finding(*_lifetime_words(own, since, longest), host.place.at("lifetime"))
        elif own is None and host.was_read("lifetime"):
            inherits = inherits or _is_sold(host)
            is_inherited_by_own = is_inherited_by_own or any(
                not spec.is_bought for _, spec in host.certificates
            )
    defaults = fleet.declared.defaults
    is_written = "lifetime" in defaults.model_fields_set and fleet.was_read("defaults", "lifetime")
    if is_written and inherits and not is_inherited_by_own and defaults.lifetime > longest:
        yield Finding(
            *_lifetime_words(defaults.lifetime, since, longest), fleet.place.at("defaults", "lifetime")
        )


def _lifetime_words(lifetime: timedelta, since: datetime, longest: timedelta) -> tuple[str, str]:
    return (
        f"no globally known authority sells a certificate of {days(lifetime.days)}: since {since:%Y-%m-%d},"
        f" {days(longest.days)} are the most",
        "leave it out: what is bought is valid for as long as the authority sells, and is renewed in time",
    )


@dated_rule(Severity.WARNING, cites=_REQUIREMENTS)
def renewal_window_wider_than_sold(fleet: Fleet, now: datetime) -> Iterator[Finding]:
    """Bought certificates are to be renewed earlier than they can be bought for.

    ## What it finds

    With kind = "third-party", a renew_before that, with renew_spread, is not shorter than the longest
    lifetime which globally known authorities sell for a server: 200 days since March 2026, 100 days from
    15 March 2027, 47 days from 15 March 2029. Not where the trust bundle is a PEM file, which may be a
    company's.

    ## Who is hurt

    Whoever orders: as soon as a certificate has come, the next build asks for another.

    ## Example

    ```toml
    [ca]
    kind = "third-party"
    certdata = "certdata.txt"

    [[hosts]]
    name = "ipm1.acme.com"
    role = "server"
    renew_before = "200d"
    ```

    ## Instead

    ```toml
    [ca]
    kind = "third-party"
    certdata = "certdata.txt"

    [[hosts]]
    name = "ipm1.acme.com"
    role = "server"
    renew_before = "30d"
    ```
    """
    limit = _limit_on(fleet, now)
    if limit is None:
        return
    since, longest = limit
    defaults, table = fleet.declared.defaults, fleet.place.at("defaults")
    if not fleet.was_read("defaults", "renew_spread"):
        return
    spread = defaults.renew_spread or timedelta(0)
    because = (Related("and so much earlier at the most", table.at("renew_spread")),) if spread else ()
    inherits = False
    for host in fleet.hosts:
        own = host.declared.renew_before
        if not _is_sold(host) or not host.was_read("renew_before"):
            continue
        if own is None:
            inherits = True
        elif own + spread >= longest:
            yield Finding(
                *_window_words(own + spread, since, longest), host.place.at("renew_before"), because
            )
    whole = defaults.renew_before + spread
    if inherits and fleet.was_read("defaults", "renew_before") and whole >= longest:
        is_written = "renew_before" in defaults.model_fields_set
        place = table.at("renew_before" if is_written else "renew_spread")
        yield Finding(*_window_words(whole, since, longest), place, because if is_written else ())


def _window_words(window: timedelta, since: datetime, longest: timedelta) -> tuple[str, str]:
    return (
        f"a certificate is to be renewed {days(window.days)} before its end, and since {since:%Y-%m-%d} none"
        f" is sold for more than {days(longest.days)}: each build would order another",
        "let renew_before, and renew_spread with it, be shorter, such as a third of that together",
    )
