"""Reports to render: a print room, a refusal, hostile text, and fleets of any size."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from ipmpki.declaration.vocabulary import OperatingSystem, Profile, Role
from ipmpki.diagnostics.problem import (
    Label,
    LocatedProblem,
    Place,
    Position,
    Problem,
    Related,
    Severity,
    Span,
)
from ipmpki.plans.plan import Rollover, Stage
from ipmpki.render.report.document import (
    Report,
    ReportedAuthority,
    ReportedBundle,
    ReportedCertificate,
    ReportedHost,
    ReportedRevocationList,
)

AS_OF = datetime(2026, 11, 24, 2, 55, tzinfo=UTC)
HOSTILE = "<script>alert(1)</script>\u202eevil\x1b[31m\x00\u200b'\"&{{7*7}}"

AUTHORITY = ReportedAuthority(
    subject="CN=Acme Print CA, O=Acme GmbH, C=DE",
    key="rsa-3072",
    not_before=AS_OF - timedelta(hours=1),
    not_after=AS_OF + timedelta(days=3652),
    fingerprint=hashlib.sha256(b"authority").hexdigest(),
    is_existing=False,
)
OLD_AUTHORITY = replace(
    AUTHORITY,
    subject="CN=Acme Print CA 2017",
    not_after=AS_OF + timedelta(days=300),
    fingerprint=hashlib.sha256(b"old authority").hexdigest(),
)
SUCCESSION = Rollover(Stage.TRUST_BOTH, OLD_AUTHORITY.fingerprint, (), ("ipm1.example.com",))
BUNDLE = ReportedBundle("certdata.txt", 143, hashlib.sha256(b"bundle").hexdigest(), ())
REVOCATION_LIST = ReportedRevocationList(3, AS_OF, AS_OF + timedelta(days=397), 2)


def certificate(
    name: str, *, profile: Profile = Profile.SERVER_MUTUAL, issued: datetime = AS_OF, days: int = 397
) -> ReportedCertificate:
    """A certificate for one name, with 30 days to renew it."""
    digest = hashlib.sha256(name.encode("utf-8", "surrogatepass")).hexdigest()
    return ReportedCertificate(
        profile=profile,
        common_name=name,
        dns_names=(name,),
        addresses=("10.1.2.3",),
        key="rsa-2048",
        serial=int(digest[:39], 16),
        not_before=issued - timedelta(hours=1),
        not_after=issued + timedelta(days=days),
        renew_from=issued + timedelta(days=days - 30),
        fingerprint=digest,
    )


def host(
    name: str,
    role: Role = Role.SERVER,
    os: OperatingSystem = OperatingSystem.LINUX,
    *,
    issued: datetime = AS_OF,
    days: int = 397,
) -> ReportedHost:
    """A published host with its certificate."""
    profile = Profile.SERVER_MUTUAL if role is Role.SERVER else Profile.CLIENT
    return ReportedHost(
        name=name,
        role=role,
        os=os,
        aliases=(),
        addresses=("10.1.2.3",),
        certificate=certificate(name, profile=profile, issued=issued, days=days),
        published_at=issued,
    )


def problem(text: str = 'subject = "print*.example.com"', span: Span | None = None) -> LocatedProblem:
    """An error at the value of a line."""
    spot = span or Span(Position(14, 11), Position(14, len(text) + 1))
    return LocatedProblem(
        Problem(
            "partial-wildcard",
            Severity.ERROR,
            "'print*.example.com' is a partial wildcard, which InfoPrint Manager does not allow",
            "use '*.example.com', or name each computer",
            Place("pki.toml", ("hosts", 0, "subject")),
        ),
        Label("pki.toml", ("hosts", 0, "subject"), spot, (text,)),
    )


def shared_alias() -> LocatedProblem:
    """A warning with a second place, in another file."""
    return LocatedProblem(
        Problem(
            "shared-alias",
            Severity.WARNING,
            "'print.example.com' is an alias of two hosts",
            None,
            Place("pki.toml"),
            (Related("first declared here", Place("sites/berlin.toml")),),
        ),
        Label("pki.toml", (), Span(Position(3, 2), Position(3, 4)), ("\tüb",)),
        (
            Label(
                "sites/berlin.toml",
                (),
                Span(Position(1, 1), Position(1, 3)),
                ("abc",),
                "first declared here",
            ),
        ),
    )


PRINT_ROOM = Report(
    declaration="pki.toml",
    mutual_auth=True,
    refused=False,
    as_of=AS_OF,
    authority=AUTHORITY,
    revocation_list=REVOCATION_LIST,
    hosts=(
        replace(host("ipm1.example.com", os=OperatingSystem.AIX), aliases=("print.example.com", "ipm1")),
        host("desk.example.com", Role.CLIENT, OperatingSystem.WINDOWS, issued=AS_OF - timedelta(days=370)),
        host("ipm2.example.com", issued=AS_OF - timedelta(days=120)),
        host("ipm3.example.com", os=OperatingSystem.WINDOWS, days=200),
        host("sap.example.com", Role.CLIENT, issued=AS_OF - timedelta(days=398)),
        host("batch.example.com", Role.CLIENT, OperatingSystem.AIX),
        host("mac.example.com", Role.CLIENT, OperatingSystem.MACOS),
    ),
    problems=(shared_alias(),),
)
REFUSED = Report("pki.toml", False, True, None, None, None, (), (problem(), shared_alias()))


def hostile(text: str) -> Report:
    """A report whose every text from outside is ``text``; the names of rules are ipmpki's own."""
    issued = replace(certificate(text), dns_names=(text, text), addresses=(text,), key=text)
    located = shared_alias()
    return replace(
        PRINT_ROOM,
        declaration=text,
        authority=replace(AUTHORITY, subject=text, key=text),
        hosts=(
            replace(host(text), aliases=(text,), addresses=(text,), certificate=issued),
            host("ipm1.example.com"),
        ),
        problems=(
            LocatedProblem(
                replace(located.problem, message=text, help=text),
                Label(text, (text,), Span(Position(1, 1), Position(1, 1 + len(text))), (text,), text),
                (Label(text, (), None, (), text),),
            ),
        ),
    )


def fleet(size: int, *, spread_days: int = 360) -> Report:
    """A report of many hosts, a tenth of them servers."""
    systems = tuple(OperatingSystem)
    return replace(
        PRINT_ROOM,
        hosts=tuple(
            host(
                f"host{number:05}.example.com",
                Role.SERVER if number % 10 == 0 else Role.CLIENT,
                systems[number % 4] if number % 10 else OperatingSystem.AIX,
                issued=AS_OF - timedelta(days=number * spread_days // size),
            )
            for number in range(size)
        ),
    )
