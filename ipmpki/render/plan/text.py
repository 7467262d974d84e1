"""A plan as text for people, in the manner of terraform's, and as JSON for programs and for ``--plan``."""

from __future__ import annotations

import json
from datetime import datetime
from textwrap import wrap
from typing import TYPE_CHECKING, Any

from ipmpki.diagnostics.fault import UnreadableFile
from ipmpki.diagnostics.wording import counted
from ipmpki.plans.plan import (
    Action,
    Artifact,
    Awaited,
    Change,
    Difference,
    Plan,
    Reason,
    ReasonCode,
    Rollover,
    Stage,
)

if TYPE_CHECKING:
    from collections.abc import Iterator


VERSION = 1
MOST_HOSTS_NAMED = 20
WIDTH = 96

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


def render_plan_json(plan: Plan) -> str:
    """The plan as JSON, one object, ending in a newline."""
    document = {
        "version": VERSION,
        "at": f"{plan.at:%Y-%m-%dT%H:%M:%SZ}",
        "changes": [_change_object(change) for change in plan.changes],
        "summary": plan.summary,
        "awaited": [_awaited_object(one) for one in plan.awaited],
        "rollover": _rollover_object(plan.rollover),
        "allows_ca_replacement": plan.allows_ca_replacement,
        "world": plan.world,
    }
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def _change_object(change: Change) -> dict[str, Any]:
    return {
        "action": change.action.value,
        "host": change.host,
        "artifact": change.artifact.value,
        "reasons": [{"code": reason.code.value, "detail": reason.detail} for reason in change.reasons],
        "differences": [
            {"field": difference.field, "old": difference.old, "new": difference.new}
            for difference in change.differences
        ],
        "install_by": _written(change.install_by),
    }


def _written(moment: datetime | None) -> str | None:
    return None if moment is None else f"{moment:%Y-%m-%dT%H:%M:%SZ}"


def _awaited_object(one: Awaited) -> dict[str, str | None]:
    since = _written(one.since)
    return {"host": one.host, "artifact": one.artifact.value, "since": since, "file": one.file}


def _rollover_object(one: Rollover | None) -> dict[str, Any] | None:
    if one is None:
        return None
    return {
        "stage": one.stage.value,
        "signs": one.signs,
        "retires": list(one.retires),
        "waiting": list(one.waiting),
    }


def read_plan_json(content: bytes, name: str) -> Plan:
    """A saved plan. Raises UnreadableFile where it is not one, or is from a newer version."""
    try:
        document = json.loads(content)
        if document["version"] != VERSION:
            message = f"'{name}' is a plan of format {document['version']}; this ipmpki knows {VERSION}"
            raise UnreadableFile(message, "save the plan again with this ipmpki")
        return Plan(
            at=datetime.fromisoformat(document["at"]),
            changes=tuple(map(_change, document["changes"])),
            kept=int(document["summary"]["keep"]),
            world=str(document["world"]),
            allows_ca_replacement=bool(document["allows_ca_replacement"]),
            awaited=tuple(map(_awaited, document["awaited"])),
            rollover=_rollover(document["rollover"]),
        )
    except (ValueError, KeyError, TypeError) as error:
        message = f"'{name}' is not a saved plan"
        raise UnreadableFile(message, "save one with: ipmpki plan pki.toml --out FILE") from error


def _change(document: dict[str, Any]) -> Change:
    return Change(
        Action(document["action"]),
        document["host"],
        Artifact(document["artifact"]),
        tuple(Reason(ReasonCode(reason["code"]), reason["detail"]) for reason in document["reasons"]),
        tuple(Difference(one["field"], one["old"], one["new"]) for one in document["differences"]),
        datetime.fromisoformat(document["install_by"]) if document["install_by"] is not None else None,
    )


def _rollover(document: dict[str, Any] | None) -> Rollover | None:
    if document is None:
        return None
    return Rollover(
        Stage(document["stage"]),
        document["signs"],
        tuple(document["retires"]),
        tuple(document["waiting"]),
    )


