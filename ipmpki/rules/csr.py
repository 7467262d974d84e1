"""What is found in requests that hosts made: mostly pages, whose problems are found where files are read."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ipmpki.diagnostics.problem import Severity
from ipmpki.diagnostics.wording import quote
from ipmpki.rules.registry import Finding, reported_elsewhere, state_rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ipmpki.declaration.fleet import Fleet
    from ipmpki.rules.context import Surroundings


@reported_elsewhere(Severity.INFO, cites="RFC 2986, section 3")
def request_awaited() -> None:
    """A host's request is not there yet, so it has no certificate.

    ## What it finds

    A file named by csr that does not exist.

    ## Who is hurt

    Nobody, unless the request is forgotten: the host waits for its certificate.

    ## Example

    It comes of csr = "csr/ipm1.csr" before the file has been brought from the host.

    ## Instead

    Run "ipmpki build", carry the folder to the host, run "sh install.sh --new-key" there (on Windows
    "install.cmd -NewKey"), and bring the request back, as README.txt in the folder says.
    """


@reported_elsewhere(Severity.ERROR, cites="RFC 2986, sections 3 and 4")
def request_unreadable() -> None:
    """A host's request cannot be certified.

    ## What it finds

    A file named by csr that is no certificate signing request, is damaged, holds a private key, or is not
    signed by its own key.

    ## Who is hurt

    The host: a certificate for a key that it may not have is of no use.

    ## Example

    It comes of copying the key instead of the request, or half of it.

    ## Instead

    Copy the request again, whole and as text, from its BEGIN to its END line.
    """


@reported_elsewhere(Severity.ERROR, cites="RFC 2986, section 3; NIST SP 800-57 Part 1 Rev. 5, section 5.2")
def request_repeated() -> None:
    """Two hosts have requests for the same key.

    ## What it finds

    Two files named by csr, or one file named twice, with the same public key.

    ## Who is hurt

    Both hosts: whoever takes the key from one can pose as the other.

    ## Example

    It comes of copying a request, or a key, from one host to another.

    ## Instead

    Make a key and a request on each host.
    """


@reported_elsewhere(Severity.ERROR, cites="NIST SP 800-57 Part 1 Rev. 5, sections 5.2 and 5.3")
def key_of_another() -> None:
    """A key that somebody else has is to be certified.

    ## What it finds

    A file named by csr that is for the key of an authority, for one that another host has or had, or for one
    that was revoked as compromised; and an authority in [ca] certificate with the key of a host.

    ## Who is hurt

    Everybody: whoever has the key poses as both of them. With an authority's key a host issues certificates.

    ## Example

    It comes of making a request with whatever key lay at hand, such as ca-key.pem, or with a key that was
    copied from another host's folder.

    ## Instead

    Make a key and a request on each host. A host goes on with its own key under another name where pki.toml
    says so, with formerly = "old.example.com".
    """


@reported_elsewhere(Severity.INFO, cites="RFC 2986, section 4.1: the authority decides what it certifies")
def request_asks_for_other_names() -> None:
    """A host's request asks for names that pki.toml does not declare.

    ## What it finds

    A common name or an alternative name in the request that is none of the host's.

    ## Who is hurt

    Whoever expects to reach the host by that name: the certificate has the names of pki.toml alone.

    ## Example

    It comes of a request that was made with another name, such as a short one.

    ## Instead

    Declare the name as an alias, if the host is called so.
    """


@state_rule(Severity.WARNING, cites="RFC 5280, section 5.3.1 (keyCompromise)")
def request_of_compromised_key(fleet: Fleet, surroundings: Surroundings) -> Iterator[Finding]:
    """A host's request is for a key that somebody else may have.

    ## What it finds

    A host with csr whose certificate was revoked for key-compromise, while the file still holds the request
    for the same key.

    ## Who is hurt

    Nobody yet: no certificate is made for that key again. But the host has none until it makes another key.

    ## Example

    It comes of "ipmpki revoke pki.toml ipm1.example.com --reason key-compromise" where the host has csr.

    ## Instead

    Make another key and request on the host, put the request in place of the old one, and build.
    """
    if surroundings.issued is None:
        return
    for host in fleet.hosts:
        current, spec = surroundings.issued.current.get(host.name), host.certificate
        if current is not None and spec is not None and host.was_read("csr") and current.is_compromised(spec):
            yield Finding(
                f"the request of {quote(host.name)} is for the key that was revoked as compromised",
                "make another key and request on the host, and put that request here",
                host.place.at("csr"),
            )
