"""What tests of problems share: a text checked as pki.toml, with surroundings that hold still."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from ipmpki.declaration.vocabulary import Profile
from ipmpki.operations import check
from ipmpki.rules.context import Surroundings
from ipmpki.store.records import IssuedCertificate

if TYPE_CHECKING:
    from ipmpki.diagnostics.problem import DocumentPath
    from ipmpki.operations.check import Checked

NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
QUIET = Surroundings(NOW)

AUTHORITY = '[ca]\ncommon_name = "Acme Print CA"\n'
CLIENT = '\n[[hosts]]\nname = "desk1.example.com"\nrole = "client"\n'


def checked(text: str | bytes, *included: tuple[str, str], surroundings: Surroundings = QUIET) -> Checked:
    """A declaration checked, with the files it includes as name and text."""
    content = text.encode() if isinstance(text, str) else text
    readings = [check.read("pki.toml", content)]
    readings += [check.read(name, site.encode()) for name, site in included]
    return check.check(readings, surroundings)


def server(keys: str = "", *, name: str = "ipm1.example.com") -> str:
    """A server's table, with further keys."""
    return f'\n[[hosts]]\nname = "{name}"\nrole = "server"\n{keys}\n'


def fleet_with(keys: str, *, name: str = "ipm1.example.com") -> str:
    """A declaration that has no problem but what further keys of its server bring."""
    return AUTHORITY + server(keys, name=name) + CLIENT


def rules_of(text: str | bytes) -> list[str]:
    """The rules a text breaks, in document order."""
    return [one.problem.rule for one in checked(text).problems]


def places_of(text: str) -> list[tuple[str, DocumentPath]]:
    """Rule and path of each problem of a text."""
    return [(one.problem.rule, one.problem.place.path) for one in checked(text).problems]


def certificate_until(host: str, end: datetime) -> IssuedCertificate:
    """A certificate in force, with all that rules look at."""
    return IssuedCertificate(
        serial=1,
        host=host,
        authority=1,
        profile=Profile.SERVER,
        specification="key=rsa-2048",
        not_before=end,
        not_after=end,
        fingerprint="",
        issued_at=end,
    )
