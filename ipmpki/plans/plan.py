"""Plans as values: what changes, and why."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from ipmpki.plans.digest import Digest


class Action(StrEnum):
    """What happens to an artifact. ``keep`` is only ever counted: what is kept is not a change."""

    CREATE = "create"
    RENEW = "renew"
    REPLACE = "replace"
    REVOKE = "revoke"
    RESTORE = "restore"
    REMOVE = "remove"
    KEEP = "keep"


class ReasonCode(StrEnum):
    """Why an artifact changes."""

    NEW_HOST = "new-host"
    NAMES_CHANGED = "names-changed"
    KEY_CHANGED = "key-changed"
    PROFILE_CHANGED = "profile-changed"
    EXPIRING = "expiring"
    EXPIRED = "expired"
    NOT_YET_VALID = "not-yet-valid"
    ISSUER_CHANGED = "issuer-changed"
    REVOKED = "revoked"
    HOST_REMOVED = "host-removed"
    FILES_MISSING = "files-missing"
    FILES_CHANGED = "files-changed"
    SETTINGS_CHANGED = "settings-changed"


class Artifact(StrEnum):
    """What a change is about.

    ``folder`` is a host's folder under dist/hosts, ``playbook`` the inventory and playbooks in dist/ansible.
    ``request`` is a certificate signing request and ``bundle`` the authorities that hosts trust, where
    certificates are bought.
    """

    CA_CERTIFICATE = "ca-certificate"
    CA_KEY = "ca-key"
    CRL = "crl"
    BUNDLE = "bundle"
    REQUEST = "request"
    SERVER_CERTIFICATE = "server-certificate"
    CLIENT_CERTIFICATE = "client-certificate"
    FOLDER = "folder"
    PLAYBOOK = "playbook"
    REPORT = "report"


class Reason(NamedTuple):
    """A reason's stable code and what it means here, in words."""

    code: ReasonCode
    detail: str


class Difference(NamedTuple):
    """A field that gets another value; None where there was or will be none."""

    field: str
    old: str | None
    new: str | None


@dataclass(frozen=True, slots=True)
class Change:
    """One thing a build does. ``host`` is None for the CA, its CRL, the playbook and the report.

    ``install_by`` is until when what the host has now will do, where that is known.
    """

    action: Action
    host: str | None
    artifact: Artifact
    reasons: tuple[Reason, ...]
    differences: tuple[Difference, ...] = ()
    install_by: datetime | None = None


@dataclass(frozen=True, slots=True)
class Awaited:
    """A certificate that cannot be issued here: it was asked for, and has to be brought.

    ``since`` is when its request was made; None where this build makes it, or where the host has to make it:
    then ``file`` is where it is to be put.
    """

    host: str
    artifact: Artifact
    since: datetime | None
    file: str | None = None


class Stage(StrEnum):
    """How far an authority has taken over from another."""

    TRUST_BOTH = "trust-both"
    REISSUE = "reissue"
    RETIRE = "retire"


@dataclass(frozen=True, slots=True)
class Rollover:
    """One authority taking over from another.

    ``signs`` is the SHA-256 of the one that signs the hosts' certificates in this stage, ``retires`` has
    those that are not trusted from now on. The next stage begins when the hosts of ``waiting`` are known to
    have installed what this one gave them.
    """

    stage: Stage
    signs: str
    retires: tuple[str, ...]
    waiting: tuple[str, ...]


class MutualAuthStage(StrEnum):
    """How far mutual authentication is turned on, in the first two, or off, in the others."""

    HAND_OUT = "hand-out"
    ASK = "ask"
    RELEASE = "release"
    WITHDRAW = "withdraw"


class MutualAuthChange(NamedTuple):
    """Mutual authentication being turned on or off.

    On: every host gets what it shows as a client, then servers ask for it. Off: servers stop asking, then
    what clients show is taken back. The second stage begins when the hosts of ``waiting`` are known to have
    installed what the first one gave them.
    """

    stage: MutualAuthStage
    waiting: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Drift:
    """How the folders of dist/ differ from what was published: file names by folder."""

    missing: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    changed: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def reasons(self, folder: str, name: str | None = None) -> tuple[Reason, ...]:
        """Why a folder must be restored, or one file of it where a name is given."""
        reasons = []
        for code, drifted in (
            (ReasonCode.FILES_MISSING, self.missing),
            (ReasonCode.FILES_CHANGED, self.changed),
        ):
            affected = [file for file in drifted.get(folder, ()) if name is None or file.startswith(name)]
            if affected:
                reasons.append(Reason(code, ", ".join(affected)))
        return tuple(reasons)


@dataclass(frozen=True, slots=True)
class Plan:
    """A list of changes. ``world`` identifies the declaration, store and disk it was made for.

    ``allows_ca_replacement`` is true when the operator said ``--replace-ca``. ``awaited`` tells of
    certificates that have to be brought before all is as declared.
    """

    at: datetime
    changes: tuple[Change, ...]
    kept: int
    world: Digest
    allows_ca_replacement: bool = False
    awaited: tuple[Awaited, ...] = ()
    rollover: Rollover | None = None
    mutual_auth: MutualAuthChange | None = None

    @property
    def replaces_ca(self) -> bool:
        """Whether the authority is replaced, and with it every certificate."""
        return any(
            change.artifact is Artifact.CA_CERTIFICATE and change.action is Action.REPLACE
            for change in self.changes
        )

    @property
    def irrevocable(self) -> frozenset[tuple[Action, str | None, Artifact]]:
        """What no later build can take back: certificates revoked, the authority replaced."""
        return frozenset(
            (change.action, change.host, change.artifact)
            for change in self.changes
            if change.action is Action.REVOKE
            or (change.action is Action.REPLACE and change.artifact is Artifact.CA_CERTIFICATE)
        )

    @property
    def is_staged(self) -> bool:
        """Whether it is a step of several, after which hosts may be installed in any order."""
        return self.rollover is not None or self.mutual_auth is not None

    @property
    def waits_for_hosts(self) -> bool:
        """Whether the next step begins when hosts are known to have installed this one."""
        return bool(
            (self.rollover and self.rollover.waiting) or (self.mutual_auth and self.mutual_auth.waiting)
        )

    @property
    def summary(self) -> dict[str, int]:
        """How many changes there are of each action, and how many artifacts are kept."""
        counts = Counter(change.action for change in self.changes)
        return {action.value: counts[action] for action in Action if action is not Action.KEEP} | {
            Action.KEEP.value: self.kept
        }


def why(change: Change) -> str:
    """The reasons of a change, in words for the ledger."""
    return "; ".join(f"{reason.code}: {reason.detail}" for reason in change.reasons)
