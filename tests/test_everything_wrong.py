"""The example that shows as many rules as it can in one run."""

from __future__ import annotations

from ipmpki.rules.catalog import registered
from tests.places import EXAMPLES
from tests.problems import checked

EXAMPLE = EXAMPLES / "everything-wrong" / "pki.toml"

NOT_SHOWN = {
    "certificate-expired",  # needs time
    "certificate-expiring",
    "clock-behind-store",
    "renewals-on-one-day",
    "revoked-and-not-replaced",
    "file-unreadable",  # would keep its other files' problems away
    "include-without-effect",
    "internal-error",  # needs a mistake in ipmpki
    "ec-key-not-supported",  # needs mutual authentication, which cannot be read
    "no-client",  # cannot stand beside clients and servers
    "no-server",
    "mutual-auth-not-in-force",  # [ipm] has a mistake, so that the keyword may stand there
    "revocation-reaches-no-server",  # needs certificates that were revoked
    "rollout-all-at-once",  # hosts that cannot be read are not counted
    "private-key-readable",  # needs a file with permissions
    "secrets-not-ignored-by-git",
    "secrets-under-web-root",
    "writable-by-everyone",
    "writable-by-group",
    "authority-without-root",  # needs a file beside it
    "value-not-writable",  # needs an [ipm] that can be read
    "name-not-permitted",  # needs the surroundings of a file
    "store-lost",  # needs a dist/ that the store does not know
    "store-outdated",
    "belongs-to-somebody-else",
    "third-party-with-mutual-auth",  # an authority is private or third-party
    "no-trust-bundle",
    "not-sold-for-this-name",
    "lifetime-not-sold",
    "renewal-window-wider-than-sold",
    "client-ca-not-kept-apart",
    "client-ca-without-use",
    "server-programs-without-certificate",
    "server-without-client-auth",
    "trust-bundle-is-old",
    "authority-cannot-issue",  # needs a file beside it
    "key-of-another",  # needs a store, or a file beside it
    "request-asks-for-other-names",  # needs a file beside it
    "request-awaited",
    "request-of-compromised-key",
    "request-repeated",
    "request-unreadable",
    "authority-leaves-bundle",
}


def test_the_example_shows_every_rule_that_can_be_shown_together() -> None:
    found = checked(EXAMPLE.read_bytes())
    declared = {name for name, rule in registered().items() if not rule.is_about_presented_only}
    assert {one.problem.rule for one in found.problems} == declared - NOT_SHOWN


def test_the_example_never_shows_its_passphrase() -> None:
    found = checked(EXAMPLE.read_bytes())
    assert "hunter2" not in repr(found.problems)
