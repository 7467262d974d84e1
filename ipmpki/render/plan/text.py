"""A plan as text for people, in the manner of terraform's, and as JSON for programs and for ``--plan``."""

from __future__ import annotations

import re
from textwrap import wrap
from typing import TYPE_CHECKING

from ipmpki.diagnostics.escape import visible_lines
from ipmpki.diagnostics.wording import counted, day
from ipmpki.plans.plan import (
    Action,
    Artifact,
    Awaited,
    Change,
    Difference,
    MutualAuthStage,
    Plan,
    ReasonCode,
    Stage,
)

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime


MOST_HOSTS_NAMED = 20
WIDTH = 80

_MARKS = {
    Action.CREATE: "+",
    Action.RENEW: "~",
    Action.REPLACE: "-/+",
    Action.REVOKE: "-",
    Action.RESTORE: "~",
    Action.REMOVE: "-",
}
_COLOURS = {"+": "32", "~": "33", "-/+": "35", "-": "31"}
_NOUNS = {
    Artifact.CA_CERTIFICATE: "certificate authority",
    Artifact.CA_KEY: "the authority's key",
    Artifact.CRL: "revocation list",
    Artifact.BUNDLE: "trust bundle",
    Artifact.REQUEST: "certificate request",
    Artifact.SERVER_CERTIFICATE: "server certificate",
    Artifact.CLIENT_CERTIFICATE: "client certificate",
    Artifact.FOLDER: "folder",
    Artifact.PLAYBOOK: "playbook",
    Artifact.REPORT: "report",
}
ORDER = (Action.CREATE, Action.RENEW, Action.REPLACE, Action.REVOKE, Action.RESTORE, Action.REMOVE)


def render_plan_text(plan: Plan, *, colour: bool = False) -> str:
    """The plan for people: a mark, what it is about, old and new values, why; then one line that sums up."""
    text = visible_lines("\n".join(_lines(plan))) + "\n"
    return _MARK.sub(_painted, text) if colour else text


_MARK = re.compile(r"^ *(-/\+|[-+~])(?= [a-z]+ )", re.MULTILINE)


def _painted(found: re.Match[str]) -> str:
    return f"\x1b[{_COLOURS[found[1]]}m{found[0]}\x1b[0m"


def _lines(plan: Plan) -> Iterator[str]:
    if not plan.changes:
        yield nothing_to_do(plan)
        yield from awaited_lines(plan)
        return
    yield f"As of {plan.at:%Y-%m-%d %H:%M} UTC, a build would do this:"
    yield ""
    for change in plan.changes:
        yield from _change_lines(change, plan.at)
    counts = plan.summary
    parts = [f"{counts[action]} to {action.value}" for action in ORDER if counts[action]]
    yield ""
    yield f"Plan: {', '.join(parts)}{kept_words(plan)}."
    yield from awaited_lines(plan)
    if plan.replaces_ca and not plan.allows_ca_replacement:
        yield ""
        yield from wrapped(
            "This replaces the certificate authority, and with it every certificate: 'build' does it only"
            " with --replace-ca. Until a host has its new files, it cannot talk to hosts that have theirs."
        )


def wrapped(text: str) -> list[str]:
    """A sentence in lines that fit a terminal."""
    return wrap(text, WIDTH, break_on_hyphens=False, break_long_words=False)


def change_words(change: Change) -> str:
    """What a change is to, in words."""
    noun = _NOUNS[change.artifact]
    return f"{noun} of {change.host}" if change.host else noun


def nothing_to_do(plan: Plan) -> str:
    """What to say of an empty plan."""
    kept = counted(plan.kept, "artifact")
    if plan.awaited:
        return (
            f"Nothing to do but to wait for {counted(len(plan.awaited), 'certificate')} ({kept} as declared)."
        )
    return f"Nothing to do: everything is as declared ({kept})."


_STAGES = {
    Stage.TRUST_BOTH: (1, "every host gets the new authority to trust, beside the one before"),
    Stage.REISSUE: (2, "every certificate is issued anew, by the new authority"),
    Stage.RETIRE: (3, "hosts cease to trust the old authority, as nothing in use is signed by it any more"),
}


_TURNS = {
    MutualAuthStage.HAND_OUT: (
        "turned on",
        1,
        "every host gets a certificate that it shows where it is a client; no server asks for one yet",
    ),
    MutualAuthStage.ASK: ("turned on", 2, "servers ask clients for certificates, as every host has one"),
    MutualAuthStage.RELEASE: (
        "turned off",
        1,
        "servers stop asking clients for certificates; what clients show stays valid until all have",
    ),
    MutualAuthStage.WITHDRAW: (
        "turned off",
        2,
        "what hosts showed as clients is taken back, as no server asks for it any more",
    ),
}


