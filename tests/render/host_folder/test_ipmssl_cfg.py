"""Which ipmssl.cfg gets which keyword, and that none is invented."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from ipmpki.declaration.fleet import KeywordNames
from ipmpki.declaration.vocabulary import Role
from ipmpki.render.host_folder.ipmssl_cfg import SettingsFile, settings_json, settings_of
from tests.render.host_folder.bundles import bundle_of

KNOWN = {"EnableTLS", "CertFile", "KeyFile"}
ALL = KeywordNames(ca_file="CAFile", crl_file="CRLFile", mutual_auth="VerifyClient")


def values(file: SettingsFile) -> dict[str, str | None]:
    return {setting.keyword: setting.value for setting in file.settings}


@pytest.mark.parametrize("os", ["aix", "linux", "windows"])
@pytest.mark.parametrize("mutual", [False, True])
@pytest.mark.parametrize("role", ["server", "client"])
def test_no_keyword_is_invented(role: str, mutual: bool, os: str) -> None:
    for file in settings_of(bundle_of(role, os, mutual=mutual)):
        assert set(values(file)) <= KNOWN


def test_a_server_gets_its_own_file_and_the_clients() -> None:
    server, client = settings_of(bundle_of())
    assert (server.role, client.role) == (Role.SERVER, Role.CLIENT)
    assert values(server) == {"EnableTLS": "1", "CertFile": "server-cert.pem", "KeyFile": "server-key.pem"}
    assert values(client) == {"EnableTLS": "1"}


def test_under_mutual_authentication_a_servers_tools_show_its_certificate() -> None:
    _, client = settings_of(bundle_of(mutual=True))
    assert values(client)["CertFile"] == "/var/pddir/default_cell/ssl/server-cert.pem"
    assert values(client)["KeyFile"] == "/var/pddir/default_cell/ssl/server-key.pem"
    _, client = settings_of(bundle_of(os="windows", mutual=True))
    folder = r"%ProgramData%\RICOH\InfoPrint Manager\var\pddir\ssl"
    assert values(client)["CertFile"] == rf"{folder}\server-cert.pem"


def test_a_client_shows_a_certificate_only_under_mutual_authentication() -> None:
    (client,) = settings_of(bundle_of("client"))
    assert values(client) == {"EnableTLS": "1"}
    (client,) = settings_of(bundle_of("client", mutual=True))
    assert values(client) == {"EnableTLS": "1", "CertFile": "client-cert.pem", "KeyFile": "client-key.pem"}


def test_declared_keywords_are_set_where_they_belong() -> None:
    server, client = settings_of(bundle_of(mutual=True, keywords=ALL, crl=b"crl"))
    assert values(server)["CAFile"] == "ca-cert.pem"
    assert values(server)["CRLFile"] == "crl.pem"
    assert values(server)["VerifyClient"] == "1"
    assert values(client)["CAFile"] == "ca-cert.pem"
    assert not {"CRLFile", "VerifyClient"} & set(values(client))
    assert server.look_for == client.look_for == ()


def test_a_declared_value_of_mutual_authentication_is_taken() -> None:
    keywords = KeywordNames(mutual_auth="Verify = require=yes")
    server, _ = settings_of(bundle_of(mutual=True, keywords=keywords))
    assert values(server)["Verify"] == "require=yes"


def test_mutual_authentication_that_is_off_is_taken_out_of_force() -> None:
    server, _ = settings_of(bundle_of(keywords=ALL))
    assert values(server)["VerifyClient"] is None


def test_no_revocation_list_is_named_that_is_not_there() -> None:
    server, _ = settings_of(bundle_of(keywords=ALL))
    assert "CRLFile" not in values(server)


def test_what_is_not_declared_is_to_be_looked_for() -> None:
    server, client = settings_of(bundle_of(mutual=True))
    assert len(server.look_for) == 3
    assert len(client.look_for) == 1
    server, _ = settings_of(bundle_of())
    assert server.look_for == ()


@pytest.mark.parametrize("keyword", ["two words", "", " ", "a\nb", "a=b", "#a", "a:b"])
def test_a_keyword_that_no_line_can_hold_is_refused(keyword: str) -> None:
    with pytest.raises(ValueError, match="cannot be a keyword"):
        settings_of(bundle_of(keywords=KeywordNames(ca_file=keyword)))


def test_a_value_of_two_lines_is_refused() -> None:
    with pytest.raises(ValueError, match="cannot be a value"):
        settings_of(bundle_of(mutual=True, keywords=KeywordNames(mutual_auth="Verify=a\nb")))


def test_a_server_on_macos_or_without_a_certificate_is_refused() -> None:
    with pytest.raises(ValueError, match="no server on macOS"):
        settings_of(bundle_of(os="macos"))
    bundle = bundle_of()
    waiting = replace(bundle, certificate=None)
    with pytest.raises(ValueError, match="no certificate yet"):
        settings_of(waiting)


def test_settings_json_says_it_all() -> None:
    document = json.loads(settings_json(settings_of(bundle_of(keywords=ALL))))
    assert document["version"] == 1
    server, client = document["files"]
    assert server["folder"] == "/var/pddir/default_cell/ssl"
    assert server["settings"] == {
        "EnableTLS": "1",
        "CertFile": "server-cert.pem",
        "KeyFile": "server-key.pem",
        "CAFile": "ca-cert.pem",
        "VerifyClient": None,
    }
    assert client["role"] == "client"
