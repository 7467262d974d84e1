"""Rules about secrets: that they stay out of pki.toml, and where nobody else gets at them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ipmpki.diagnostics import Severity
from ipmpki.rules.registry import Finding, fleet_rule
from ipmpki.source.secrets import AUTHORITIES, is_variable_name

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ipmpki.fleet import Fleet


@fleet_rule(
    Severity.ERROR,
    cites="POSIX.1-2017, Base Definitions, section 8.1; CWE-260 (a password in a file of settings)",
)
def passphrase_in_file(fleet: Fleet) -> Iterator[Finding]:
    """What should be the name of an environment variable looks like the passphrase itself.

    ## What it finds

    An env of passphrase that no variable can be called: names are letters, digits and "_", and begin with no
    digit. What stands there is never shown.

    ## Who is hurt

    Every host of the fleet: whoever reads the file, a copy or a backup of it has the passphrase of the key
    with which certificates are made that all hosts trust.

    ## Example

    ```toml
    [ca]
    common_name = "Acme Print CA"
    passphrase = { env = "correct horse battery staple" }

    [[hosts]]
    name = "ipm1.example.com"
    role = "server"
    ```

    ## Instead

    ```toml
    [ca]
    common_name = "Acme Print CA"
    passphrase = { env = "IPMPKI_CA_PASSPHRASE" }

    [[hosts]]
    name = "ipm1.example.com"
    role = "server"
    ```
    """
    for table in AUTHORITIES:
        authority = fleet.declared.ca if table == "ca" else fleet.declared.client_ca
        passphrase = authority.passphrase if authority is not None else None
        if passphrase is None or passphrase.env is None or not fleet.was_read(table, "passphrase", "env"):
            continue
        if not is_variable_name(passphrase.env):
            yield Finding(
                "env holds no name of an environment variable; is it the passphrase itself?",
                'write the name alone, such as env = "IPMPKI_CA_PASSPHRASE"; if it was the passphrase, take'
                " another: 'ipmpki passphrase'",
                fleet.place.at(table, "passphrase", "env").key(),
            )
