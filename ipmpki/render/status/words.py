"""The status in words, the same for the table, the monitor's line and the calendar."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from ipmpki.diagnostics.escape import visible
from ipmpki.diagnostics.wording import counted, day, days
from ipmpki.plans.installation import Cause
from ipmpki.plans.plan import MutualAuthStage
from ipmpki.plans.status import Kind, Standing, State, Step

if TYPE_CHECKING:
    from datetime import datetime

    from ipmpki.plans.status import Status

KINDS = {
    Kind.AUTHORITY: "CA",
    Kind.BUNDLE: "CAs",
    Kind.REVOCATION_LIST: "CRL",
    Kind.SERVER: "server",
    Kind.CLIENT: "client",
}
STATES = {state: state.value.replace("-", " ") for state in State}
COUNTED_STATES = STATES | {State.RENEW_SOON: "to renew soon"}
TURNS = {
    MutualAuthStage.HAND_OUT: "on: servers ask when all have certificates",
    MutualAuthStage.RELEASE: "off: clients keep certificates until no server asks",
}


def backup_words(status: Status) -> str:
    """When the store was last backed up, and whether that has all that it holds."""
    last = status.backup
    if last.at is None:
        return "never backed up"
    age = (status.at - last.at).days
    ago = f"{days(age)} ago" if age > 0 else "today"
    return f"backed up {ago}" + (", and changed since" if last.changed_since else "")


_STEPS = {
    Step.ORDER: "build, then order",
    Step.IMPORT: "import what comes",
    Step.WITHDRAW: "build withdraws it",
    Step.REPLACE_AUTHORITY: "replace the CA",
}


CAUSES = {
    Cause.COMPROMISED: "its compromised key is in use",
    Cause.REVOKED: "a revoked certificate is in use",
    Cause.NAMES: "new names are not in use",
    Cause.NOT_YET_VALID: "what it has is not valid yet",
    Cause.KEY: "its new key is not in use",
    Cause.PROFILE: "its new certificate is not in use",
    Cause.ISSUER: "its new authority's certificate is not in use",
    Cause.RENEWAL: "the renewed certificate is not in use",
    Cause.LIST: "its revocation list is old",
    Cause.TRUST: "it lacks an authority",
    Cause.SETTINGS: "its settings are old",
}


def name_of(one: Standing) -> str:
    """What a person calls it."""
    if one.kind is Kind.REVOCATION_LIST:
        return f"revocation list, {one.name}"
    if one.kind is Kind.AUTHORITY:
        return f"the authority '{visible(one.name)}'"
    return visible(one.name)


def step_of(one: Standing, at: datetime) -> str:  # noqa: PLR0911 -- one for each step
    """What to do next, in a few words."""
    if one.is_overdue(at) and one.step in {Step.NONE, Step.INSTALL} and one.install_by is not None:
        return f"overdue since {day(one.install_by)}"
    if one.step is Step.NONE:
        verb = "new CA" if one.kind is Kind.AUTHORITY else "renew"
        return f"{verb} from {day(one.renew_from)}" if one.renew_from is not None else "-"
    if one.step is Step.BRING_REQUEST:
        return f"bring {visible(one.request_file or '')}"
    if one.step is Step.INSTALL:
        if one.kind is Kind.AUTHORITY:
            return "until all have installed"
        return f"install by {day(one.install_by)}" if one.install_by is not None else "install"
    if one.step is Step.BUILD and one.kind is Kind.AUTHORITY:
        return "build its successor"
    if one.step is Step.BUILD:
        return "build, then install" if one.kind.is_host else "build"
    return _STEPS[one.step]


def installed(one: Standing) -> str:
    """Whether the host is known to have it."""
    if not one.kind.is_host or one.serial is None:
        return ""
    return {True: "yes", False: "no", None: "?"}[one.is_installed]


def time_left(one: Standing, at: datetime) -> str:
    """How long it holds: ``396 days``, ``5 hours``, ``3 days ago``, ``-`` for what has no end."""
    if one.ends is None:
        return "-"
    left = one.ends - at
    if left <= timedelta():
        gone = (at - one.ends).days
        return f"{days(gone)} ago" if gone else "today"
    hours = int(left / timedelta(hours=1))
    if hours < 1:
        return "under 1 hour"
    return days(left.days) if left.days else counted(hours, "hour")


def sentence_of(one: Standing, at: datetime) -> str:  # noqa: PLR0911 -- one for each state
    """A line of the status as a clause: ``desk1.example.com expired 3 days ago``."""
    name = name_of(one)
    if one.state is State.REVOKED:
        return f"{name} is revoked"
    if one.state is State.NOT_ISSUED:
        return f"{name} has no certificate yet"
    if one.state is State.AWAITED:
        since = f" since {day(one.awaited_since)}" if one.awaited_since is not None else ""
        return f"{name} is awaited{since}"
    if one.state is State.NOT_YET_VALID:
        return f"{name} is not valid yet"
    if one.state is State.EXPIRED:
        return f"{name} expired {time_left(one, at)}"
    if one.install_by is not None:
        return f"{name} {_installation(one, at)}"
    return f"{name} ends in {time_left(one, at)}"


def _installation(one: Standing, at: datetime) -> str:
    assert one.install_by is not None  # noqa: S101 -- the caller looks
    if not one.is_overdue(at):
        return f"is to be installed by {day(one.install_by)}"
    return f"overdue since {day(one.install_by)}: {CAUSES[one.causes[0]]}"
