"""What is issued is judged by the implementations that InfoPrint Manager's hosts may use, and by a linter.

Every verifier sees every leaf, for both purposes, with the CRL: it must accept what the profile grants,
refuse what it does not, and refuse what was revoked.
"""

from __future__ import annotations

import os
import subprocess
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from pkilint import loader, pkix  # type: ignore[import-untyped]
from pkilint.pkix import certificate as pkix_certificate  # type: ignore[import-untyped]
from pkilint.pkix import crl as pkix_crl
from pkilint.pkix import extension as pkix_extension
from pkilint.pkix import name as pkix_name
from pkilint.validation import ValidationFindingSeverity  # type: ignore[import-untyped]

from ipmpki.declaration.key_types import KeyType
from ipmpki.x509.certificate import read_certificate
from ipmpki.x509.crl import REASONS, RevokedEntry, make_crl
from ipmpki.x509.issuer import issue, new_serial
from ipmpki.x509.pkcs11 import TokenKey
from tests.tools import require
from tests.x509.matrix import COMBINATIONS, Combination

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from pkilint.validation import ValidationResult

    from tests.x509.conftest import Issuance, KeyRing

PURPOSES: Final = ("server", "client")
PURPOSE_OIDS: Final = {"server": "1.3.6.1.5.5.7.3.1", "client": "1.3.6.1.5.5.7.3.2"}
# One leaf of each kind under each authority is issued once more, and revoked: enough to see that CRLs count.
REVOKED: Final = tuple(
    combination for combination in COMBINATIONS if combination.leaf_key is KeyType.RSA_2048
)


@dataclass(frozen=True)
class Case:
    """A question to a verifier: is this leaf good for this purpose?"""

    combination: Combination
    purpose: str
    leaf: Path
    authority: Path
    crl: Path
    is_revoked: bool

    @property
    def should_be_accepted(self) -> bool:
        return self.purpose in self.combination.purposes and not self.is_revoked


@pytest.fixture(scope="module")
def cases(issuance: Issuance, leaf_keys: KeyRing, tmp_path_factory: pytest.TempPathFactory) -> list[Case]:
    """Every leaf, and some revoked ones, as files beside their authority and its CRL."""
    folder = tmp_path_factory.mktemp("chains")
    revoked = {
        combination: issue(
            issuance.issuers[combination.authority_key],
            combination.spec,
            leaf_keys[combination.leaf_key].public_key(),
            now=issuance.now,
            serial=new_serial(os.urandom),
        )
        for combination in REVOKED
    }
    for key_type, pem in issuance.authorities.items():
        revocations = [
            RevokedEntry(read_certificate(leaf).serial, issuance.now, "key-compromise")
            for combination, leaf in revoked.items()
            if combination.authority_key is key_type
        ]
        (folder / f"{key_type.value}.ca.pem").write_bytes(pem)
        (folder / f"{key_type.value}.crl.pem").write_bytes(_crl(issuance, key_type, revocations))
    leaves = [(combination, pem, False) for combination, pem in issuance.leaves.items()]
    leaves += [(combination, pem, True) for combination, pem in revoked.items()]
    found: list[Case] = []
    for combination, pem, is_revoked in leaves:
        leaf = folder / f"{combination.name}{'-revoked' if is_revoked else ''}.pem"
        leaf.write_bytes(pem)
        authority = folder / f"{combination.authority_key.value}.ca.pem"
        crl = folder / f"{combination.authority_key.value}.crl.pem"
        found += [Case(combination, purpose, leaf, authority, crl, is_revoked) for purpose in PURPOSES]
    return found


def test_openssl_judges_every_leaf_as_its_profile_says(cases: list[Case]) -> None:
    openssl = require("openssl")

    def accepts(case: Case) -> bool:
        options: list[str | Path] = [
            "-x509_strict",
            "-purpose",
            f"ssl{case.purpose}",
            "-CAfile",
            case.authority,
        ]
        return _succeeds(openssl, "verify", *options, "-crl_check", "-CRLfile", case.crl, case.leaf)

    _assert_all_judged_rightly((case, accepts(case)) for case in cases)


def test_openssl_refuses_a_revoked_leaf_because_of_the_crl_alone(cases: list[Case]) -> None:
    openssl = require("openssl")
    revoked = [case for case in cases if case.is_revoked and case.purpose in case.combination.purposes]
    assert revoked
    for case in revoked:
        options: list[str | Path] = [
            "-x509_strict",
            "-purpose",
            f"ssl{case.purpose}",
            "-CAfile",
            case.authority,
        ]
        assert _succeeds(openssl, "verify", *options, case.leaf)
        output = _output(openssl, "verify", *options, "-crl_check", "-CRLfile", case.crl, case.leaf)
        assert "certificate revoked" in output


