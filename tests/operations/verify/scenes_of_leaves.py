"""Scenes of single certificates and keys."""

from __future__ import annotations

from pathlib import Path

from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID

from tests.operations.verify import mint
from tests.operations.verify.mint import CLIENT, DAY, TODAY
from tests.operations.verify.scenes import GOOD, lay, put, scene


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
def authority_in_place_of_leaf_with_its_key() -> str:
    leaf = mint.make(
        mint.Order(subject="print server", names=(), usage=None, purposes=None, is_authority=True)
    )
    lay(leaf)
    put("key.pem", leaf.key_pem())
    return f"server.pem key.pem {GOOD}"


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
    lay(mint.server(begin=TODAY - 80 * DAY, end=TODAY + 10 * DAY))
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
def key_unsound() -> str:
    lay(mint.server(public=rsa.RSAPublicNumbers(65537, (2**1279 - 1) * (2**2203 - 1) * 5).public_key()))
    return f"server.pem {GOOD}"


@scene
def key_unsound_curve() -> str:
    curve = ec.derive_private_key(7, ec.SECP256K1()).public_key()
    lay(mint.client(public=curve), name="client.pem")
    return f"client.pem {GOOD.replace('ipm1', 'desk1').replace('server', 'client')}"


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
