"""What check passes, build builds; and what build publishes, verify accepts: of authorities of every sort."""

from __future__ import annotations

import itertools
import json
import random
import shutil
from typing import TYPE_CHECKING, Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization

import ipmpki
from ipmpki.operations.project import Refused
from tests.cli.command import ipmpki as command
from tests.operations.import_bought.seller import Seller, pem
from tests.operations.import_bought.test_import_bought import bring, request_of
from tests.operations.verify import mint
from tests.places import EXAMPLES
from tests.shop import HEAD, SERVER, TODAY, Shop, client

if TYPE_CHECKING:
    from pathlib import Path

BROUGHT = HEAD.replace(
    'common_name = "Acme Print CA"\nkey = "ec-p256"', 'certificate = "ca.pem"\nkey_file = "ca.key"'
)
HOSTS = SERVER.replace('os = "linux"\n', 'os = "linux"\ncsr = "ipm1.csr"\n') + client("desk1")
BOUGHT = HEAD.replace('common_name = "Acme Print CA"', 'kind = "third-party"\nbundle = "root.pem"')

ANY = x509.ObjectIdentifier("2.5.29.37.0")
DOMAIN = x509.NameConstraints([x509.DNSName("example.com")], None)
OTHER_DOMAIN = x509.NameConstraints([x509.DNSName("example.org")], None)
SHAPES: dict[str, tuple[Any, ...]] = {
    "kind": ("ec", "ec", "rsa-2048", "rsa-1024", "unsound"),
    "path_length": (None, 0, 1),
    "usage": (("key_cert_sign", "crl_sign"),) * 3 + (None, ("key_cert_sign",), ("crl_sign",)),
    "purposes": (None, None, (mint.SERVER, mint.CLIENT), (mint.SERVER,), (mint.CLIENT,), (ANY,)),
    "end": (TODAY + 3000 * mint.DAY,) * 4 + (TODAY - mint.DAY, TODAY + 5 * mint.DAY),
    "begin": (TODAY - 9 * mint.DAY,) * 5 + (TODAY + mint.DAY,),
}
FURTHER: tuple[tuple[tuple[x509.ExtensionType, bool], ...], ...] = (
    (),
    (),
    (),
    ((DOMAIN, True),),
    ((OTHER_DOMAIN, True),),
)


def published_is_accepted(dist: Path, at: str, *, mutual_auth: bool) -> int:
    """How many hosts' folders there are; verify finds no error in any."""
    hosts = sorted((dist / "hosts").iterdir())
    mutual = ("--mutual-auth", "required" if mutual_auth else "off")
    for host in hosts:
        found = command("verify", host, "--at", at, "--format", "json", *mutual)
        errors = [one for one in json.loads(found.out)["problems"] if one["severity"] == "error"]
        # An authority near its end is told to whoever looks, and to nobody who builds.
        assert not errors, (host.name, errors)
    return len(hosts)


def authorities(chance: random.Random) -> list[mint.Made]:
    """An issuing authority and those above it, in each of which a thing or two may be wrong."""
    depth = chance.choice((1, 1, 2, 2, 3))
    made: list[mint.Made] = []
    for number in range(depth):
        shape = {name: values[0] for name, values in SHAPES.items()}
        for name in chance.sample(list(SHAPES), chance.choice((0, 0, 1, 2))):
            shape[name] = chance.choice(SHAPES[name])
        further: list[tuple[x509.ExtensionType, bool]] = list(chance.choice(FURTHER))
        if made and chance.random() < 0.8:
            above = made[-1].private.public_key()
            further.append((x509.AuthorityKeyIdentifier.from_issuer_public_key(above), False))
        order = mint.Order(
            f"Authority {number}", (), is_authority=True, number=10 + number, further=further, **shape
        )
        made.append(mint.make(order, made[-1] if made else None))
    return made[::-1]