def test_gnutls_judges_every_leaf_as_its_profile_says(cases: list[Case]) -> None:
    certtool = require("certtool")

    def accepts(case: Case) -> bool:
        options: list[str | Path] = [
            "--load-ca-certificate",
            case.authority,
            "--load-crl",
            case.crl,
            "--verify-profile",
            "medium",
        ]
        purpose = f"--verify-purpose={PURPOSE_OIDS[case.purpose]}"
        return _succeeds(certtool, "--verify", *options, purpose, "--infile", case.leaf)

    _assert_all_judged_rightly((case, accepts(case)) for case in cases)


def test_gnutls_finds_each_alternative_name_in_the_leaf(cases: list[Case]) -> None:
    certtool = require("certtool")
    case = next(case for case in cases if case.should_be_accepted and case.purpose == "server")
    options: list[str | Path] = ["--load-ca-certificate", case.authority, "--infile", case.leaf]
    spec = case.combination.spec
    covered_by_wildcard = "anything.server.example.com"
    for name in (spec.dns_names[0], "rsa-2048", covered_by_wildcard, *map(str, spec.addresses)):
        assert _succeeds(certtool, "--verify", *options, f"--verify-hostname={name}"), name
    for name in ("other.example.com", "10.1.2.4", "fc00::2"):
        assert not _succeeds(certtool, "--verify", *options, f"--verify-hostname={name}"), name


def test_nss_judges_every_leaf_as_its_profile_says(cases: list[Case], tmp_path: Path) -> None:
    certutil, crlutil = require("certutil"), require("crlutil")
    database = f"sql:{tmp_path}"
    _run(certutil, "-N", "-d", database, "--empty-password")
    for authority, crl in sorted({(case.authority, case.crl) for case in cases}):
        # T and C: trusted to issue for clients and for servers.
        _run(certutil, "-A", "-d", database, "-n", authority.stem, "-t", "CT,,", "-a", "-i", authority)
        der = tmp_path / crl.name
        der.write_bytes(x509.load_pem_x509_crl(crl.read_bytes()).public_bytes(serialization.Encoding.DER))
        _run(crlutil, "-I", "-d", database, "-i", der)

    def accepts(case: Case) -> bool:
        usage = {"server": "V", "client": "C"}[case.purpose]
        return _succeeds(certutil, "-V", "-d", database, "-n", case.leaf, "-a", "-e", "-u", usage)

    _assert_all_judged_rightly((case, accepts(case)) for case in cases)


def test_java_judges_every_leaf_as_its_profile_says(cases: list[Case], tmp_path: Path) -> None:
    java = require("java")
    questions = tmp_path / "questions"
    questions.write_text(
        "".join(f"{case.purpose} {case.leaf} {case.authority} {case.crl}\n" for case in cases)
    )
    program = Path(__file__).with_name("ValidateChains.java")
    # The JVM lives for seconds: the costly second compiler never pays for itself.
    output = _run(java, "-XX:TieredStopAtLevel=1", "-Xshare:auto", program, questions)
    answers = output.splitlines()
    assert len(answers) == len(cases)
    _assert_all_judged_rightly(
        (case, answer == "accepted") for case, answer in zip(cases, answers, strict=True)
    )
    for case, answer in zip(cases, answers, strict=True):
        if case.is_revoked:
            assert "revoked" in answer
        elif not case.should_be_accepted:
            # A client's leaf used as a server's falls at the first of two hurdles.
            assert "Extended key usage does not permit" in answer or "key encipherment" in answer


@pytest.mark.parametrize("key_type", KeyType)
def test_pkilint_has_no_error_to_report_of_an_authority(key_type: KeyType, issuance: Issuance) -> None:
    assert list(_serious(_lint_certificate(issuance.authorities[key_type]))) == []


@pytest.mark.parametrize("key_type", KeyType)
def test_pkilint_has_no_error_to_report_of_a_leaf_but_names_the_vendor_allows(
    key_type: KeyType, issuance: Issuance
) -> None:
    for combination, pem in issuance.leaves.items():
        if combination.authority_key is not key_type:
            continue
        spec = combination.spec
        # RFC 5280, section 4.2.1.6 wants preferred name syntax with at least two labels and knows no
        # wildcard. The vendor's page allows wildcards, print clients use single-label names: exempt, but only
        # these very names.
        exempt = {
            f'Invalid domain name syntax: "{name}"'
            for name in spec.dns_names
            if name.startswith("*.") or "." not in name
        }
        assert len(exempt) == 2
        found = set(_serious(_lint_certificate(pem)))
        assert found == {("pkix.invalid_domain_name_syntax", message) for message in exempt}


@pytest.mark.parametrize("key_type", KeyType)
def test_pkilint_has_no_error_to_report_of_a_crl(key_type: KeyType, issuance: Issuance) -> None:
    revocations = [
        RevokedEntry(serial, issuance.now, reason) for serial, reason in enumerate(sorted(REASONS), start=1)
    ]
    for listed in ([], revocations):
        assert list(_serious(_lint_crl(_crl(issuance, key_type, listed)))) == []


