"""``ipmpki verify`` on NIST's PKITS: 246 cases, held against the suite and against ``openssl verify``.

Where the outcome is not the suite's, the case stands in a table below with the reason; a case that ceases to
differ must leave the table.
"""

from __future__ import annotations

import subprocess
from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from ipmpki.operations.verify.verify import Question, verify
from tests.operations.verify import pkits
from tests.tools import require

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.exhaustive

AT = datetime(2024, 1, 1, tzinfo=UTC)
"""The suite's certificates are valid from 2010 to 2030."""

PATH_RULES = {
    "certificate-expired",
    "certificate-not-yet-valid",
    "certificate-revoked",
    "certificate-unreadable",
    "chain-incomplete",
    "chain-invalid",
    "crl-expired",
    "crl-unreadable",
    "issuer-not-trusted",
    "nothing-to-verify",
    "revocation-unknown",
    "signature-invalid",
}
"""The rules about trust, time and revocation. The suite's certificates are for no TLS server: they break
most of the others."""

INHERITED = "DSA parameters inherited from the issuer: neither cryptography nor OpenSSL reads such a key"
INDIRECT = "an indirect CRL: OpenSSL seeks a store's CRLs under the name of the certificate's own issuer"
COVERS_ITS_SIGNER = "an indirect CRL that covers its own signer's certificate: openssl verify refuses it, too"

REFUSED_THOUGH_VALID = {
    "4.1.5 valid_dsa_parameter_inheritance_test5": INHERITED,
    "4.14.24 valid_idp_with_indirectcrl_test24": INDIRECT,
    "4.14.25 valid_idp_with_indirectcrl_test25": INDIRECT,
    "4.14.28 valid_crlissuer_test28": INDIRECT,
    "4.14.29 valid_crlissuer_test29": INDIRECT,
    "4.14.30 valid_crlissuer_test30": COVERS_ITS_SIGNER,
    "4.14.33 valid_crlissuer_test33": INDIRECT,
}
"""On the safe side: what the suite accepts and ``ipmpki verify`` does not."""

POLICIES = ("4.8.", "4.9.", "4.10.", "4.11.", "4.12.")
"""The sections about certificate policies. TLS does not process them, so neither does ``ipmpki verify``; but
where an authority demands it, there is a warning, and nothing passes in silence."""

ACCEPTED_THOUGH_INVALID = 44
"""How many cases of these sections are refused for their policies alone."""

SILENT = {
    "4.8.1 all_certs_same_policy_test1_with_constraint_mismatch",
    "4.8.2 all_certificates_no_policies_test2_force_explicit",
    "4.8.3 different_policies_test3_force_explicit",
    "4.8.3 different_policies_test3_force_explicit_with_user_set",
}
"""Refused on account of an input that only the relying party can give (RFC 5280, section 6.1.1 (c), (e))."""

OPENSSL_ACCEPTS = {title for title, reason in REFUSED_THOUGH_VALID.items() if reason == INDIRECT}
"""``openssl verify`` keeps the CRLs of -CRLfile beside its store, and looks through all of them."""


@dataclass(frozen=True)
class Outcome:
    """What ``ipmpki verify`` found by the rules about paths, and whether it warned of policies."""

    rules: frozenset[str]
    warns_of_policies: bool

    @property
    def is_accepted(self) -> bool:
        return not self.rules


def ours(folder: Path) -> Outcome:
    found = verify(
        Question(
            [str(folder / "chain.pem")],
            AT,
            anchors=[str(folder / "root.pem")],
            revocation_lists=[str(folder / "lists.pem")],
        )
    )
    rules = {one.problem.rule for one in found.problems}
    assert "internal-error" not in rules
    return Outcome(frozenset(rules & PATH_RULES), "policies-unchecked" in rules)


