"""permitted_domains and permitted_addresses, from the declaration to the authority and its successor."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from cryptography import x509

from ipmpki import Refused
from ipmpki.plans.plan import Stage
from tests.shop import client

if TYPE_CHECKING:
    from tests.shop import Shop

LISTS = 'permitted_domains = ["example.com", "ipm1"]\npermitted_addresses = ["10.0.0.0/8", "fc00::/7"]\n'
DECLARED = 'permitted_domains = "declared"\npermitted_addresses = "declared"\n'


def constraints_of(shop: Shop) -> list[str] | None:
    """What the newest published authority is confined to."""
    pem = (shop.dist / "ca" / "ca-cert.pem").read_bytes()
    certificate = x509.load_pem_x509_certificates(pem)[-1]
    try:
        found = certificate.extensions.get_extension_for_class(x509.NameConstraints).value
    except x509.ExtensionNotFound:
        return None
    return [str(one.value) for one in found.permitted_subtrees or ()]


@pytest.mark.parametrize("lines", [LISTS, DECLARED])
def test_an_authority_is_made_with_the_declared_constraints_and_then_all_is_as_declared(
    shop: Shop, lines: str
) -> None:
    shop.edit("\n[tls]", f"{lines}\n[tls]")
    assert shop.load().problems == ()
    shop.build()
    found = constraints_of(shop)
    assert found is not None
    assert "example.com" in found
    assert shop.changes() == {}


def test_a_host_outside_is_told_before_anything_is_issued(shop: Shop) -> None:
    shop.edit("\n[tls]", f"{LISTS}\n[tls]")
    shop.write(shop.text + client("desk9").replace("example.com", "example.org"))
    assert [one.problem.rule for one in shop.load().errors] == ["name-not-permitted"]
    with pytest.raises(Refused):
        shop.build()
    assert not shop.store.exists()


def test_a_new_host_is_held_against_the_constraints_of_the_day_the_authority_was_made(shop: Shop) -> None:
    shop.edit("\n[tls]", f"{DECLARED}\n[tls]")
    shop.build()
    shop.write(shop.text + client("desk8"))
    shop.build()
    shop.write(shop.text + client("desk9").replace("example.com", "example.org"))
    (found,) = shop.load().errors
    assert found.problem.rule == "name-not-permitted"
    assert "generation" in (found.problem.help or "")


@pytest.mark.parametrize("after", ["", LISTS.replace("10.0.0.0/8", "10.1.0.0/16")])
def test_other_constraints_have_a_successor_made_in_stages(shop: Shop, after: str) -> None:
    shop.edit("\n[tls]", f"{LISTS}\n[tls]")
    shop.build()
    shop.edit(LISTS, after)
    plan = shop.plan()
    assert plan.rollover is not None
    assert plan.rollover.stage is Stage.TRUST_BOTH
    assert any("permitted" in one.field for change in plan.changes for one in change.differences)
    shop.build()
    assert len(x509.load_pem_x509_certificates((shop.dist / "ca" / "ca-cert.pem").read_bytes())) == 2
