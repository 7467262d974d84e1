"""An authority that is confined to names: others accept what is inside, and refuse what is outside."""

from __future__ import annotations

import os
import subprocess
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address, ip_network
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from cryptography import x509

from ipmpki.declaration.fleet import AuthoritySpec, CertificateSpec, DistinguishedName
from ipmpki.declaration.key_types import KeyType
from ipmpki.declaration.name_scope import DECLARED, NameScope
from ipmpki.declaration.vocabulary import Profile
from ipmpki.x509 import keys
from ipmpki.x509.crl import make_crl
from ipmpki.x509.issuer import Issuer, issue, load_issuer, new_serial, objection, self_signed
from tests.tools import require

if TYPE_CHECKING:
    from collections.abc import Callable

NOW = datetime.now(UTC).replace(microsecond=0)
SPEC = AuthoritySpec(DistinguishedName("Acme Print CA"), KeyType.EC_P256, timedelta(days=3650))
LEAF = CertificateSpec(
    Profile.CLIENT,
    "desk1.example.com",
    ("desk1.example.com", "desk1"),
    (ip_address("10.1.2.3"), ip_address("fc00::5")),
    KeyType.EC_P256,
    timedelta(days=397),
)
DOMAINS = ("desk1", "example.com")
NETWORKS = (ip_network("10.0.0.0/8"), ip_network("fc00::/7"))
SCOPE = NameScope(DOMAINS, NETWORKS)
INSIDE = {
    "as declared": LEAF,
    "deeper": replace(LEAF, common_name="a.b.example.com", dns_names=("a.b.example.com",)),
    "a wildcard": replace(
        LEAF, common_name="*.example.com", dns_names=("desk1.example.com", "*.example.com")
    ),
}
OUTSIDE = {
    "another domain": replace(LEAF, common_name="desk1.example.org", dns_names=("desk1.example.org",)),
    "a domain that ends alike": replace(LEAF, common_name="x.myexample.com", dns_names=("x.myexample.com",)),
    "one alias": replace(LEAF, dns_names=(*LEAF.dns_names, "print.example.net")),
    "an IPv4 address": replace(LEAF, addresses=(ip_address("192.168.1.5"),)),
    "an IPv6 address": replace(LEAF, addresses=(ip_address("2001:db8::5"),)),
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The authority and its leaves, those outside signed by a key that does not look at what it signs."""
    folder = tmp_path_factory.mktemp("constrained")
    key = keys.generate(KeyType.EC_P256)
    pem = self_signed(SPEC, key, now=NOW, serial=new_serial(os.urandom), scope=SCOPE)
    free = self_signed(SPEC, key, now=NOW, serial=new_serial(os.urandom))
    (folder / "ca.pem").write_bytes(pem)
    (folder / "crl.pem").write_bytes(
        make_crl(load_issuer(free, key), (), number=1, now=NOW, next_update=NOW + timedelta(days=30))
    )
    for name, spec in {**INSIDE, **OUTSIDE}.items():
        leaf = issue(load_issuer(free, key), spec, key.public_key(), now=NOW, serial=new_serial(os.urandom))
        (folder / f"{name}.pem").write_bytes(leaf)
    return folder


def test_the_extension_is_critical_and_names_what_was_declared(folder: Path) -> None:
    certificate = x509.load_pem_x509_certificate((folder / "ca.pem").read_bytes())
    found = certificate.extensions.get_extension_for_class(x509.NameConstraints)
    assert found.critical
    assert [one.value for one in found.value.permitted_subtrees or ()] == [*DOMAINS, *NETWORKS]
    assert found.value.excluded_subtrees is None


def accepted_by_openssl(folder: Path, name: str) -> bool:
    options = ("-x509_strict", "-purpose", "sslclient", "-CAfile", "ca.pem")
    return _run("openssl", "verify", *options, f"{name}.pem", at=folder)


def accepted_by_gnutls(folder: Path, name: str) -> bool:
    options = ("--load-ca-certificate", "ca.pem", "--infile", f"{name}.pem")
    return _run("certtool", "--verify", *options, at=folder)


def accepted_by_nss(folder: Path, name: str) -> bool:
    if not (folder / "nss").exists():
        (folder / "nss").mkdir()
        assert _run("certutil", "-N", "-d", "sql:nss", "--empty-password", at=folder)
        assert _run(
            "certutil", "-A", "-d", "sql:nss", "-n", "ca", "-t", "CT,,", "-a", "-i", "ca.pem", at=folder
        )
    return _run("certutil", "-V", "-d", "sql:nss", "-n", f"{name}.pem", "-a", "-e", "-u", "C", at=folder)


@pytest.mark.parametrize("judge", [accepted_by_openssl, accepted_by_gnutls, accepted_by_nss])
def test_others_accept_what_is_inside_and_refuse_what_is_outside(
    folder: Path, judge: Callable[[Path, str], bool]
) -> None:
    assert {name: judge(folder, name) for name in INSIDE} == dict.fromkeys(INSIDE, True)
    assert {name: judge(folder, name) for name in OUTSIDE} == dict.fromkeys(OUTSIDE, False)


KINDS = {
    "IPv4 alone": ((ip_network("10.0.0.0/8"),), {"10.1.2.3"}),
    "IPv6 alone": ((ip_network("fc00::/7"),), {"fc00::5"}),
    "odd masks": ((ip_network("10.1.2.2/31"), ip_network("fc00::4/127")), {"10.1.2.3", "fc00::5"}),
    "none": ((), set()),
}


@pytest.mark.parametrize("judge", [accepted_by_openssl, accepted_by_gnutls, accepted_by_nss])
@pytest.mark.parametrize("kind", KINDS)
def test_networks_of_one_kind_permit_no_address_of_the_other(
    tmp_path: Path, judge: Callable[[Path, str], bool], kind: str
) -> None:
    networks, inside = KINDS[kind]
    key = keys.generate(KeyType.EC_P256)
    scope = NameScope(DOMAINS, networks)
    pem = self_signed(SPEC, key, now=NOW, serial=new_serial(os.urandom), scope=scope)
    (tmp_path / "ca.pem").write_bytes(pem)
    free = load_issuer(self_signed(SPEC, key, now=NOW, serial=new_serial(os.urandom)), key)
    accepted = set()
    for number, address in enumerate(("10.1.2.3", "fc00::5", "192.168.1.5", "2001:db8::5")):
        spec = replace(LEAF, addresses=(ip_address(address),))
        leaf = issue(free, spec, key.public_key(), now=NOW, serial=new_serial(os.urandom))
        (tmp_path / f"{number}.pem").write_bytes(leaf)
        if judge(tmp_path, str(number)):
            accepted.add(address)
    assert accepted == inside


def test_java_accepts_what_is_inside(folder: Path) -> None:
    """Java asks a trust anchor for its name and key alone (RFC 5280, 6.1.1 d), and so refuses nothing."""
    questions = folder / "questions"
    for name in INSIDE:
        (folder / name.replace(" ", "-")).write_bytes((folder / f"{name}.pem").read_bytes())
    names = [name.replace(" ", "-") for name in INSIDE]
    questions.write_text(
        "".join(f"client {folder}/{name} {folder}/ca.pem {folder}/crl.pem\n" for name in names)
    )
    program = Path(__file__).with_name("ValidateChains.java")
    command = [require("java"), "-XX:TieredStopAtLevel=1", str(program), str(questions)]
    answers = subprocess.run(
        command, capture_output=True, text=True, check=True, timeout=120
    ).stdout.splitlines()
    assert answers == ["accepted"] * len(INSIDE)


@pytest.mark.parametrize("name", INSIDE)
def test_ipmpki_signs_what_is_inside(folder: Path, name: str) -> None:
    issuer = _issuer(folder)
    assert objection(issuer, INSIDE[name]) is None
    assert SCOPE.outside(INSIDE[name].dns_names, INSIDE[name].addresses) == ()


@pytest.mark.parametrize("name", OUTSIDE)
def test_ipmpki_refuses_to_sign_what_is_outside(folder: Path, name: str) -> None:
    assert "name constraints" in (objection(_issuer(folder), OUTSIDE[name]) or "")
    assert SCOPE.outside(OUTSIDE[name].dns_names, OUTSIDE[name].addresses)


def test_an_empty_list_excludes_the_whole_kind() -> None:
    key = keys.generate(KeyType.EC_P256)
    none = NameScope(("example.com", "desk1"), ())
    pem = self_signed(SPEC, key, now=NOW, serial=1, scope=none)
    issuer = load_issuer(pem, key)
    assert objection(issuer, LEAF) is not None
    assert objection(issuer, replace(LEAF, addresses=())) is None


def test_declared_takes_the_domains_and_networks_of_the_hosts() -> None:
    order = replace(
        LEAF, dns_names=("a.print.example.com", "ipm1.example.com", "*.example.net", "example.org", "ipm1")
    )
    spec = replace(SPEC, permitted_domains=DECLARED, permitted_networks=DECLARED)
    assert spec.scope_for([order]) == NameScope(
        ("example.com", "example.net", "example.org", "ipm1"),
        (ip_network("10.1.2.0/24"), ip_network("fc00::/64")),
    )
    assert SPEC.scope_for([order]) is None


def _issuer(folder: Path) -> Issuer:
    """The confined authority; its key is not needed to ask what it may certify."""
    certificate = x509.load_pem_x509_certificate((folder / "ca.pem").read_bytes())
    return Issuer((certificate,), keys.generate(KeyType.EC_P256))


def _run(tool: str, *arguments: str, at: Path) -> bool:
    command = [require(tool), *arguments]
    return subprocess.run(command, cwd=at, capture_output=True, check=False, timeout=60).returncode == 0
