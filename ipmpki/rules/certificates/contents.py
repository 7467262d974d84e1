"""Files as such: what could not be read, what holds nothing of use, and what nobody asked to compare."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ipmpki.diagnostics.problem import Severity
from ipmpki.rules.registry import VENDOR, Finding, also_of_presented, presented_rule
from ipmpki.x509.presented_certificates import FlawKind, RemarkKind

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ipmpki.x509.presented_certificates import Presented


def _flaws(presented: Presented, *kinds: FlawKind) -> Iterator[Finding]:
    for flaw in presented.flaws:
        if flaw.kind in kinds:
            yield Finding(flaw.message, flaw.remedy, flaw.place)


@presented_rule(Severity.ERROR, cites="RFC 7468; RFC 5280, section 4.1")
def certificate_unreadable(presented: Presented) -> Iterator[Finding]:
    """A certificate is cut off, damaged or malformed.

    ## What it finds

    A block that says it is a certificate, or a PKCS#7 message with certificates, and cannot be read.

    ## Who is hurt

    The server or client itself: it does not start, or cannot connect.

    ## Example

    It comes of copying by mouse: a line is missing.

    ## Instead

    Copy the file again, whole and as text. Where its octets are whole, have it made anew.
    """
    yield from _flaws(presented, FlawKind.CERTIFICATE)


@presented_rule(Severity.ERROR, cites="RFC 7468, section 3; OpenSSL, PEM_read_bio(3)")
def openssl_cannot_load(presented: Presented) -> Iterator[Finding]:
    """A file holds sound certificates or keys, in a form that OpenSSL does not load.

    ## What it finds

    PEM whose END and BEGIN stand on one line, that is indented, has blank lines, text beside BEGIN or END,
    or lines that end with a carriage return alone; PEM in UTF-16; base64 without BEGIN and END. Also DER,
    PKCS#7 or OpenSSL's TRUSTED form in a host's folder or in a file named ".pem".

    ## Who is hurt

    The server or client itself: it does not start, or cannot connect. ipmpki reads such files, but programs
    with OpenSSL do not.

    ## Example

    It comes of "cat leaf.pem issuer.pem" where the first file does not end with a line end, and of
    "type a.pem > b.pem" in PowerShell.

    ## Instead

    Write the file anew, such as with: openssl x509 -in FILE -out NEW_FILE
    """
    yield from _remarks(presented, RemarkKind.UNLOADABLE)


@presented_rule(Severity.INFO, cites="RFC 7468; RFC 2315; RFC 5280, section 4.1")
def unusual_form(presented: Presented) -> Iterator[Finding]:
    """A file was read, though not in the form in which servers and clients load it.

    ## What it finds

    DER, PKCS#7 and a byte-order mark, as they come by mail and from authorities that sell certificates. For
    "check", "import" and "adopt", which write anew what they publish, PEM that OpenSSL cannot load. Also
    a certificate with a field that RFC 5280 does not allow so, and that OpenSSL and GnuTLS read all the same.

    ## Who is hurt

    Whoever loads the file with a program that is stricter than OpenSSL.

    ## Example

    It comes of an authority whose name holds an "&" in a PrintableString, and of AD CS, which sends PKCS#7.

    ## Instead

    Convert the file before it is installed. Have a certificate with an odd field made anew in time.
    """
    yield from _remarks(presented, RemarkKind.FORM)
    yield from _remarks(presented, RemarkKind.FIELD)


def _remarks(presented: Presented, kind: RemarkKind) -> Iterator[Finding]:
    for remark in presented.remarks:
        if remark.kind is kind:
            yield Finding(remark.message, remark.remedy, remark.place)


@presented_rule(Severity.ERROR, cites="RFC 7468; RFC 5280, section 5.1")
def crl_unreadable(presented: Presented) -> Iterator[Finding]:
    """A CRL is cut off, damaged or malformed.

    ## What it finds

    A block that says it is a certificate revocation list and cannot be read.

    ## Who is hurt

    Whoever connects: a server that is told to use a CRL it cannot read does not start, or trusts nobody.

    ## Example

    It comes of a download that broke off.

    ## Instead

    Fetch the CRL again.
    """
    yield from _flaws(presented, FlawKind.REVOCATION_LIST)


@presented_rule(Severity.ERROR, cites="RFC 7468")
def nothing_to_verify(presented: Presented) -> Iterator[Finding]:
    """A file holds no certificate, key or CRL.

    ## What it finds

    An empty file, a text without a PEM block, or bytes that are in no form known here.

    ## Who is hurt

    The server or client that is told to use this file.

    ## Example

    It comes of a web page saved in place of the download behind it.

    ## Instead

    Copy the right file.
    """
    yield from _flaws(presented, FlawKind.NOTHING)


@presented_rule(Severity.ERROR, cites=f"{VENDOR}: Rename certdata.txt to ca-cert.pem")
def bundle_holds_no_certificate(presented: Presented) -> Iterator[Finding]:
    """The file of trusted authorities holds none.

    ## What it finds

    A file given by "--ca", or a folder's ca-cert.pem, without a certificate in it: most often Mozilla's raw
    certdata.txt, renamed as the vendor's page seems to say. Also one named by bundle in [ca] whose
    authorities are all past their end.

    ## Who is hurt

    Everybody: a program that trusts nobody refuses every connection.

    ## Example

    It comes of downloading certdata.txt and renaming it to ca-cert.pem.

    ## Instead

    Convert it with "ipmpki bundle certdata.txt -o ca-cert.pem".
    """
    yield from _flaws(presented, FlawKind.CERTDATA)
    yield from _flaws(presented, FlawKind.BUNDLE)


@presented_rule(Severity.ERROR, cites="RFC 8446, section 4.4.2")
def server_unreachable(presented: Presented) -> Iterator[Finding]:
    """A server could not be asked for its certificate.

    ## What it finds

    A HOST:PORT that cannot be looked up, does not answer in time, or does not speak TLS.

    ## Who is hurt

    Nobody is proven to be: the certificate could not be seen.

    ## Example

    It comes of a port without TLS, such as that of a gateway.

    ## Instead

    Check name and port, and whether the server runs; or verify its files where they lie.
    """
    yield from _flaws(presented, FlawKind.SERVER)


@also_of_presented("file-unreadable")
def _unreadable(presented: Presented) -> Iterator[Finding]:
    yield from _flaws(presented, FlawKind.FILE)


@presented_rule(Severity.INFO, cites="RFC 5280, section 6; RFC 9525, section 6")
def left_unchecked(presented: Presented) -> Iterator[Finding]:
    """Something was not compared, as nobody said with what.

    ## What it finds

    A certificate shown without "--name", so that its names were not compared with any; without "--ca", so
    that nobody knows whom it is to be trusted by; or without "--crl".

    ## Who is hurt

    Nobody; but "no problems" then says less than it seems to.

    ## Example

    It comes of running "ipmpki verify server-cert.pem" without more.

    ## Instead

    Say what the certificate is to be good for: "--role", "--name", "--ca", "--crl".
    """
    if presented.chains and presented.unchecked:
        parts = list(presented.unchecked)
        message = "not compared: " + "; ".join(parts)
        yield Finding(
            message, "give these, and the certificate is held against them", presented.chains[0].leaf.place
        )
