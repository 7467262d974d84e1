"""Which roots are kept, and why the others are not."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from ipmpki.diagnostics.fault import WrongUse
from ipmpki.x509.mozilla.criteria import (
    DistrustAfter,
    Purpose,
    TrustLevel,
    in_order,
    read_levels,
    read_purposes,
)
from ipmpki.x509.mozilla.flaws import Damaged
from tests.x509.mozilla.writing import (
    EXCERPT,
    NOW,
    certificate,
    certificate_object,
    octal,
    reasons,
    roots_of,
    selected,
    trust_object,
)

REAL = EXCERPT.read_text(encoding="utf-8")
ROOT = certificate_object(certificate())
EARLIER = datetime(2025, 1, 1, tzinfo=UTC)
LIMITED = "AffirmTrust Premium ECC"
LAST_DAY = datetime(2024, 11, 30, 23, 59, 59, tzinfo=UTC)


def test_of_real_roots_those_trusted_for_servers_are_kept() -> None:
    found = selected(REAL)
    assert [one.label for one in found.kept] == [
        "ISRG Root X2",
        LIMITED,
        "NetLock Arany (Class Gold) Főtanúsítvány",
    ]
    assert reasons(found) == {
        "Atos TrustedRoot Root CA ECC G2 2020": "other-purposes",
        "Baltimore CyberTrust Root": "expired",
        "Symantec Class 1 Public Primary Certification Authority - G6": "other-purposes",
        "Explicitly Distrust DigiNotar Root CA": "expired",
        "MITM subCA 1 issued by Trustwave": "no-certificate",
    }
    root = found.kept[0]
    assert root.anchor.subject == "CN=ISRG Root X2,O=Internet Security Research Group,C=US"
    assert root.anchor.fingerprint == "69729b8e15a86efc177a57afb7171dfc64add28c2fca8cf1507e34453ccb1470"
    assert root.levels[Purpose.SERVER_AUTH] is TrustLevel.TRUSTED_DELEGATOR
    assert found.unknown == ()


def test_another_day_finds_others_valid_and_what_is_distrusted() -> None:
    found = selected(REAL, EARLIER)
    assert "Baltimore CyberTrust Root" in [one.label for one in found.kept]
    assert reasons(found)["Explicitly Distrust DigiNotar Root CA"] == "distrusted"


def test_a_root_is_valid_to_its_last_second() -> None:
    last = datetime(2025, 5, 12, 23, 59, tzinfo=UTC)
    assert "Baltimore CyberTrust Root" not in reasons(selected(REAL, last))
    assert reasons(selected(REAL, last + timedelta(seconds=1)))["Baltimore CyberTrust Root"] == "expired"


def test_the_certificate_says_when_it_expires_not_the_comment_above_it() -> None:
    lying = REAL.replace(
        "# Not Valid After : Mon Sep 17 16:00:00 2040", "# Not Valid After : Mon Sep 17 2001"
    )
    assert lying != REAL
    assert selected(lying) == selected(REAL)


def test_a_root_whose_later_certificates_are_distrusted_is_kept_with_its_last_day() -> None:
    (root,) = [one for one in selected(REAL).kept if one.label == LIMITED]
    assert root.limits == {Purpose.SERVER_AUTH: LAST_DAY}


def test_it_is_dropped_from_that_second_on_where_this_is_asked() -> None:
    def dropped(at: datetime) -> bool:
        found = reasons(selected(REAL, at, distrust_after=DistrustAfter.DROP))
        return found.get(LIMITED) == "distrust-date-passed"

    assert dropped(NOW)
    assert dropped(LAST_DAY)
    assert not dropped(LAST_DAY - timedelta(seconds=1))


def test_a_limit_counts_for_its_own_purpose_only() -> None:
    email = selected(REAL, purposes=frozenset({Purpose.EMAIL_PROTECTION}))
    limits = {one.label: one.limits for one in email.kept if one.limits}
    assert limits == {
        "Symantec Class 1 Public Primary Certification Authority - G6": {
            Purpose.EMAIL_PROTECTION: datetime(2022, 8, 31, tzinfo=UTC)
        }
    }


def test_levels_can_be_chosen() -> None:
    found = selected(REAL, EARLIER, levels=frozenset({TrustLevel.NOT_TRUSTED}))
    assert [one.label for one in found.kept] == ["Explicitly Distrust DigiNotar Root CA"]


@pytest.mark.parametrize("serial", [b"\x00", b"\xff", b"\x80\x01", b"\x00\x00\x05", b"\x7f" * 30])
def test_odd_serial_numbers_of_old_roots_are_read(serial: bytes) -> None:
    text = certificate_object(certificate(serial=serial), serial=serial) + trust_object(serial=serial)
    assert len(selected(text).kept) == 1


def test_trust_is_matched_by_issuer_and_serial_number_wherever_it_stands() -> None:
    other = certificate_object(certificate("Other"), label="Other", name="Other")
    text = trust_object() + ROOT + other + trust_object(name="Other", serial=b"\x02")
    found = selected(text)
    assert [one.label for one in found.kept] == ["Old Root"]
    assert reasons(found) == {"Other": "no-trust", "Old Root": "no-certificate"}


def test_trust_with_the_digest_of_another_certificate_is_not_for_this_one() -> None:
    odd = trust_object(more=octal("CKA_CERT_SHA1_HASH", b"\0" * 20))
    assert [one.reason.value for one in selected(ROOT + odd).left_out] == ["no-trust", "no-certificate"]


def test_the_introductions_name_for_trust_is_taken_too() -> None:
    assert len(selected(ROOT + trust_object(kind="CKO_TRUST")).kept) == 1


def test_distrust_outweighs_trust() -> None:
    for pair in (("NOT_TRUSTED", "TRUSTED_DELEGATOR"), ("TRUSTED_DELEGATOR", "NOT_TRUSTED")):
        text = ROOT + "".join(trust_object(server=f"CKT_NSS_{level}") for level in pair)
        assert reasons(selected(text)) == {"Old Root": "distrusted"}


def test_a_label_that_says_distrust_is_heeded() -> None:
    text = certificate_object(certificate(), label="Explicitly Distrusted Root") + trust_object()
    assert reasons(selected(text)) == {"Explicitly Distrusted Root": "contradictory"}


def test_a_certificate_is_kept_once() -> None:
    found = selected(ROOT + trust_object() + ROOT + trust_object())
    assert len(found.kept) == 1
    assert reasons(found) == {"Old Root": "repeated"}


def test_a_damaged_certificate_is_left_out_and_hides_no_other() -> None:
    cut = certificate_object(certificate()[:-1], serial=b"\x02")
    found = selected(cut + trust_object(serial=b"\x02") + ROOT + trust_object())
    assert len(found.kept) == 1
    assert reasons(found) == {"Old Root": "unreadable"}


def test_a_certificate_under_anothers_serial_number_is_left_out() -> None:
    text = certificate_object(certificate(), serial=b"\x02") + trust_object(serial=b"\x02")
    assert reasons(selected(text)) == {"Old Root": "mislabelled"}


@pytest.mark.parametrize("server", ["CKT_NSS_VERY_MUCH", "CKT_OTHER_TRUSTED_DELEGATOR"])
def test_levels_unknown_here_are_told_and_trusted_for_nothing(server: str) -> None:
    found = selected(ROOT + trust_object(server=server))
    assert found.unknown == (f"SERVER_AUTH {server}",)
    assert reasons(found) == {"Old Root": "no-trust"}


def test_a_root_trusted_for_nothing_is_left_out() -> None:
    found = selected(ROOT + trust_object(server="CKT_NSS_MUST_VERIFY_TRUST"))
    assert [one.detail for one in found.left_out] == ["trusted for nothing"]


def test_files_from_before_2012_are_told() -> None:
    ancient = ROOT + trust_object(kind="CKO_NETSCAPE_TRUST", server="CKT_NETSCAPE_TRUSTED_DELEGATOR")
    assert selected(ancient).is_ancient
    assert not selected(REAL).is_ancient


def test_dates_are_read() -> None:
    date = octal("CKA_NSS_SERVER_DISTRUST_AFTER", b"200617000000Z")
    (root,) = roots_of(certificate_object(certificate(), more=date) + trust_object()).roots
    assert root.server_distrust_after == datetime(2020, 6, 17, tzinfo=UTC)
    assert root.email_distrust_after is None


@pytest.mark.parametrize(
    ("text", "missing"),
    [
        (ROOT.replace("CKA_VALUE", "CKA_OTHER"), "has no CKA_VALUE"),
        (ROOT.replace("CKA_ISSUER", "CKA_OTHER"), "has no CKA_ISSUER"),
        (ROOT.replace("CKA_SERIAL_NUMBER", "CKA_OTHER"), "has no CKA_SERIAL_NUMBER"),
        (
            certificate_object(certificate(), more=octal("CKA_NSS_SERVER_DISTRUST_AFTER", b"201317000000Z")),
            "neither a time nor CK_FALSE",
        ),
        (
            certificate_object(certificate(), more="CKA_NSS_SERVER_DISTRUST_AFTER CK_BBOOL CK_TRUE\n"),
            "neither a time nor CK_FALSE",
        ),
    ],
)
def test_an_object_without_what_it_must_have_is_named(text: str, missing: str) -> None:
    with pytest.raises(Damaged, match=missing):
        roots_of(text + trust_object())


def test_names_of_purposes_and_levels_are_read_as_the_script_reads_them() -> None:
    assert read_purposes("server_auth, CLIENT_AUTH") == {Purpose.SERVER_AUTH, Purpose.CLIENT_AUTH}
    assert read_purposes("all") == set(Purpose)
    assert read_levels("trusted_delegator,TRUSTED") == {TrustLevel.TRUSTED_DELEGATOR, TrustLevel.TRUSTED}
    assert (
        in_order(frozenset({TrustLevel.TRUSTED, TrustLevel.TRUSTED_DELEGATOR}))
        == "TRUSTED_DELEGATOR, TRUSTED"
    )


@pytest.mark.parametrize(
    ("written", "hint"), [("SERVERAUTH", "did you mean SERVER_AUTH?"), ("", "one or more"), ("x", "one or")]
)
def test_an_unknown_purpose_is_refused(written: str, hint: str) -> None:
    with pytest.raises(WrongUse) as caught:
        read_purposes(written)
    assert hint in (caught.value.remedy or "")
