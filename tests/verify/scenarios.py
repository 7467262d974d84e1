"""One scene for each rule about what is shown to ``ipmpki verify``: files with one mistake, and a command.

A scene's name is its rule's, with a variant behind it where there are several.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID

from tests.verify import mint
from tests.verify.mint import CLIENT, DAY, SERVER, TODAY

if TYPE_CHECKING:
    from collections.abc import Callable

SCENES: dict[str, Callable[[], str]] = {}
GOOD = "--ca ca.pem --crl crl.pem --name ipm1.example.com --role server"


def scene(function: Callable[[], str]) -> Callable[[], str]:
    """Register a scene: it writes files here and returns the command's arguments."""
    SCENES[function.__name__.replace("_", "-")] = function
    return function


def lay(leaf: mint.Made, *chain: mint.Made, name: str = "server.pem") -> None:
    """Write a certificate with its chain, the authority, and an empty CRL of it."""
    Path(name).write_bytes(leaf.pem + b"".join(one.pem for one in chain))
    Path("ca.pem").write_bytes(mint.authority().pem)
    Path("crl.pem").write_bytes(mint.crl(mint.authority()))


def put(name: str, content: bytes, mode: int = 0o600) -> None:
    """Write a file."""
    Path(name).write_bytes(content)
    Path(name).chmod(mode)


@scene
def purpose_missing() -> str:
    lay(mint.server())
    return f"server.pem {GOOD} --mutual-auth required"


@scene
def purpose_missing_client() -> str:
    lay(mint.server(purposes=(CLIENT,)))
    return f"server.pem {GOOD}"


@scene
def purpose_missing_none() -> str:
    lay(mint.server(purposes=None))
    return "server.pem --ca ca.pem --crl crl.pem --name ipm1.example.com"


@scene
def purpose_missing_both() -> str:
    lay(mint.server(purposes=(ExtendedKeyUsageOID.CODE_SIGNING,)))
    return "server.pem --ca ca.pem --crl crl.pem --name ipm1.example.com"


@scene
def purpose_missing_authority() -> str:
    confined = mint.authority("Client CA", 2, mint.authority(), purposes=(CLIENT,))
    lay(mint.server(confined), confined)
    Path("crl.pem").write_bytes(mint.crl(mint.authority()) + mint.crl(confined))
    return f"server.pem {GOOD}"


@scene
def key_usage_wrong() -> str:
    lay(mint.server(usage=("key_encipherment",)))
    return f"server.pem {GOOD}"


@scene
def key_usage_wrong_none() -> str:
    lay(mint.server(usage=None))
    return f"server.pem {GOOD}"


@scene
def key_usage_wrong_signs() -> str:
    lay(mint.server(usage=(*mint.SERVERS_USAGE, "key_cert_sign")))
    return f"server.pem {GOOD}"


@scene
def authority_in_place_of_leaf() -> str:
    lay(mint.authority())
    return "server.pem --role server --ca ca.pem"


@scene
def alternative_names_missing() -> str:
    lay(mint.server(names=()))
    return "server.pem --ca ca.pem --crl crl.pem --role server"


@scene
def name_not_covered() -> str:
    lay(mint.server(names=("ipm1.example.com", "*.print.example.com"), addresses=("10.1.2.3",)))
    return f"server.pem {GOOD} --name a.b.print.example.com --name x.print.example.com --name 10.1.2.4"


@scene
def subject_not_a_name() -> str:
    lay(mint.server(subject="Print server, 2nd floor"))
    return f"server.pem {GOOD}"


@scene
def subject_not_a_name_none() -> str:
    lay(mint.server(subject=None))
    return f"server.pem {GOOD}"


@scene
def subject_not_a_name_address() -> str:
    lay(mint.server(subject="10.1.2.3"))
    return f"server.pem {GOOD}"


@scene
def subject_not_an_alternative_name() -> str:
    lay(mint.server(subject="ipm2.example.com"))
    return f"server.pem {GOOD}"


@scene
def partial_wildcard() -> str:
    lay(mint.server(subject="ipm*.example.com", names=("ipm*.example.com", "ipm1.example.com")))
    return f"server.pem {GOOD}"


@scene
def wildcard_too_broad() -> str:
    lay(mint.server(names=("*.com", "ipm1.example.com")))
    return f"server.pem {GOOD}"


@scene
def certificate_not_yet_valid() -> str:
    lay(mint.server(begin=TODAY + DAY))
    return f"server.pem {GOOD}"


@scene
def certificate_expired() -> str:
    lay(mint.server(end=TODAY - DAY / 2))
    return f"server.pem {GOOD}"


@scene
def certificate_expired_authority() -> str:
    lay(mint.server(end=TODAY + 4000 * DAY))
    return f"server.pem {GOOD} --at 2036-12-01"


@scene
def certificate_expiring() -> str:
    lay(mint.server(end=TODAY + 10 * DAY))
    return f"server.pem {GOOD}"


@scene
def lifetime_over_825_days() -> str:
    lay(mint.server(end=TODAY + 900 * DAY))
    return f"server.pem {GOOD}"


@scene
def weak_signature() -> str:
    # No library signs with SHA-1 any more: 1.2.840.113549.1.1.11 becomes 1.2.840.113549.1.1.5 (RFC 8017, C).
    leaf = mint.server(mint.authority("Old CA", 5, kind="rsa-2048"))
    oid = bytes.fromhex("2a864886f70d0101")
    put("server.der", leaf.der.replace(oid + b"\x0b", oid + b"\x05"))
    put("crl.pem", mint.crl(mint.authority()))
    return "server.der --name ipm1.example.com --role server --crl crl.pem"


@scene
def key_too_weak() -> str:
    lay(mint.server(kind="rsa-1024"))
    return f"server.pem {GOOD}"


@scene
def server_key_cannot_encipher() -> str:
    lay(mint.server(kind="ec", usage=("digital_signature",)))
    return f"server.pem {GOOD}"


@scene
def key_mismatch() -> str:
    lay(mint.server())
    put("key.pem", mint.client().key_pem())
    return f"server.pem key.pem {GOOD}"


@scene
def key_encrypted() -> str:
    lay(mint.server())
    put("key.pem", mint.server().key_pem(b"secret"))
    return f"server.pem key.pem {GOOD}"


@scene
def key_unreadable() -> str:
    lay(mint.server())
    put("key.pem", mint.server().key_pem()[:-200])
    return f"server.pem key.pem {GOOD}"


@scene
def private_key_readable() -> str:
    lay(mint.server())
    put("key.pem", mint.server().key_pem(), 0o644)
    return f"server.pem key.pem {GOOD}"


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
