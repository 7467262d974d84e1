"""The shapes of ipmpki's JSON outputs, typed: what is rendered and what the schemas say are one thing."""

from __future__ import annotations

from typing import Literal, NewType, TypedDict

Balance = NewType("Balance", int)
"""A number that may be below 0."""


class PositionOutput(TypedDict):
    """A spot in a file: line and column from 1, the column in characters."""

    line: int
    column: int


class RelatedOutput(TypedDict):
    """A second place that explains a problem."""

    message: str
    file: str
    path: list[str | int]
    start: PositionOutput
    end: PositionOutput


class TextEditOutput(TypedDict):
    """A stretch of a file, and the text to write in its place. The end is exclusive."""

    file: str
    start: PositionOutput
    end: PositionOutput
    text: str


class FixOutput(TypedDict):
    """The one right answer to a problem, as ``ipmpki check --fix`` gives it."""

    message: str
    edits: list[TextEditOutput]


class ProblemOutput(TypedDict):
    """One thing that is wrong: rule, severity, fault, remedy and place. The end is exclusive.

    ``fix`` is null where there is more than one right answer, or none that could be written here.
    """

    rule: str
    severity: Literal["error", "warning", "info"]
    message: str
    help: str | None
    file: str
    path: list[str | int]
    start: PositionOutput
    end: PositionOutput
    related: list[RelatedOutput]
    fix: FixOutput | None


class TallyOutput(TypedDict):
    """How many problems there are of each severity."""

    errors: int
    warnings: int
    infos: int


class ProblemsOutput(TypedDict):
    """What ``ipmpki check`` and ``ipmpki verify`` write with ``--format json``."""

    version: Literal[1]
    file: str
    problems: list[ProblemOutput]
    summary: TallyOutput


class ReasonOutput(TypedDict):
    """Why something is changed: a fixed code, and the particulars in words."""

    code: Literal[
        "new-host",
        "names-changed",
        "key-changed",
        "profile-changed",
        "expiring",
        "expired",
        "not-yet-valid",
        "issuer-changed",
        "revoked",
        "host-removed",
        "files-missing",
        "files-changed",
        "settings-changed",
    ]
    detail: str


class DifferenceOutput(TypedDict):
    """One field that a change gives another value; null where there was, or will be, none."""

    field: str
    old: str | None
    new: str | None


class ChangeOutput(TypedDict):
    """One thing a build would do. The host is null for what is no single host's, such as the authority.

    ``install_by`` is until when what the host has now will do; null where that is not known.
    """

    action: Literal["create", "renew", "replace", "revoke", "restore", "remove", "keep"]
    host: str | None
    artifact: str
    reasons: list[ReasonOutput]
    differences: list[DifferenceOutput]
    install_by: str | None


class AwaitedOutput(TypedDict):
    """A certificate that has to be brought; ``since`` is null where its request is yet to be made.

    ``file`` is where a host's own request is to be put.
    """

    host: str
    artifact: Literal["server-certificate", "client-certificate"]
    since: str | None
    file: str | None


class RolloverOutput(TypedDict):
    """One authority taking over from another; null in a plan where none does.

    ``signs`` and ``retires`` are SHA-256 of authorities. The next stage begins when the hosts of
    ``waiting`` are recorded as installed.
    """

    stage: Literal["trust-both", "reissue", "retire"]
    signs: str
    retires: list[str]
    waiting: list[str]


class MutualAuthOutput(TypedDict):
    """Mutual authentication being turned on or off; null where it is neither.

    On: "hand-out", then "ask". Off: "release", then "withdraw". The second stage begins when the hosts of
    ``waiting`` are recorded as installed.
    """

    stage: Literal["hand-out", "ask", "release", "withdraw"]
    waiting: list[str]


class PlanOutput(TypedDict):
    """What ``ipmpki plan --format json`` writes, and ``--out`` saves."""

    version: Literal[1]
    at: str
    changes: list[ChangeOutput]
    summary: dict[str, int]
    awaited: list[AwaitedOutput]
    rollover: RolloverOutput | None
    mutual_auth: MutualAuthOutput | None
    allows_ca_replacement: bool
    world: str


class StandingOutput(TypedDict):
    """How one thing stands: a host's certificate, or what all hosts share. Times are in UTC.

    The name is a host's, the authority's common name or the number of the revocation list. ``ends`` and
    ``renew_from`` are null for what has no end or is not there yet, ``awaited_since`` where no request is
    open; ``request_file`` is where the request of a host that makes its own key is to be put.
    ``is_installed`` is null where nobody has told, ``install_by`` where nothing fails on a day. ``source``
    says how it is known what the host has since ``installed_at``, ``in_use_ends`` when the certificate ends
    that it has, or may have, in use, ``install_because`` why it has to install, the gravest first.
    """

    kind: Literal["authority", "trust-bundle", "revocation-list", "server", "client"]
    name: str
    state: Literal["valid", "renew-soon", "expired", "not-yet-valid", "revoked", "awaited", "not-issued"]
    next_step: Literal[
        "none", "build", "order", "import", "bring-request", "withdraw", "install", "replace-authority"
    ]
    ends: str | None
    renew_from: str | None
    serial: str | None
    awaited_since: str | None
    request_file: str | None
    is_installed: bool | None
    install_by: str | None
    is_overdue: bool
    install_because: list[
        Literal[
            "key-compromised",
            "revoked",
            "names-changed",
            "not-yet-valid",
            "key-changed",
            "profile-changed",
            "issuer-changed",
            "renewed",
            "revocation-list",
            "trust",
            "settings",
        ]
    ]
    in_use_ends: str | None
    installed_at: str | None
    source: Literal["operator", "receipt", "live"] | None