def test_pkilint_would_report_an_authority_and_a_crl_that_break_the_rules(issuance: Issuance) -> None:
    issuer = issuance.issuers[KeyType.EC_P256]
    assert not isinstance(issuer.key, TokenKey)
    bare = x509.CertificateBuilder(
        issuer_name=issuer.name,
        subject_name=issuer.name,
        public_key=issuer.key.public_key(),
        serial_number=1,
        not_valid_before=datetime(2026, 1, 1),  # noqa: DTZ001 - the builder keeps naive UTC inside
        not_valid_after=datetime(2027, 1, 1),  # noqa: DTZ001
        extensions=[x509.Extension(x509.BasicConstraints.oid, False, x509.BasicConstraints(True, None))],
    )
    authority = bare.sign(issuer.key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)
    assert {code for code, _ in _serious(_lint_certificate(authority))} == {
        "pkix.basic_constraints_extension_not_critical",
        "pkix.ca_certificate_no_ku_extension",
        "pkix.certificate_skid_ca_missing",
    }
    unnumbered = x509.CertificateRevocationListBuilder(
        issuer_name=issuer.name,
        last_update=datetime(2026, 1, 1),  # noqa: DTZ001
        next_update=datetime(2027, 1, 1),  # noqa: DTZ001
    )
    crl = unnumbered.sign(issuer.key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)
    assert {code for code, _ in _serious(_lint_crl(crl))} == {
        "pkix.authority_key_identifier_missing",
        "pkix.crl_number_missing",
    }


def _crl(issuance: Issuance, key_type: KeyType, revocations: list[RevokedEntry]) -> bytes:
    next_update = issuance.now + timedelta(days=30)
    issuer = issuance.issuers[key_type]
    return make_crl(issuer, revocations, number=1, now=issuance.now, next_update=next_update)


def _assert_all_judged_rightly(judged: Iterable[tuple[Case, bool]]) -> None:
    verdicts = list(judged)
    wrong = [
        f"{case.leaf.name} as {case.purpose}: {'accepted' if accepted else 'refused'}"
        for case, accepted in verdicts
        if accepted != case.should_be_accepted
    ]
    assert wrong == []
    assert len(verdicts) == len(PURPOSES) * (len(COMBINATIONS) + len(REVOKED))


def _succeeds(*command: str | Path) -> bool:
    return _start(*command).returncode == 0


def _output(*command: str | Path) -> str:
    process = _start(*command)
    return process.stdout + process.stderr


def _run(*command: str | Path) -> str:
    process = _start(*command)
    assert process.returncode == 0, process.stderr
    return process.stdout


def _start(*command: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)


_DECODE_CERTIFICATE: Final = pkix_certificate.create_decoding_validators(
    pkix_name.ATTRIBUTE_TYPE_MAPPINGS, pkix_extension.EXTENSION_MAPPINGS
)
# The same linters that the commands lint_pkix_cert and lint_crl put together.
_CERTIFICATE_LINTER: Final = pkix_certificate.create_pkix_certificate_validator_container(
    _DECODE_CERTIFICATE,
    [
        pkix_certificate.create_issuer_validator_container([]),
        pkix_certificate.create_validity_validator_container(),
        pkix_certificate.create_subject_validator_container([]),
        pkix_certificate.create_extensions_validator_container([]),
        pkix_certificate.create_spki_validator_container([]),
    ],
)
_CRL_LINTER: Final = pkix_crl.create_pkix_crl_validator_container(
    [
        pkix.create_attribute_decoder(pkix_name.ATTRIBUTE_TYPE_MAPPINGS),
        pkix.create_extension_decoder(pkix_extension.EXTENSION_MAPPINGS),
    ],
    [
        pkix_crl.create_issuer_validator_container([]),
        pkix_crl.create_validity_validator_container([]),
        pkix_crl.create_extensions_validator_container([]),
    ],
)


def _lint_certificate(pem: bytes) -> list[ValidationResult]:
    document = loader.load_pem_certificate(pem.decode("ascii"), "certificate")
    results: list[ValidationResult] = _CERTIFICATE_LINTER.validate(document.root)
    return results


def _lint_crl(pem: bytes) -> list[ValidationResult]:
    document = loader.RFC5280CertificateListDocumentLoader().load_pem_document(pem.decode("ascii"), "crl")
    results: list[ValidationResult] = _CRL_LINTER.validate(document.root)
    return results


def _serious(results: Iterable[ValidationResult]) -> Iterator[tuple[str, str | None]]:
    """Code and message of each finding of severity error or above."""
    for result in results:
        for description in result.finding_descriptions:
            if description.finding.severity <= ValidationFindingSeverity.ERROR:
                yield description.finding.code, description.message
