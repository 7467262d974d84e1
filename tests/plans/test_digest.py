"""The digest of a world: whatever changes in it is seen, and nothing else is."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import fields, is_dataclass, replace
from datetime import timedelta
from enum import Enum
from ipaddress import IPv4Address, IPv4Network, IPv6Address, ip_address
from pathlib import Path
from typing import Any

import pytest

from ipmpki.declaration.fleet import (
    ExistingAuthority,
    Fleet,
    GivenKey,
    KeptKey,
    PassphraseSource,
    SiteSettings,
)
from ipmpki.declaration.vocabulary import Profile
from ipmpki.operations.load import understand_text
from ipmpki.plans.digest import Digest
from ipmpki.plans.plan import Drift
from ipmpki.plans.world import Wanted, World
from ipmpki.store.records import (
    Compromise,
    Installation,
    InstallationSource,
    Issued,
    IssuedCertificate,
    OpenRequest,
    PublishedFolder,
    Skip,
    StoredAuthority,
    StoredRevocationList,
)
from tests.problems import NOW

DECLARATION = """\
schema = 1

[ca]
kind = "third-party"
certdata = "certdata.txt"

[client_ca]
common_name = "Acme Print CA"
organization = "Acme"
organizational_unit = "Print"
country = "US"
state = "Colorado"
locality = "Boulder"
permitted_domains = ["example.com"]
permitted_addresses = ["10.0.0.0/8"]

[tls]
mutual_auth = "required"

[ipm]
server_account = "ipm1"
restart_command = "shutdown"
server_name = "ipm1"
tls_port = 6874
keywords = { ca_file = "CA", crl_file = "CRL", mutual_auth = "MUTUAL", by_hand = ["crl_file"] }

