"""Rules about the other names of a host."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ipmpki.declaration.dns_names import NameFault, read_name
from ipmpki.declaration.ip_addresses import AddressFault, read_address
from ipmpki.diagnostics.problem import Append, Fix, Related, Remove, Severity
from ipmpki.diagnostics.wording import quote
from ipmpki.rules.host_names import fix_of_name, what_is_wrong
from ipmpki.rules.public_ca import is_not_sold
from ipmpki.rules.registry import VENDOR, Finding, fleet_rule, host_rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ipmpki.declaration.fleet import Fleet, HostSpec
    from ipmpki.diagnostics.problem import Place


@host_rule(Severity.ERROR, cites="RFC 5280, section 4.2.1.6; RFC 9525, section 6.3")
def alias_is_an_address(host: HostSpec) -> Iterator[Finding]:
    """An IP address stands among the aliases.

    ## What it finds

    An IPv4 or IPv6 address where a name belongs. A certificate holds names and addresses apart: names
    with "DNS:", addresses with "IP:".

    ## Who is hurt

    Clients that connect by the address: an address among the names is not looked at.

    ## Example

    ```toml
    [[hosts]]
    name = "ipm1.example.com"
    role = "server"
    aliases = ["10.1.2.3"]
    ```

    ## Instead

    ```toml
    [[hosts]]
    name = "ipm1.example.com"
    role = "server"
    ips = ["10.1.2.3"]
    ```
    """
    for index, alias in enumerate(host.declared.aliases):
        if read_name(alias).fault is NameFault.ADDRESS and host.was_read("aliases", index):
            yield Finding(
                f"the alias {quote(alias)} is an IP address, not a name",
                f"move it: ips = [{_double(alias)}]",
                host.place.at("aliases", index),
                fix=_move_to_ips(host, index),
            )


def _move_to_ips(host: HostSpec, index: int) -> Fix | None:
    address = read_address(host.declared.aliases[index])
    if isinstance(address, AddressFault) or not host.was_read("ips"):
        return None
    remove = Remove(host.place.at("aliases", index))
    if address in host.addresses:
        return Fix("take it off the aliases", (remove,))
    append = Append(host.place.at("ips"), str(address), host.place.at("aliases"))
    return Fix("move it to ips", (remove, append))


def _double(written: str) -> str:
    return f'"{written[:80]}"'


_FOR_OTHER_RULES = {None, NameFault.ADDRESS}


@host_rule(Severity.ERROR, cites="RFC 1123, section 2.1; RFC 952; RFC 5891, section 4")
def alias_invalid(host: HostSpec) -> Iterator[Finding]:
    """An alias is not a name that DNS can hold.

    ## What it finds

    Spaces, underscores, a dot at the end, a part longer than 63 characters, a whole URL, a wildcard.

    ## Who is hurt

    No client can look up the name, and TLS libraries refuse certificates that hold it.

    ## Example

    ```toml
    [[hosts]]
    name = "ipm1.example.com"
    role = "server"
    aliases = ["print server.example.com"]
    ```

    ## Instead

    ```toml
    [[hosts]]
    name = "ipm1.example.com"
    role = "server"
    aliases = ["printserver.example.com"]
    ```
    """
    for index, alias in enumerate(host.declared.aliases):
        name = read_name(alias)
        if name.fault in _FOR_OTHER_RULES or not host.was_read("aliases", index):
            continue
        place = host.place.at("aliases", index)
        if name.fault is not NameFault.WILDCARD:
            message, remedy = what_is_wrong(name)
            message = message.replace("the name is", "the alias is", 1)
            yield Finding(message, remedy, place, fix=fix_of_name(name, place))
        elif alias.startswith("*.") and "*" not in alias[1:] and "." in alias[2:].strip("."):
            yield Finding(
                f"the alias {quote(alias)} is a wildcard, which is no computer's name",
                f"name each alias, or use the wildcard as the subject: subject = {_double(alias)}",
                place,
            )


@fleet_rule(Severity.ERROR, cites=f"{VENDOR}: aliases are other names for that computer")
def alias_is_another_host(fleet: Fleet) -> Iterator[Finding]:
    """An alias is the name of another host.

    ## What it finds

    An alias under which another computer of this file is declared. Case makes no difference.

    ## Who is hurt

    Clients of the other computer: whoever holds this host's key could pass for it.

    ## Example

    ```toml
    [[hosts]]
    name = "ipm1.example.com"
    role = "server"
    aliases = ["ipm2.example.com"]

    [[hosts]]
    name = "ipm2.example.com"
    role = "server"
    ```

    ## Instead

    ```toml
    [[hosts]]
    name = "ipm1.example.com"
    role = "server"
    aliases = ["print.example.com"]

    [[hosts]]
    name = "ipm2.example.com"
    role = "server"
    ```
    """
    named = _by_name(fleet)
    for host in fleet.hosts:
        for alias in host.aliases:
            other = named.get(alias)
            if other is None or alias == host.name:
                continue
            found = _declared_alias(host, alias)
            if found is not None:
                written, place = found
                yield Finding(
                    f"the alias {quote(written)} is the name of another host",
                    "take it off the aliases: a certificate for both names lets one computer pass for the"
                    " other",
                    place,
                    (Related("that host is declared here", other.place.at("name")),),
                )


def _by_name(fleet: Fleet) -> dict[str, HostSpec]:
    """The first host of each name that can be read."""
    named: dict[str, HostSpec] = {}
    for host in fleet.hosts:
        if read_name(host.declared.name).fault is None and host.was_read("name"):
            named.setdefault(host.name, host)
    return named


def _declared_alias(host: HostSpec, alias: str) -> tuple[str, Place] | None:
    """An alias, given as its A-label, as a host declares it, and where; None if it is no readable name."""
    for index, written in enumerate(host.declared.aliases):
        name = read_name(written)
        if name.ascii == alias and name.fault is None and host.was_read("aliases", index):
            return written, host.place.at("aliases", index)
    return None


@fleet_rule(Severity.WARNING, cites=f"{VENDOR}: aliases are other names for that computer")
def shared_alias(fleet: Fleet) -> Iterator[Finding]:
    """Two hosts have the same alias.

    ## What it finds

    An alias on two or more hosts: a cluster's name, or a mistake of copying.

    ## Who is hurt

    If it is a mistake: clients that connect by the alias, as DNS leads them to one computer only, and the
    other could pass for it. If it is a cluster's name, ignore this rule.

    ## Example

    ```toml
    [[hosts]]
    name = "ipm1.example.com"
    role = "server"
    aliases = ["print.example.com"]

    [[hosts]]
    name = "ipm2.example.com"
    role = "server"
    aliases = ["print.example.com"]
    ```

    ## Instead

    ```toml
    [[hosts]]
    name = "ipm1.example.com"
    role = "server"
    aliases = ["print.example.com"]

    [[hosts]]
    name = "ipm2.example.com"
    role = "server"
    aliases = ["print2.example.com"]
    ```
    """
    first: dict[str, HostSpec] = {}
    sharing: dict[str, dict[str, HostSpec]] = {}
    for host in fleet.hosts:
        for alias in host.aliases:
            if first.setdefault(alias, host).name != host.name:
                sharing.setdefault(alias, {first[alias].name: first[alias]}).setdefault(host.name, host)
    named = _by_name(fleet) if sharing else {}
    for alias, hosts in sharing.items():
        if alias in named:
            continue  # alias-is-another-host, or the host's own name
        found = [one for host in hosts.values() if (one := _declared_alias(host, alias))]
        places = [place for _, place in found]
        if len(places) > 1:
            yield Finding(
                f"the alias {quote(found[1][0])} is declared on {len(places)} hosts",
                "give it to one of them, unless it is the name of a cluster",
                places[1],
                (
                    Related("first declared here", places[0]),
                    *(Related("and here", place) for place in places[2:]),
                ),
            )


@host_rule(Severity.WARNING, cites="RFC 5280, section 4.2.1.6")
def alias_repeats_name(host: HostSpec) -> Iterator[Finding]:
    """An alias is the host's own name again.

    ## What it finds

    An alias that equals the name. Case makes no difference. The certificate holds the name anyway.

    ## Who is hurt

    Nobody directly; but another name may have been meant, and clients that use it will be refused.

    ## Example

    ```toml
    [[hosts]]
    name = "ipm1.example.com"
    role = "server"
    aliases = ["IPM1.example.com"]
    ```

    ## Instead

    ```toml
    [[hosts]]
    name = "ipm1.example.com"
    role = "server"
    aliases = ["print.example.com"]
    ```
    """
    if host.name not in host.aliases or not host.was_read("name"):
        return
    for index, written in enumerate(host.declared.aliases):
        name = read_name(written)
        if name.ascii == host.name and name.fault is None and host.was_read("aliases", index):
            place = host.place.at("aliases", index)
            yield Finding(
                f"the alias {quote(written)} is this host's own name",
                "take it off the aliases: the certificate holds the name anyway",
                place,
                (Related("the name is declared here", host.place.at("name")),),
                Fix("take it off the aliases", (Remove(place),)),
            )


@host_rule(Severity.WARNING, cites="RFC 5280, section 4.2.1.6")
def repeated_alias(host: HostSpec) -> Iterator[Finding]:
    """A host has the same alias twice.

    ## What it finds

    An alias that stands twice in one list. Case makes no difference.

    ## Who is hurt

    Nobody directly; but another name may have been meant, and clients that use it will be refused.

    ## Example

    ```toml
    [[hosts]]
    name = "ipm1.example.com"
    role = "server"
    aliases = ["print.example.com", "Print.example.com"]
    ```

    ## Instead

    ```toml
    [[hosts]]
    name = "ipm1.example.com"
    role = "server"
    aliases = ["print.example.com", "print1.example.com"]
    ```
    """
    if len(host.aliases) == len(host.declared.aliases):
        return
    first: dict[str, int] = {}
    for index, alias in enumerate(host.declared.aliases):
        name = read_name(alias)
        if name.fault is not None or name.ascii == host.name or not host.was_read("aliases", index):
            continue
        if first.setdefault(name.ascii, index) != index:
            yield Finding(
                f"the alias {quote(alias)} stands here a second time",
                "keep one of the two",
                host.place.at("aliases", index),
                (Related("first declared here", host.place.at("aliases", first[name.ascii])),),
                Fix("take this one out", (Remove(host.place.at("aliases", index)),)),
            )


@host_rule(
    Severity.INFO, cites="CA/Browser Forum Baseline Requirements, section 7.1.4.2.1 (no internal names)"
)
def single_label_alias(host: HostSpec) -> Iterator[Finding]:
    """An alias has no domain.

    ## What it finds

    A short name such as "ipm1". Print clients often connect by it, so it is allowed.

    ## Who is hurt

    In another domain the same short name may be another computer's; and globally known authorities do not
    certify short names.

    ## Example

    ```toml
    [[hosts]]
    name = "ipm1.example.com"
    role = "server"
    aliases = ["ipm1"]
    ```

    ## Instead

    ```toml
    [[hosts]]
    name = "ipm1.example.com"
    role = "server"
    aliases = ["print.example.com"]
    ```
    """
    for index, alias in enumerate(host.declared.aliases):
        if "." in alias:
            continue
        name = read_name(alias)
        if name.fault is not None or not name.is_single_label or name.ascii == host.name:
            continue
        if host.was_read("aliases", index) and not is_not_sold(host, alias):
            yield Finding(
                f"the alias {quote(alias)} is a short name:"
                " which computer it means depends on the client's domain",
                "keep it if clients connect by it; else leave it out",
                host.place.at("aliases", index),
            )