def judged(folder: Path, chance: random.Random) -> str:
    """Build with an authority of some sort: what became of it."""
    own, *above = authorities(chance)
    shown = [own, *above[: chance.choice((0, 5, 5, 5))]]
    chance.shuffle(shown)
    required = chance.random() < 0.5
    text = BROUGHT.replace('"required"', '"required"' if required else '"off"')
    shop = Shop(folder, text=text + HOSTS)
    (folder / "ca.pem").write_bytes(b"".join(one.pem for one in shown))
    (folder / "ca.key").write_bytes(own.key_pem(b"secret" if chance.random() < 0.2 else None))
    (folder / "ca.key").chmod(0o600)
    (folder / "pass").write_text("secret")
    (folder / "pass").chmod(0o600)
    if b"ENCRYPTED" in (folder / "ca.key").read_bytes():
        shop.edit('key_file = "ca.key"', 'key_file = "ca.key"\npassphrase = { file = "pass" }')
    request = x509.CertificateSigningRequestBuilder().subject_name(x509.Name([]))
    signed = request.sign(mint.key("rsa-2048", 8), hashes.SHA256())
    (folder / "ipm1.csr").write_bytes(signed.public_bytes(serialization.Encoding.PEM))
    try:
        shop.build()
    except Refused:
        assert not shop.store.exists()
        return "refused"
    assert published_is_accepted(shop.dist, "2026-11-24T12:00", mutual_auth=required) == 2
    assert shop.changes() == {}
    return "built"


@pytest.mark.parametrize("seed", range(4))
def test_an_authority_of_any_sort_is_refused_before_it_issues_or_accepted(tmp_path: Path, seed: int) -> None:
    judged(tmp_path, random.Random(seed))  # noqa: S311 -- the same each time


@pytest.mark.exhaustive
def test_many_authorities_of_all_sorts_are_refused_before_they_issue_or_accepted(tmp_path: Path) -> None:
    found = []
    for seed in range(4, 200):
        folder = tmp_path / str(seed)
        folder.mkdir()
        try:
            found.append(judged(folder, random.Random(seed)))  # noqa: S311 -- the same each time
        except AssertionError as failure:
            raise AssertionError(seed) from failure
    assert min(found.count("built"), found.count("refused")) > 40


@pytest.mark.exhaustive
@pytest.mark.parametrize(
    ("name", "mode"), [*itertools.product(("print-room", "one-server"), ("off", "required"))]
)
def test_an_example_in_either_mode_is_accepted(tmp_path: Path, name: str, mode: str) -> None:
    folder = tmp_path / name
    shutil.copytree(EXAMPLES / name, folder)
    text = (folder / "pki.toml").read_text("utf-8")
    for other in ("off", "required"):
        text = text.replace(f'mutual_auth = "{other}"', f'mutual_auth = "{mode}"')
    (folder / "pki.toml").write_text(text, "utf-8")
    ipmpki.build(ipmpki.load(folder / "pki.toml", now=TODAY))
    assert published_is_accepted(folder / "dist", "2026-11-24T12:00", mutual_auth=mode == "required")


@pytest.mark.parametrize("mode", ["bought", "mixed"])
def test_what_was_bought_is_accepted(tmp_path: Path, mode: str) -> None:
    seller = Seller()
    (tmp_path / "root.pem").write_bytes(pem(seller.root))
    own = (
        '\n[client_ca]\ncommon_name = "Acme Client CA"\nkey = "ec-p256"\n[ipm.keywords]\nca_file = "CaFile"\n'
    )
    text = BOUGHT + own if mode == "mixed" else BOUGHT.replace("required", "off")
    shop = Shop(tmp_path, text=text + SERVER + client("desk1"))
    shop.build()
    leaf = seller.sell(request_of(shop))
    assert [one.outcome.value for one in bring(shop, pem(leaf, seller.intermediate)).arrivals] == ["taken"]
    shop.build()
    # In the mixed mode a folder has two authorities' certificates, for servers and for clients.
    assert published_is_accepted(shop.dist, "2026-11-24T12:00", mutual_auth=False)
