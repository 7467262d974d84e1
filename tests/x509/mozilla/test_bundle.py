"""The bundle as a file, and what is said of it."""

from __future__ import annotations

import base64
import re
import ssl
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from ipmpki.x509.mozilla.bundle import Form, RootsSource, render_bundle
from ipmpki.x509.mozilla.criteria import Criteria, DistrustAfter, TrustLevel
from ipmpki.x509.mozilla.summary import account, authorities, nothing_kept, warnings
from tests.x509.mozilla.writing import EXCERPT, NOW, certificate, certificate_object, selected, trust_object

if TYPE_CHECKING:
    from pathlib import Path

    from ipmpki.x509.mozilla.selection import Selection

REAL = EXCERPT.read_text(encoding="utf-8")
SOURCE = RootsSource("certdata.txt", "ab" * 32, None)
USUAL = Criteria(NOW)
ONE = certificate_object(certificate()) + trust_object()


def rendered(selection: Selection, form: Form = Form.TEXT, source: RootsSource = SOURCE) -> str:
    return render_bundle(selection.kept, USUAL, form, source).decode()


def certificates_in(pem: str) -> list[bytes]:
    found = re.findall(r"-----BEGIN CERTIFICATE-----\n(.*?)-----END CERTIFICATE-----\n", pem, re.DOTALL)
    return [base64.b64decode(one) for one in found]


@pytest.mark.parametrize("form", Form)
def test_every_kept_root_is_in_the_bundle_and_nothing_else(form: Form) -> None:
    found = selected(REAL)
    assert certificates_in(rendered(found, form)) == [one.der for one in found.kept]


@pytest.mark.parametrize("form", Form)
def test_openssl_takes_every_certificate_of_it(form: Form, tmp_path: Path) -> None:
    (tmp_path / "ca-cert.pem").write_text(rendered(selected(REAL), form), encoding="utf-8")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(tmp_path / "ca-cert.pem")
    assert context.cert_store_stats()["x509_ca"] == len(selected(REAL).kept)


def test_pem_alone_is_nothing_else() -> None:
    lines = rendered(selected(REAL), Form.PEM).splitlines()
    assert all(
        re.fullmatch(r"-----(BEGIN|END) CERTIFICATE-----|[A-Za-z0-9+/=]{1,64}", line) for line in lines
    )


def test_the_text_says_what_each_is_trusted_for_and_until_when() -> None:
    text = rendered(selected(REAL))
    assert text.startswith("# 3 certificates of authorities, from Mozilla's list\n")
    assert f"# source:         certdata.txt, SHA-256 {'ab' * 32}\n" in text
    block = text.partition("# AffirmTrust Premium ECC\n")[2].partition("-----BEGIN")[0]
    assert block == (
        "# =======================\n"
        "# Subject:      CN=AffirmTrust Premium ECC,O=AffirmTrust,C=US\n"
        "# SHA-256:      BD:71:FD:F6:DA:97:E4:CF:62:D1:64:7A:DD:25:81:B0:7D:79:AD:F8:39:7E:B4:EC:"
        "BA:9C:5E:84:88:82:14:23\n"
        "# Valid from:   2010-01-29 14:20:24 UTC\n"
        "# Valid until:  2040-12-31 14:20:24 UTC\n"
        "# TRUSTED_DELEGATOR: SERVER_AUTH\n"
        "# MUST_VERIFY_TRUST: EMAIL_PROTECTION, CODE_SIGNING\n"
        "# SERVER_AUTH: only certificates issued until 2024-11-30 23:59:59 UTC are trusted\n"
    )


def test_the_day_of_judging_is_said_where_it_was_chosen() -> None:
    dated = rendered(selected(REAL), source=RootsSource("certdata.txt", "", NOW))
    assert "# judged as of:   2026-01-01 00:00:00 UTC\n" in dated
    assert "judged" not in rendered(selected(REAL))