def stage_lines(plan: Plan) -> Iterator[str]:
    """How far what takes several builds has come, each after an empty line; nothing where nothing does."""
    rollover, turn = plan.rollover, plan.mutual_auth
    if rollover is not None:
        number, what = _STAGES[rollover.stage]
        yield ""
        yield from wrap(f"The authority is replaced without an outage, step {number} of 3: {what}.", WIDTH)
        yield from _waiting_lines(rollover.waiting)
    if turn is not None:
        way, number, what = _TURNS[turn.stage]
        yield ""
        text = f"Mutual authentication is {way} without an outage, step {number} of 2: {what}."
        yield from wrap(text, WIDTH)
        yield from _waiting_lines(turn.waiting)


def _waiting_lines(waiting: tuple[str, ...]) -> Iterator[str]:
    if not waiting:
        return
    named = ", ".join(waiting[:MOST_HOSTS_NAMED])
    more = f" and {len(waiting) - MOST_HOSTS_NAMED} more" if len(waiting) > MOST_HOSTS_NAMED else ""
    yield from wrap(
        f"The next step begins when all have installed it. Not known of {counted(len(waiting), 'host')}:"
        f" {named}{more}.",
        WIDTH,
        break_on_hyphens=False,
    )
    yield "When a host has, say so:  ipmpki installed pki.toml HOST... (or --all)"


def render_stages(plan: Plan) -> str:
    """How far an authority has taken over from another; empty where none does."""
    return "\n".join(stage_lines(plan)).lstrip("\n")


def awaited_lines(plan: Plan) -> Iterator[str]:
    """What has to be brought, or said, before all is as declared; each group after an empty line."""
    yield from stage_lines(plan)
    for awaited, heading in (
        (bought(plan), "Awaited from the authority, to be brought in with 'ipmpki import'"),
        (requested(plan), "Awaited from the hosts, which make key and request themselves"),
    ):
        if not awaited:
            continue
        yield ""
        yield f"{heading}: {len(awaited)}"
        width = max(len(one.host) for one in awaited)
        for one in awaited:
            since = (
                f"since {one.since:%Y-%m-%d}" if one.since is not None else "to be ordered after this build"
            )
            yield f"  {one.host:<{width}}  {_NOUNS[one.artifact]}, {since if one.file is None else one.file}"


def bought(plan: Plan) -> list[Awaited]:
    """What an authority elsewhere has to issue."""
    return [one for one in plan.awaited if one.file is None]


def requested(plan: Plan) -> list[Awaited]:
    """What hosts have to request."""
    return [one for one in plan.awaited if one.file is not None]


def _change_lines(change: Change, at: datetime) -> Iterator[str]:
    subject = f"  {change.host}" if change.host else ""
    yield f"{_MARKS[change.action]:>3} {change.action} {_NOUNS[change.artifact]}{subject}"
    fields = [(one.field, _transition(one)) for one in change.differences]
    if change.action is not Action.CREATE or not fields:
        fields += [("because", f"{reason.code}: {reason.detail}") for reason in change.reasons]
    if change.install_by is not None:
        fields.append(("install by", install_by_words(change, at)))
    width = max(len(field) for field, _ in fields)
    for field, value in fields:
        label = f"        {field:<{width}}  "
        yield from wrap(
            value or "-",
            WIDTH,
            initial_indent=label,
            subsequent_indent=" " * len(label),
            break_on_hyphens=False,
            break_long_words=False,
        )


_UNTIL_THEN = {
    ReasonCode.REVOKED: "until then it shows one that is revoked",
    ReasonCode.NAMES_CHANGED: "until then clients that use a new name or address fail",
    ReasonCode.NOT_YET_VALID: "the one it has is not valid yet",
    ReasonCode.EXPIRED: "the one it has has ended",
}


def install_by_words(change: Change, at: datetime) -> str:
    """By when a host has to install what a change gives it, and what comes of it until then."""
    assert change.install_by is not None  # noqa: S101 -- the callers look
    if change.artifact is Artifact.FOLDER:
        ends = "when the revocation list that it has runs out"
        return f"{day(change.install_by)}, {ends}" if change.install_by > at else f"now: {_LET_IN}"
    if change.install_by > at:
        return f"{day(change.install_by)}, when what it has now ends"
    codes = {reason.code for reason in change.reasons}
    words = next((words for code, words in _UNTIL_THEN.items() if code in codes), "what it had has ended")
    return f"now: {words}"


_LET_IN = "until then it lets in a key that is compromised"


def _transition(difference: Difference) -> str:
    if difference.old is None:
        return difference.new or ""
    return f"{difference.old} -> {difference.new or '(none)'}"


def kept_words(plan: Plan) -> str:
    """The end of a sum: how much stays as it is."""
    return f"; {plan.kept} kept" if plan.kept else ""