def _awaited(document: dict[str, Any]) -> Awaited:
    since = document["since"]
    return Awaited(
        document["host"],
        Artifact(document["artifact"]),
        datetime.fromisoformat(since) if since is not None else None,
        document["file"],
    )


def render_plan_text(plan: Plan, *, colour: bool = False) -> str:
    """The plan for people: a mark, what it is about, old and new values, why; then one line that sums up."""
    return "\n".join(_lines(plan, colour=colour)) + "\n"


def _lines(plan: Plan, *, colour: bool) -> Iterator[str]:
    if not plan.changes:
        yield nothing_to_do(plan)
        yield from awaited_lines(plan)
        return
    yield f"As of {plan.at:%Y-%m-%d %H:%M} UTC, a build would do this:"
    yield ""
    for change in plan.changes:
        yield from _change_lines(change, colour=colour)
    counts = plan.summary
    parts = [f"{counts[action]} to {action.value}" for action in ORDER if counts[action]]
    yield ""
    yield f"Plan: {', '.join(parts)}{kept_words(plan)}."
    yield from awaited_lines(plan)
    if plan.replaces_ca and not plan.allows_ca_replacement:
        yield ""
        yield "This replaces the certificate authority, and with it every certificate: 'build' does it only"
        yield "with --replace-ca. Until a host has its new files, it cannot talk to hosts that have theirs."


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
    Stage.RETIRE: (3, "the authority before goes: nothing that is in use is its own"),
}


def rollover_lines(plan: Plan) -> Iterator[str]:
    """How far an authority has taken over from another, after an empty line; nothing where none does."""
    rollover = plan.rollover
    if rollover is None:
        return
    number, what = _STAGES[rollover.stage]
    yield ""
    yield from wrap(f"The authority is replaced without an outage, step {number} of 3: {what}.", WIDTH)
    waiting = rollover.waiting
    if waiting:
        named = ", ".join(waiting[:MOST_HOSTS_NAMED])
        more = f" and {len(waiting) - MOST_HOSTS_NAMED} more" if len(waiting) > MOST_HOSTS_NAMED else ""
        yield from wrap(
            f"The next step begins when all have installed it. Not known of {counted(len(waiting), 'host')}:"
            f" {named}{more}.",
            WIDTH,
            break_on_hyphens=False,
        )
        yield "When a host has, say so:  ipmpki installed pki.toml HOST... (or --all)"


def render_rollover(plan: Plan) -> str:
    """How far an authority has taken over from another; empty where none does."""
    return "\n".join(rollover_lines(plan)).lstrip("\n")


def awaited_lines(plan: Plan) -> Iterator[str]:
    """What has to be brought, or said, before all is as declared; each group after an empty line."""
    yield from rollover_lines(plan)
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


def _change_lines(change: Change, *, colour: bool) -> Iterator[str]:
    mark = _MARKS[change.action]
    shown = f"\x1b[{_COLOURS[mark]}m{mark:>3}\x1b[0m" if colour else f"{mark:>3}"
    subject = f"  {change.host}" if change.host else ""
    yield f"{shown} {change.action} {_NOUNS[change.artifact]}{subject}"
    fields = [(one.field, _transition(one)) for one in change.differences]
    if change.action is not Action.CREATE or not fields:
        fields += [("because", f"{reason.code}: {reason.detail}") for reason in change.reasons]
    ended = any(reason.code is ReasonCode.EXPIRED for reason in change.reasons)
    if change.install_by is not None and not ended:
        fields.append(("install by", f"{change.install_by:%Y-%m-%d}, when what it has now ends"))
    width = max(len(field) for field, _ in fields)
    for field, value in fields:
        yield f"        {field:<{width}}  {value}"


def _transition(difference: Difference) -> str:
    if difference.old is None:
        return difference.new or ""
    return f"{difference.old} -> {difference.new or '(none)'}"


def kept_words(plan: Plan) -> str:
    """The end of a sum: how much stays as it is."""
    return f"; {plan.kept} kept" if plan.kept else ""