def test_no_word_of_the_file_passes_for_pem_or_reaches_the_terminal_raw() -> None:
    label = "-----BEGIN CERTIFICATE-----\\n-----BEGIN CERTIFICATE-----\\x1b[2J"
    found = selected(certificate_object(certificate(), label=label) + trust_object())
    text = rendered(found)
    assert len(re.findall("^-----BEGIN", text, re.MULTILINE)) == 1
    assert "\x1b" not in text
    gone = selected(ONE.replace('UTF8 "Old Root"', f'UTF8 "{label}"'), datetime(2099, 1, 1, tzinfo=UTC))
    lines = list(account(gone, b"", with_left_out=True))
    assert all(line.isprintable() for line in lines)
    assert len(lines) == 2


def test_a_root_without_a_readable_subject_is_written_without() -> None:
    der = certificate(version=b"\xa0\x03\x02\x01\x09")
    found = selected(certificate_object(der) + trust_object())
    assert "Subject:" not in rendered(found)
    assert certificates_in(rendered(found)) == [der]


def test_the_account_says_what_was_left_out_and_why() -> None:
    assert list(account(selected(REAL), b"", with_left_out=True)) == [
        "left out 5: 2 expired; 2 not trusted for these purposes; 1 listed without a certificate",
        "  Atos TrustedRoot Root CA ECC G2 2020: not trusted for these purposes"
        " (trusted for EMAIL_PROTECTION)",
        "  Baltimore CyberTrust Root: expired (valid until 2025-05-12)",
        "  Symantec Class 1 Public Primary Certification Authority - G6: not trusted for these purposes"
        " (trusted for EMAIL_PROTECTION)",
        "  Explicitly Distrust DigiNotar Root CA: expired (valid until 2025-03-31)",
        "  MITM subCA 1 issued by Trustwave: listed without a certificate (distrusted)",
        "1 of the 3 kept vouches only for certificates issued until a day:",
        "  2024-11-30  SERVER_AUTH  AffirmTrust Premium ECC",
    ]
    assert list(account(selected(ONE), b"", with_left_out=True)) == []
    assert (authorities(1), authorities(2)) == ("1 authority", "2 authorities")


def test_the_account_says_what_changed_since_the_bundle_before() -> None:
    before = rendered(selected(ONE)).encode()
    first = next(account(selected(REAL), before, with_left_out=False))
    assert first == (
        "compared with the bundle before: 3 new (ISRG Root X2, AffirmTrust Premium ECC, "
        "NetLock Arany (Class Gold) Főtanúsítvány), 1 gone"
    )
    assert list(account(selected(ONE), before, with_left_out=False)) == []
    odd = b"-----BEGIN CERTIFICATE-----\nA\n-----END CERTIFICATE-----\n"
    assert list(account(selected(ONE), odd, with_left_out=False)) == []


def test_what_somebody_should_look_at_is_a_warning() -> None:
    assert list(warnings(selected(REAL), USUAL)) == []
    (levels,) = warnings(selected(REAL), Criteria(NOW, levels=frozenset(TrustLevel)))
    assert "NOT_TRUSTED, MUST_VERIFY_TRUST, TRUSTED" in levels
    (unknown,) = warnings(selected(certificate_object(certificate()) + trust_object(server="CKT_NEW")), USUAL)
    assert "SERVER_AUTH CKT_NEW" in unknown
    (damaged,) = warnings(selected(certificate_object(b"\0") + trust_object()), USUAL)
    assert "--left-out" in damaged


@pytest.mark.parametrize(
    ("text", "criteria", "said"),
    [
        (
            trust_object(kind="CKO_NETSCAPE_TRUST", server="CKT_NETSCAPE_TRUSTED_DELEGATOR"),
            USUAL,
            ("before 2012", "newer"),
        ),
        (trust_object(kind="CKO_X"), USUAL, ("no certificate", "fetch")),
        (trust_object(), USUAL, ("1 listed without a certificate", "--levels and --at,")),
        (
            trust_object(),
            Criteria(NOW, distrust_after=DistrustAfter.DROP),
            ("TRUSTED_DELEGATOR", "--at and --distrust-after"),
        ),
    ],
)
def test_nothing_left_says_why(text: str, criteria: Criteria, said: tuple[str, str]) -> None:
    fault, remedy = nothing_kept(selected(text), criteria)
    assert said[0] in fault
    assert said[1] in remedy