class SkippedOutput(TypedDict):
    """A host that holds up no stage, since when and why."""

    host: str
    at: str
    reason: str


class BackupOutput(TypedDict):
    """When the store was last backed up, null where never, and whether it holds more by now."""

    at: str | None
    changed_since: bool


class StatusOutput(TypedDict):
    """What ``ipmpki status --format json`` writes: what is not there yet first, then what ends first.

    The summary counts the certificates of hosts by state, ``hosts_without`` the hosts that need none, and
    ``declaration_errors`` what of pki.toml cannot be understood.
    """

    version: Literal[1]
    declaration: str
    pki: str
    at: str
    standings: list[StandingOutput]
    summary: dict[str, int]
    hosts_without: int
    waiting_for_trust: list[str]
    mutual_auth: MutualAuthOutput | None
    not_known_to_be_installed: list[str]
    skipped: list[SkippedOutput]
    backup: BackupOutput
    declaration_errors: int


class EventOutput(TypedDict):
    """An entry of the ledger; host and serial are null for what is no single host's. Times are in UTC.

    A host as ``NAME/client`` is the second certificate of a server, for where its programs are clients.
    """

    at: str
    what: str
    host: str | None
    serial: str | None
    why: str
    user: str


class LogOutput(TypedDict):
    """What ``ipmpki log --format json`` writes, the newest entry last."""

    version: Literal[1]
    events: list[EventOutput]


class ShownCertificateOutput(TypedDict):
    """A certificate, and why it came and went. It is retired when another took its place or its host went.

    The serial number and the SHA-256 fingerprint are hexadecimal, times in UTC.
    """

    serial: str
    state: Literal["valid", "expired", "retired", "revoked"]
    profile: Literal["server", "server-mutual", "client"]
    common_name: str | None
    dns_names: list[str]
    addresses: list[str]
    not_before: str
    not_after: str
    key: str
    key_usage: list[str]
    extended_key_usage: list[str]
    subject: str
    issuer: str
    fingerprint: str
    days_left: Balance
    is_current: bool
    issued: EventOutput | None
    retired_at: str | None
    retired_by: EventOutput | None
    revoked_at: str | None
    revocation_reason: str | None


class ShowOutput(TypedDict):
    """What ``ipmpki show --format json`` writes: a certificate, those before it, how many came after it.

    ``also`` is the name by which a server's second certificate can be shown, null where there is none.
    """

    version: Literal[1]
    host: str
    at: str
    certificate: ShownCertificateOutput
    before: list[ShownCertificateOutput]
    later: int
    also: str | None


class SeenCertificateOutput(TypedDict):
    """A certificate that verify was shown: ``file`` is its file or server, ``number`` its place in it from 0.

    Times are in UTC, serial number and SHA-256 fingerprint hexadecimal. Usages are null where the
    certificate does not limit them. ``days_left`` is negative after its end. ``origin`` is what the store
    says of it, null where no store was asked; ``host`` whose it is there.
    """

    file: str
    number: int
    subject: str
    issuer: str
    common_name: str | None
    dns_names: list[str]
    addresses: list[str]
    is_authority: bool
    not_before: str
    not_after: str
    days_left: Balance
    key: str
    key_usage: list[str] | None
    extended_key_usage: list[str] | None
    serial: str
    fingerprint: str
    origin: Literal["current", "replaced", "revoked", "authority", "former-authority", "unknown"] | None
    host: str | None


class VerifiedOutput(ProblemsOutput):
    """What ``ipmpki verify --format json`` writes: the certificates that it saw, and what is wrong."""

    certificates: list[SeenCertificateOutput]


class ManifestFileOutput(TypedDict):
    """One file of a host's folder: its name, its SHA-256 in hexadecimal, its mode in octal."""

    name: str
    sha256: str
    mode: str


class ManifestOutput(TypedDict):
    """``manifest.json`` of a host's folder."""

    version: Literal[1]
    host: str
    files: list[ManifestFileOutput]


class AdoptedAuthorityOutput(TypedDict):
    """The authority that was adopted; ``is_encrypted`` is of its key in the store."""

    subject: str
    fingerprint: str
    key: str
    not_after: str
    is_encrypted: bool


class AdoptedHostOutput(TypedDict):
    """A host of the new pki.toml; serial number and end of its certificate are null where it has none."""

    name: str
    role: Literal["server", "client"]
    serial: str | None
    not_after: str | None


class PastCertificateOutput(TypedDict):
    """A certificate that went into the ledger as history; ``revoked_at`` is null where it was not revoked."""

    serial: str
    holder: str
    not_after: str
    revoked_at: str | None
    reason: str | None


class LeftOutOutput(TypedDict):
    """Something that could not be taken: its file below the old folder, empty where it has none."""

    code: str
    file: str
    message: str
    help: str | None


class RepairedOutput(TypedDict):
    """A file that was read by looking past its form, and how."""

    file: str
    message: str


class AdoptionOutput(TypedDict):
    """What ``ipmpki adopt --format json`` writes. ``check`` are the problems of the new pki.toml."""

    version: Literal[1]
    folder: str
    declaration: str
    is_written: bool
    authority: AdoptedAuthorityOutput
    hosts: list[AdoptedHostOutput]
    past: list[PastCertificateOutput]
    next_revocation_list: int
    left_out: list[LeftOutOutput]
    repaired: list[RepairedOutput]
    passed_over: list[str]
    check: ProblemsOutput
