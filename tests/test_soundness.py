"""What checks without an error builds: no rule is missing for what a later stage cannot do."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Any

from hypothesis import event, given, settings
from hypothesis import strategies as st

from tests.shop import TODAY, Shop

# Near enough to what is right that many declarations have no error, and odd enough to find what rules miss.
texts = st.text(st.characters(categories=["L", "N", "P", "S", "Zs"]), min_size=1, max_size=66)
labels = st.from_regex(r"[a-z][a-z0-9-]{0,15}[a-z0-9]", fullmatch=True) | st.sampled_from(
    ["bücher", "中文", "ß"]
)
names = st.lists(labels, min_size=2, max_size=4).map(".".join)
keywords = st.from_regex(r"[A-Za-z][A-Za-z_.]{0,12}", fullmatch=True) | texts
addresses = st.ip_addresses().map(str)


def table(**fields: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries({}, optional=fields)


hosts = st.fixed_dictionaries(
    {"name": labels.map(lambda label: f"{label}.example.com"), "role": st.sampled_from(["client", "server"])},
    optional={
        "os": st.sampled_from(["aix", "linux", "windows", "macos"]),
        "subject": st.just("*.example.com"),
        "aliases": st.lists(names, max_size=3),
        "ips": st.lists(addresses, max_size=3),
        "lifetime": st.sampled_from(["31d", "9y"]),
        "renew_before": st.sampled_from(["1d", "30d"]),
    },
)
declarations = st.fixed_dictionaries(
    {
        "ca": st.fixed_dictionaries(
            {"common_name": texts, "key": st.just("ec-p256")},
            optional={
                "organization": texts,
                "organizational_unit": texts,
                "country": st.sampled_from(["DE", "US", "de"]),
                "state": texts,
                "locality": texts,
                "lifetime": st.sampled_from(["10y", "100y"]),
            },
        ),
        "tls": st.fixed_dictionaries({"mutual_auth": st.sampled_from(["off", "required"])}),
        "ipm": table(
            server_account=texts,
            restart_command=texts,
            keywords=table(ca_file=keywords, crl_file=keywords, mutual_auth=keywords),
        ),
    }
)


def toml(value: Any) -> str:
    """A value as TOML; JSON's strings are TOML's, but for the escape of DEL."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key} = {toml(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(toml, value)) + "]"
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")


@settings(max_examples=60, deadline=None)
@given(declarations, st.lists(hosts, max_size=3))
def test_what_checks_without_an_error_builds_and_then_has_nothing_to_do(
    declaration: dict[str, Any], fleet: list[dict[str, Any]]
) -> None:
    lines = [f"{key} = {toml(value)}" for key, value in declaration.items()]
    # A server's RSA key takes a while to make: one is enough to know.
    servers = [host for host in fleet if host["role"] == "server"][:1]
    for host in [*servers, *(host | {"key": "ec-p256"} for host in fleet if host["role"] == "client")]:
        lines += ["[[hosts]]", *(f"{key} = {toml(value)}" for key, value in host.items())]
    with tempfile.TemporaryDirectory() as folder:
        shop = Shop(Path(folder), TODAY, "\n".join(lines) + "\n")
        project = shop.load()
        event("builds" if not project.errors else "has errors")
        if not project.errors:
            shop.build()
            assert shop.changes() == {}
