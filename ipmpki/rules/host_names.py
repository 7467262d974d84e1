"""Rules about the name a host is declared under."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ipmpki.declaration.dns_names import (
    LONGEST_COMMON_NAME,
    LONGEST_LABEL,
    LONGEST_NAME,
    Name,
    NameFault,
    intended_name,
    read_name,
)
from ipmpki.declaration.ip_addresses import is_address
from ipmpki.diagnostics.problem import Fix, Remove, Replace, Severity
from ipmpki.diagnostics.wording import quote
from ipmpki.rules.registry import VENDOR, Finding, fleet_rule, host_rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ipmpki.declaration.fleet import Fleet, HostSpec
    from ipmpki.diagnostics.problem import Place


@host_rule(Severity.ERROR, cites=f"{VENDOR}: the Subject is the full computer name from DNS")
def name_not_fully_qualified(host: HostSpec) -> Iterator[Finding]:
    """A host's name has no domain.

    ## What it finds

    A name without a dot, such as "ipm1": it is not the full computer name from DNS.

    ## Who is hurt

    Clients that connect by the full name: the certificate does not name it, so they refuse the server.

    ## Example

    ```toml
    [[hosts]]
    name = "ipm1"
    role = "server"
    ```

    ## Instead

    ```toml
    [[hosts]]
    name = "ipm1.example.com"
    role = "server"
    aliases = ["ipm1"]
    ```
    """
    if "." in host.name or not host.was_read("name"):
        return
    name = read_name(host.declared.name)
    if name.fault is None:
        yield Finding(
            f"{quote(name.written)} is not a full computer name: its domain is missing",
            f"write the name as DNS knows it, such as '{name.ascii[:40]}.example.com';"
            " the short one can be an alias",
            host.place.at("name"),
        )


@host_rule(Severity.ERROR, cites="RFC 1123, section 2.1; RFC 952; RFC 5891, section 4")
def name_invalid(host: HostSpec) -> Iterator[Finding]:
    """A host's name is not a name that DNS can hold.

    ## What it finds

    Spaces, underscores, a dot at the end, a part longer than 63 characters, a part that begins or ends
    with a hyphen, a whole URL, a wildcard in place of the name. Also such a mistake in subject.

    ## Who is hurt

    No client can look up the name, and TLS libraries refuse certificates that hold it.

    ## Example

    ```toml
    [[hosts]]
    name = "ipm_1.example.com"
    role = "server"
    ```

    ## Instead

    ```toml
    [[hosts]]
    name = "ipm-1.example.com"
    role = "server"
    ```
    """
    name = read_name(host.declared.name)
    if name.fault is not None and host.was_read("name") and name.fault is not NameFault.ADDRESS:
        if name.fault is not NameFault.WILDCARD:
            place = host.place.at("name")
            yield Finding(*what_is_wrong(name), place, fix=fix_of_name(name, place))
        elif _is_good_wildcard(name.written):
            yield Finding(
                f"{quote(name.written)} is a wildcard, which is no computer's name",
                f"write the computer's own name, and beside it: subject = {_double(name.written)}",
                host.place.at("name"),
            )
    if host.declared.subject is not None and host.was_read("subject"):
        domain = host.declared.subject.removeprefix("*.")
        subject = read_name(domain)
        wrong = {NameFault.ADDRESS, NameFault.WILDCARD}
        if subject.fault is not None and subject.fault not in wrong and domain != "":
            place = host.place.at("subject")
            star = host.declared.subject.removesuffix(domain)
            yield Finding(*what_is_wrong(subject), place, fix=fix_of_name(subject, place, before=star))
        elif host.declared.subject == "":
            place = host.place.at("subject")
            fix = Fix("leave it out", (Remove(place),))
            yield Finding("the subject is empty", "leave it out to use the name", place, fix=fix)


def _is_good_wildcard(written: str) -> bool:
    """Whether it is ``*.`` and a domain; the other sorts are for the rules about wildcards."""
    star, _, domain = written.partition(".")
    return star == "*" and "*" not in domain and "." in domain.strip(".")


def _double(written: str) -> str:
    return f'"{written[:80]}"'


@host_rule(Severity.ERROR, cites=f"{VENDOR}: the Subject is the full computer name; RFC 9525, section 6.3")
def name_is_an_address(host: HostSpec) -> Iterator[Finding]:
    """An IP address stands where a computer's name belongs.

    ## What it finds

    An IPv4 or IPv6 address as name or subject.

    ## Who is hurt

    Clients compare addresses with the certificate's IP entries only, never with its names: the connection
    is refused although the numbers are the same.

    ## Example

    ```toml
    [[hosts]]
    name = "10.1.2.3"
    role = "server"
    ```

    ## Instead

    ```toml
    [[hosts]]
    name = "ipm1.example.com"
    role = "server"
    ips = ["10.1.2.3"]
    ```
    """
    remedy = "write the full computer name from DNS here, and the address under ips"
    name = host.declared.name
    if read_name(name).fault is NameFault.ADDRESS and host.was_read("name"):
        yield Finding(f"{quote(name)} is an IP address, not a computer's name", remedy, host.place.at("name"))
    subject = host.declared.subject
    if subject is not None and host.was_read("subject") and is_address(subject.removeprefix("*.")):
        remedy = "leave subject out to use the name, and write the address under ips"
        yield Finding(
            f"{quote(subject)} is an IP address, not a computer's name", remedy, host.place.at("subject")
        )


@fleet_rule(Severity.ERROR, cites="RFC 5280, appendix A.1 (ub-common-name)")
def name_too_long(fleet: Fleet) -> Iterator[Finding]:
    """A name that becomes a certificate's common name has more than 64 characters.

    ## What it finds

    A host's name, or its subject where one is declared, or the authority's common_name, longer than the
    64 characters that X.509 gives a common name. DNS allows longer names.

    ## Who is hurt

    Nobody yet: such a certificate cannot be made.

    ## Example

    ```toml
    [[hosts]]
    name = "infoprint-manager-production-server-number-one.printing.example.com"
    role = "server"
    ```

    ## Instead

    ```toml
    [[hosts]]
    name = "infoprint-manager-production-server-number-one.printing.example.com"
    role = "server"
    subject = "*.printing.example.com"
    ```
    """
    common_name = fleet.authority.subject.common_name
    # RFC 5280 counts characters; libraries, ours among them, count octets, in which an umlaut is two.
    octets = len(common_name.encode("utf-8", "replace"))
    if octets > LONGEST_COMMON_NAME:
        unit = "characters" if common_name.isascii() else "bytes in UTF-8"
        yield Finding(
            f"the authority's common_name has {octets} {unit}; a certificate holds 64 at most",
            "shorten it",
            fleet.place.at(fleet.signing_table, "common_name"),
        )
    for host in fleet.hosts:
        certificate = host.certificate
        if certificate is None or len(certificate.common_name) <= LONGEST_COMMON_NAME:
            continue
        key = "name" if host.declared.subject is None else "subject"
        written = host.declared.subject or host.declared.name
        if not host.was_read(key) or read_name(written.removeprefix("*.")).fault is not None:
            continue
        domain = host.name.partition(".")[2]
        remedy = "shorten it"
        if key == "name" and "." in domain and len(domain) + 2 <= LONGEST_COMMON_NAME:
            remedy = f'add: subject = "*.{domain}", a wildcard; the full name stays an alternative name'
        yield Finding(
            f"{quote(written)} has {len(certificate.common_name)} characters; a subject holds 64 at most",
            remedy,
            host.place.at(key),
        )


def fix_of_name(name: Name, place: Place, before: str = "") -> Fix | None:
    """The fix of a faulty name, if it holds just one name that is none; ``before`` stays before it."""
    inner = intended_name(name)
    if inner is None:
        return None
    return Fix(f"write {quote(before + inner)}", (Replace(place, before + inner),))


def what_is_wrong(name: Name) -> tuple[str, str]:  # noqa: PLR0911, PLR0912 -- one for each fault
    """Fault and remedy of a name that DNS cannot hold."""
    written = quote(name.written)
    rule = "letters, digits, '-' and '.'"
    match name.fault:
        case NameFault.EMPTY:
            return "the name is empty", "write the full computer name from DNS, such as 'ipm1.example.com'"
        case NameFault.SPACE:
            tight = "".join(name.written.split())
            meant = f"; did you mean {quote(tight)}?" if read_name(tight).fault is None else ""
            return f"{written} holds a space", f"names hold {rule} only{meant}"
        case NameFault.TRAILING_DOT:
            return f"{written} ends with a dot", f"write {quote(name.written.rstrip('.'))}"
        case NameFault.EMPTY_LABEL:
            return f"{written} has a dot with nothing before it", "write one dot between two parts of a name"
        case NameFault.LABEL_TOO_LONG:
            return (
                f"{written} has a part of {len(name.detail)} characters between dots",
                f"DNS allows {LONGEST_LABEL} characters between two dots: shorten it",
            )
        case NameFault.NAME_TOO_LONG:
            return (
                f"{written} has {name.detail} characters",
                f"DNS allows {LONGEST_NAME} characters in a name: shorten it",
            )
        case NameFault.HYPHEN:
            return (
                f"{written} has a part that begins or ends with a hyphen: {quote(name.detail)}",
                "a hyphen stands between letters or digits",
            )
        case NameFault.UNDERSCORE:
            return (
                f"{written} holds an underscore, which computer names do not",
                f"names hold {rule} only; if DNS has the underscore, give the computer another name there",
            )
        case NameFault.UNICODE:
            return (
                f"{written} cannot be written in DNS: {name.detail}",
                f"names hold {rule}, and letters of other alphabets that DNS knows",
            )
        case NameFault.NUMERIC:
            return (
                f"{written} ends in a number, as an address does",
                "write the full computer name from DNS, such as 'ipm1.example.com'",
            )
        case _:
            if "//" in name.written:
                return (
                    f"{written} is a web address, not a computer's name",
                    "write the name alone, without 'https://'",
                )
            if ":" in name.written:
                return f"{written} holds ':'", "write the name alone, without a port"
            return f"{written} holds {quote(name.detail)}, which names do not", f"names hold {rule} only"
