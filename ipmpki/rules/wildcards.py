"""Rules about wildcards and the subject of a certificate."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ipmpki.declaration.dns_names import NameFault, read_name, wildcard_covers
from ipmpki.declaration.ip_addresses import is_address
from ipmpki.diagnostics.problem import Related, Severity
from ipmpki.diagnostics.wording import quote
from ipmpki.rules.registry import VENDOR, Finding, host_rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ipmpki.declaration.fleet import HostSpec
    from ipmpki.diagnostics.problem import Place


def _wildcards(host: HostSpec) -> Iterator[tuple[str, Place]]:
    """Every text of a host that holds a star, with its place."""
    declared = host.declared
    if "*" in declared.name and host.was_read("name"):
        yield declared.name, host.place.at("name")
    if declared.subject is not None and "*" in declared.subject and host.was_read("subject"):
        yield declared.subject, host.place.at("subject")
    for index, alias in enumerate(declared.aliases):
        if "*" in alias and host.was_read("aliases", index):
            yield alias, host.place.at("aliases", index)


def _is_whole(written: str) -> bool:
    """Whether the star is the whole first label and there is no other."""
    star, _, domain = written.partition(".")
    return star == "*" and "*" not in domain


def _domain(written: str) -> str:
    """What a faulty wildcard was most likely meant to stand in front of."""
    return ".".join(label for label in written.split(".") if "*" not in label and label)


@host_rule(Severity.ERROR, cites=f"{VENDOR}: partial wildcards are not allowed; RFC 9525, section 6.3")
def partial_wildcard(host: HostSpec) -> Iterator[Finding]:
    """A wildcard whose star stands for a part of a name's first part, or in the middle.

    ## What it finds

    A star with letters beside it, more than one star, or a star behind the first dot.

    ## Who is hurt

    Clients: InfoPrint Manager does not allow partial wildcards, and TLS libraries do not match them.

    ## Example

    ```toml
    [[hosts]]
    name = "print1.example.com"
    role = "server"
    subject = "print*.example.com"
    ```

    ## Instead

    ```toml
    [[hosts]]
    name = "print1.example.com"
    role = "server"
    subject = "*.example.com"
    ```
    """
    if "*" not in host.declared.name and host.declared.subject is None and not host.declared.aliases:
        return
    for written, place in _wildcards(host):
        if _is_whole(written) or is_address(written.removeprefix("*.")):
            continue
        domain = _domain(written)
        parent = host.name.partition(".")[2]
        if place.path[-1] == "subject" and "." in parent and read_name(host.name).fault is None:
            domain = parent  # the wildcard that covers this host
        remedy = (
            f"use '*.{domain}', or name each computer"
            if "." in domain and read_name(domain).fault is None
            else "use '*.' and your domain, or name each computer"
        )
        yield Finding(
            f"{quote(written)} is a partial wildcard, which InfoPrint Manager does not allow", remedy, place
        )


@host_rule(Severity.ERROR, cites=f"{VENDOR}: a wildcard for your DNS domain; RFC 9525, sections 6.3 and 7.1")
def wildcard_too_broad(host: HostSpec) -> Iterator[Finding]:
    """A wildcard for a whole top-level domain, or for everything.

    ## What it finds

    "*" alone, or "*." with a single part behind it, such as "*.com".

    ## Who is hurt

    Browsers and TLS libraries refuse such a certificate; where one is accepted, its holder could pass for
    any computer.

    ## Example

    ```toml
    [[hosts]]
    name = "print1.example.com"
    role = "server"
    subject = "*.com"
    ```

    ## Instead

    ```toml
    [[hosts]]
    name = "print1.example.com"
    role = "server"
    subject = "*.example.com"
    ```
    """
    if "*" not in host.declared.name and host.declared.subject is None and not host.declared.aliases:
        return
    for written, place in _wildcards(host):
        domain = written.partition(".")[2]
        if not _is_whole(written) or "." in domain.strip("."):
            continue
        parent = host.name.partition(".")[2]
        good = f"*.{parent}" if "." in parent and read_name(parent).fault is None else "*.example.com"
        yield Finding(
            f"{quote(written)} stands for far more than your own domain",
            f"write a wildcard for your own domain, such as '{good}'",
            place,
        )


@host_rule(Severity.ERROR, cites="RFC 9525, section 6.3; RFC 5280, section 4.2.1.6")
def wildcard_does_not_cover_name(host: HostSpec) -> Iterator[Finding]:
    """The wildcard in subject does not stand for the host's own name.

    ## What it finds

    A wildcard of another domain, or of a domain further up: the star stands for exactly one part, so
    "*.example.com" covers "ipm1.example.com" and not "ipm1.print.example.com".

    ## Who is hurt

    Whoever reads the certificate to see which computer it is for, and every client that looks at the
    subject alone.

    ## Example

    ```toml
    [[hosts]]
    name = "ipm1.print.example.com"
    role = "server"
    subject = "*.example.com"
    ```

    ## Instead

    ```toml
    [[hosts]]
    name = "ipm1.print.example.com"
    role = "server"
    subject = "*.print.example.com"
    ```
    """
    written = host.declared.subject
    if written is None or not _is_whole(written) or not host.was_read("subject") or not host.was_read("name"):
        return
    domain, name = read_name(written.partition(".")[2]), read_name(host.declared.name)
    if domain.fault is not None or name.fault is not None or "." not in domain.ascii or "." not in name.ascii:
        return
    if not wildcard_covers(f"*.{domain.ascii}", name.ascii):
        parent = name.ascii.partition(".")[2]
        remedy = f"use '*.{parent}'" if "." in parent else "leave subject out, so that the name is used"
        yield Finding(
            f"{quote(written)} does not cover this host's name {quote(name.written)}:"
            " the star stands for one part of a name",
            remedy,
            host.place.at("subject"),
            (Related("the name is declared here", host.place.at("name")),),
        )


@host_rule(Severity.ERROR, cites=f"{VENDOR}: the Subject is the full computer name or a wildcard")
def subject_is_another_name(host: HostSpec) -> Iterator[Finding]:
    """The subject is neither the host's own name nor a wildcard.

    ## What it finds

    A subject without a star that differs from the name. Case makes no difference.

    ## Who is hurt

    Whoever looks for the computer behind a certificate: InfoPrint Manager expects its full computer name,
    or a wildcard, in the subject. Further names are aliases.

    ## Example

    ```toml
    [[hosts]]
    name = "ipm1.example.com"
    role = "server"
    subject = "print.example.com"
    ```

    ## Instead

    ```toml
    [[hosts]]
    name = "ipm1.example.com"
    role = "server"
    aliases = ["print.example.com"]
    ```
    """
    written = host.declared.subject
    if written is None or not host.was_read("subject") or not host.was_read("name"):
        return
    subject, name = read_name(written), read_name(host.declared.name)
    if subject.fault is not None or name.fault is NameFault.WILDCARD or subject.ascii == name.ascii:
        return
    yield Finding(
        f"the subject {quote(written)} is neither this host's name nor a wildcard",
        f'leave subject out, and add: aliases = ["{written[:80]}"]',
        host.place.at("subject"),
        (Related("the name is declared here", host.place.at("name")),),
    )