[[hosts]]
name = "ipm1.example.com"
role = "server"
aliases = ["print.example.com"]
ips = ["10.1.2.3", "fc00::1"]
formerly = "old.example.com"
"""

OUTSIDE = {"backup", "place", "declared", "ignored_rules", "is_whole", "unread", "now"}
"""How something is declared, what of it was read, which warnings are silenced, the backups, and the clock."""


def world() -> World:
    """A world in which nothing is empty, so that all of it can change."""
    fleet = understand_text(Path("/nowhere/pki.toml"), "pki.toml", DECLARATION.encode()).fleet
    assert fleet is not None
    (host,) = fleet.hosts
    assert host.certificate is not None
    assert host.tools_certificate is not None
    kept = KeptKey("csr/ipm1.csr", GivenKey("rsa-2048", "00" * 32, b"request"))
    host = replace(
        host,
        certificate=replace(host.certificate, kept_key=kept),
        tools_certificate=replace(host.tools_certificate, kept_key=kept),
    )
    fleet = replace(
        fleet,
        hosts=(host,),
        existing=ExistingAuthority("ca.pem", "ca.key"),
        token_key="pkcs11:object=ca",  # noqa: S106 -- the URI of a key
        passphrase=PassphraseSource("SECRET", "secret.txt"),
    )
    return World(
        fleet, wanted(), issued(), Drift({"ca": ("crl.pem",)}, {"ca": ("ca-cert.pem",)}), NOW, (leaf(),)
    )


def wanted() -> Wanted:
    return Wanted("cn=A", "", {"hosts/ipm1": "a", "ca": "b"}, "bundle=1", (("New", "00"),), (("Old", "11"),))


def leaf() -> IssuedCertificate:
    return IssuedCertificate(
        7, "ipm1.example.com", 1, Profile.SERVER, "cn=ipm1", NOW, NOW, "00" * 32, NOW, NOW, NOW, "superseded"
    )


def issued() -> Issued:
    signer = StoredAuthority(1, "CN=A", "cn=A", b"PEM", b"KEY", "ec-p256", "00" * 32, NOW, NOW, False)
    return Issued(
        (signer,),
        replace(signer, identity=2),
        {"ipm1.example.com": leaf()},
        {"ipm1.example.com": OpenRequest("ipm1.example.com", "cn=ipm1", "00", NOW, b"PEM")},
        {"ipm1.example.com": installation()},
        before={"ipm1.example.com": leaf()},
        in_use={7: leaf()},
        skipped={"ipm1.example.com": Skip(NOW, "on leave")},
        past_lists={(1, 1): NOW},
        compromises=(Compromise(1, 1, "ipm1.example.com", NOW),),
        revocation_lists={1: StoredRevocationList(1, 1, NOW, NOW, b"PEM")},
        unlisted_revocations=1,
        listed_revocations=1,
        folders={"hosts/ipm1": PublishedFolder("hosts/ipm1", "a", NOW, "server-cert.pem\t600 1 1\t00")},
        last_event=1,
        last_event_at=NOW,
    )


def installation() -> Installation:
    return Installation(
        "ipm1.example.com",
        NOW,
        frozenset({7}),
        frozenset({"00"}),
        InstallationSource.LIVE,
        "ca-cert.pem\t00",
        {1: 1},
    )


def parts(value: Any) -> list[tuple[str, Any, Callable[[Any], Any]]]:
    """What a value is made of: the name of each part, what it is, and the value with another in its place."""
    if is_dataclass(value) and not isinstance(value, type):
        names = [one.name for one in fields(value) if one.name not in OUTSIDE]
        return [(f".{name}", getattr(value, name), _with(replace, value, name)) for name in names]
    if isinstance(value, tuple) and hasattr(value, "_replace"):
        kept = type(value)._replace
        return [
            (f".{name}", getattr(value, name), _with(kept, value, name))
            for name in vars(type(value))["_fields"]
        ]
    if isinstance(value, Mapping):
        return [(f"[{key}]", value[key], _at_key(value, key)) for key in value]
    if isinstance(value, tuple):
        return [(f"[{place}]", held, _at_place(value, place)) for place, held in enumerate(value)]
    return []


def _at_key(value: Mapping[Any, Any], key: object) -> Callable[[Any], Any]:
    return lambda other: {**value, key: other}


def _at_place(value: tuple[Any, ...], place: int) -> Callable[[Any], Any]:
    return lambda other: (*value[:place], other, *value[place + 1 :])


def _with(change: Callable[..., Any], value: Any, name: str) -> Callable[[Any], Any]:
    return lambda other: change(value, **{name: other})


def changed(value: Any, path: str = "world") -> Iterator[tuple[str, Any]]:
    """Every value that differs from this one in a single place, with the place."""
    assert value not in (None, ()), f"{path} has to hold something, so that a change of it is tried"
    for name, held, put in parts(value):
        for where, other in changed(held, f"{path}{name}"):
            yield where, put(other)
    if isinstance(value, Mapping):
        for key in value:
            rest = {one: value[one] for one in value if one != key}
            yield f"{path} without {key}", rest
            yield f"{path} with another key than {key}", {**rest, key * 2: value[key]}
    elif type(value) is tuple:
        yield f"{path} without the last", value[:-1]
    elif not parts(value):
        yield path, another(value)


def another(value: Any) -> Any:
    """Another value of the same type."""
    if isinstance(value, Enum):
        return next(one for one in type(value) if one is not value)
    if isinstance(value, frozenset):
        return frozenset()
    if isinstance(value, IPv4Address | IPv6Address):
        return ip_address(int(value) + 1)
    if isinstance(value, IPv4Network):
        return value.supernet()
    if isinstance(value, bool):
        return not value
    steps: dict[type, Any] = {str: "x", bytes: b"x", int: 1}
    return value + steps.get(type(value), timedelta(seconds=1))


def test_whatever_changes_in_a_world_changes_its_digest() -> None:
    one = world()
    before = Digest(one).text
    assert Digest(world()).text == before
    seen = {before: "nothing"}
    for where, other in changed(one):
        text = Digest(other).text
        assert text not in seen, f"{where} looks like {seen.get(text)}"
        seen[text] = where
    assert len(seen) > 120
    assert "world.fleet.hosts[0].keeps_key" in seen.values()


def test_what_does_not_change_what_is_meant_leaves_the_digest_as_it_is() -> None:
    one = world()
    before = Digest(one)
    (host,) = one.fleet.hosts
    elsewhere = replace(host, place=host.place.at("name"), unread=frozenset({("os",)}))
    fleet: Fleet = replace(one.fleet, hosts=(elsewhere,), ignored_rules=("no-client",), is_whole=False)
    assert Digest(replace(one, fleet=fleet, now=NOW + timedelta(days=1))) == before
    assert len({before, Digest(one), Digest.read(before.text)}) == 1
    assert before != before.text


def test_a_digest_is_the_same_in_every_run() -> None:
    """Sets of texts come in another order with each run's seed."""
    program = (
        "from ipmpki.plans.digest import Digest;"
        " print(Digest((frozenset(map(str, range(50))), {'b': 1, 'a': 2})))"
    )
    runs = [
        subprocess.run(
            [sys.executable, "-c", program],
            env={"PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    ]
    assert runs[0] == runs[1] == f"{Digest((frozenset(map(str, range(50))), {'a': 2, 'b': 1}))}\n"


def test_a_value_of_unknown_order_has_no_digest() -> None:
    with pytest.raises(TypeError, match="two values of object differ"):
        Digest((SiteSettings(), object())).text  # noqa: B018 -- it is made when it is asked for