def openssls(folder: Path) -> bool:
    further: list[str | Path] = (
        ["-untrusted", folder / "further.pem"] if (folder / "further.pem").stat().st_size else []
    )
    command: list[str | Path] = [
        require("openssl"),
        *("verify", "-CAfile", folder / "root.pem", "-CRLfile", folder / "lists.pem", *further),
        *(
            "-crl_check",
            "-crl_check_all",
            "-extended_crl",
            "-use_deltas",
            "-attime",
            str(int(AT.timestamp())),
        ),
        folder / "leaf.pem",
    ]
    return subprocess.run(command, capture_output=True, check=False).returncode == 0


@pytest.fixture(scope="module")
def suite(tmp_path_factory: pytest.TempPathFactory) -> list[tuple[pkits.Case, Outcome, bool]]:
    """Every case with our outcome and OpenSSL's."""
    found = []
    for case in pkits.cases():
        folder = tmp_path_factory.mktemp("case")
        pkits.write(case, folder)
        found.append((case, ours(folder), openssls(folder)))
    return found


Suite = list[tuple[pkits.Case, Outcome, bool]]


def test_the_suite_is_whole(suite: Suite) -> None:
    assert len(suite) == 246
    assert len({case.title for case, _, _ in suite}) == 246


def test_it_agrees_with_the_suite_save_for_what_is_listed(suite: Suite) -> None:
    refused = {case.title for case, outcome, _ in suite if case.is_valid and not outcome.is_accepted}
    accepted = {case.title for case, outcome, _ in suite if not case.is_valid and outcome.is_accepted}
    assert refused == set(REFUSED_THOUGH_VALID)
    assert all(title.startswith(POLICIES) for title in accepted)
    assert len(accepted) == ACCEPTED_THOUGH_INVALID


def test_no_chain_that_breaks_a_policy_passes_in_silence(suite: Suite) -> None:
    silent = {
        case.title
        for case, outcome, _ in suite
        if not case.is_valid and outcome.is_accepted and not outcome.warns_of_policies
    }
    assert silent == SILENT
    assert all(case.has_parameters for case, _, _ in suite if case.title in silent)


def test_only_chains_with_policies_are_warned_of(suite: Suite) -> None:
    warned = {case.title for case, outcome, _ in suite if outcome.warns_of_policies}
    assert all(title.startswith(POLICIES) for title in warned)


def test_it_agrees_with_openssl_save_for_what_is_listed(suite: Suite) -> None:
    differing = {case.title for case, outcome, openssl in suite if outcome.is_accepted != openssl}
    assert differing == OPENSSL_ACCEPTS


@pytest.mark.parametrize(
    ("section", "rules"),
    [
        ("4.1.2 ", {"signature-invalid"}),
        ("4.1.3 ", {"signature-invalid"}),
        ("4.2.1 ", {"certificate-not-yet-valid"}),
        ("4.2.2 ", {"certificate-not-yet-valid"}),
        ("4.2.5 ", {"certificate-expired"}),
        ("4.2.6 ", {"certificate-expired"}),
        ("4.3.1 ", {"chain-incomplete"}),
        ("4.4.1 ", {"revocation-unknown"}),
        ("4.4.2 ", {"certificate-revoked"}),
        ("4.4.3 ", {"certificate-revoked"}),
        ("4.4.4 ", {"revocation-unknown"}),
        ("4.4.11 ", {"crl-expired"}),
        ("4.6.2 ", {"chain-invalid"}),
        ("4.7.1 ", {"chain-invalid"}),
        ("4.13.2 ", {"chain-invalid"}),
        ("4.16.2 ", {"chain-invalid"}),
    ],
)
def test_a_refusal_names_its_reason(suite: Suite, section: str, rules: set[str]) -> None:
    (outcome,) = [outcome for case, outcome, _ in suite if case.title.startswith(section)]
    assert outcome.rules == rules


def test_every_reason_occurs(suite: Suite) -> None:
    occurring = Counter(rule for _, outcome, _ in suite for rule in outcome.rules)
    assert PATH_RULES - set(occurring) == {
        "certificate-unreadable",
        "crl-unreadable",
        "issuer-not-trusted",
        "nothing-to-verify",
    }
