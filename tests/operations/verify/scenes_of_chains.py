"""Scenes of chains, CRLs, and files that hold nothing of use."""

from __future__ import annotations

from pathlib import Path

from cryptography import x509

from tests.operations.verify import mint
from tests.operations.verify.mint import CLIENT, DAY, SERVER, TODAY
from tests.operations.verify.scenes import GOOD, lay, put, scene


@scene
def chain_incomplete() -> str:
    lay(mint.server(mint.authority("Acme Server CA", 2, mint.authority())))
    return f"server.pem {GOOD}"


@scene
def chain_incomplete_elsewhere() -> str:
    middle = mint.authority("Acme Server CA", 2, mint.authority())
    lay(mint.server(middle))
    Path("crl.pem").write_bytes(mint.crl(mint.authority()) + mint.crl(middle))
    put("middle.pem", middle.pem)
    return f"server.pem middle.pem {GOOD}"


@scene
def authority_without_root() -> str:
    root = mint.authority()
    its_key = x509.AuthorityKeyIdentifier.from_issuer_public_key(root.private.public_key())
    issuing = mint.authority("Acme Issuing CA", 2, root, further=((its_key, False),))
    lay(mint.server(issuing))
    Path("ssl").mkdir()
    put("ssl/server-cert.pem", mint.server(issuing).pem)
    put("ssl/ca-cert.pem", issuing.pem)
    return "ssl --crl crl.pem --name ipm1.example.com"


@scene
def chain_incomplete_without_the_root() -> str:
    """Named with --ca, an issuing authority needs its root, as with openssl verify -CAfile."""
    root = mint.authority()
    its_key = x509.AuthorityKeyIdentifier.from_issuer_public_key(root.private.public_key())
    issuing = mint.authority("Acme Issuing CA", 2, root, further=((its_key, False),))
    lay(mint.server(issuing))
    put("issuing.pem", issuing.pem)
    return f"server.pem {GOOD.replace('ca.pem', 'issuing.pem')}"


@scene
def issuer_not_trusted() -> str:
    lay(mint.server(mint.authority("Other CA", 3)), mint.authority("Other CA", 3))
    return f"server.pem {GOOD}"


@scene
def issuer_not_trusted_self_signed() -> str:
    lay(mint.make(mint.Order()))
    return f"server.pem {GOOD}"


@scene
def signature_invalid() -> str:
    lay(mint.server(mint.authority(number=4)))
    return f"server.pem {GOOD}"


@scene
def chain_invalid() -> str:
    only = x509.NameConstraints([x509.DNSName("example.org")], None)
    middle = mint.authority("Acme Server CA", 2, mint.authority(), further=((only, True),))
    lay(mint.server(middle), middle)
    return f"server.pem {GOOD}"


@scene
def policies_unchecked() -> str:
    demands = x509.PolicyConstraints(require_explicit_policy=0, inhibit_policy_mapping=None)
    middle = mint.authority("Acme Server CA", 2, mint.authority(), further=((demands, True),))
    lay(mint.server(middle), middle)
    Path("crl.pem").write_bytes(mint.crl(mint.authority()) + mint.crl(middle))
    return f"server.pem {GOOD}"


@scene
def leaf_not_first() -> str:
    lay(mint.authority("Acme Server CA", 2, mint.authority()), mint.server())
    return f"server.pem {GOOD}"


@scene
def chain_out_of_order() -> str:
    middle = mint.authority("Acme Server CA", 2, mint.authority())
    lay(mint.server(middle), mint.authority("Unneeded CA", 3, mint.authority()), middle)
    Path("crl.pem").write_bytes(mint.crl(mint.authority()) + mint.crl(middle))
    return f"server.pem {GOOD}"


@scene
def root_in_chain() -> str:
    lay(mint.server(), mint.authority())
    return f"server.pem {GOOD}"


@scene
def certificate_revoked() -> str:
    revoked = mint.server()
    lay(revoked)
    Path("crl.pem").write_bytes(mint.crl(mint.authority(), revoked))
    return f"server.pem {GOOD}"


@scene
def crl_expired() -> str:
    lay(mint.server())
    Path("crl.pem").write_bytes(mint.crl(mint.authority(), end=TODAY - DAY / 2))
    return f"server.pem {GOOD}"


@scene
def revocation_unknown() -> str:
    lay(mint.server())
    Path("crl.pem").write_bytes(mint.crl(mint.authority("Other CA", 3)))
    return f"server.pem {GOOD}"


@scene
def revocation_unknown_too_early() -> str:
    lay(mint.server())
    Path("crl.pem").write_bytes(mint.crl(mint.authority(), begin=TODAY + DAY))
    return f"server.pem {GOOD}"


@scene
def certificate_unreadable() -> str:
    lay(mint.server())
    put("server.pem", mint.server().pem.replace(b"\nMII", b"\nMIA", 1))
    return f"server.pem {GOOD}"


@scene
def openssl_cannot_load() -> str:
    lay(mint.server())
    put("server.pem", mint.server().pem[:-1] + mint.authority().pem)
    put("own.pem", mint.server().der)
    return f"server.pem own.pem {GOOD}"


@scene
def unusual_form() -> str:
    lay(mint.server())
    put("server.cer", mint.server().der)
    return f"server.cer {GOOD}"


@scene
def superfluous_certificate_expired() -> str:
    root = mint.authority()
    old = mint.authority("Old Root", 3, kind="rsa-2048")  # its signatures have one length
    crossed = mint.authority("Issuing CA", 2, old, end=mint.TODAY - mint.DAY)
    issuing = mint.authority("Issuing CA", 2, root)
    lay(mint.server(issuing), crossed, issuing)
    return f"server.pem {GOOD}"


@scene
def crl_unreadable() -> str:
    lay(mint.server())
    put("crl.pem", mint.crl(mint.authority())[:-60])
    return f"server.pem {GOOD}"


@scene
def nothing_to_verify() -> str:
    put("server.pem", b"<!doctype html>\n")
    put("empty.pem", b"")
    put("request.pem", b"-----BEGIN CERTIFICATE REQUEST-----\nAA==\n-----END CERTIFICATE REQUEST-----\n")
    put("server.p12", b"\x30\x03\x02\x01\x03")
    Path("folder").mkdir()
    return "server.pem empty.pem request.pem server.p12 folder"


@scene
def bundle_holds_no_certificate() -> str:
    lay(mint.server())
    put("ca.pem", b"BEGINDATA\nCKA_CLASS CK_OBJECT_CLASS CKO_NSS_BUILTIN_ROOT_LIST\n")
    return "server.pem --ca ca.pem --crl crl.pem --name ipm1.example.com --role server"


@scene
def bundle_holds_no_certificate_but_a_key() -> str:
    lay(mint.server())
    put("ca.pem", mint.server().key_pem())
    put("empty.pem", b"")
    put("nolist.pem", mint.server().pem)
    return f"server.pem {GOOD} --ca empty.pem --crl nolist.pem"


@scene
def server_unreachable() -> str:
    return "name.invalid:6874"


@scene
def file_unreadable() -> str:
    Path("folder").mkdir()
    lay(mint.server())
    return "missing.pem server.pem --ca folder"


@scene
def left_unchecked() -> str:
    lay(mint.server(purposes=(SERVER, CLIENT)))
    return "server.pem"
