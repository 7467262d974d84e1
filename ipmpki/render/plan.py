"""A plan as text for people, in the manner of terraform's, and as JSON for programs and for ``--plan``."""

from __future__ import annotations

import json
from datetime import datetime
from textwrap import wrap
from typing import TYPE_CHECKING, Any

from ipmpki.changes import (
    PLAYBOOK_FOLDER,
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
    host_folder,
)
from ipmpki.faults import UnreadableFile
from ipmpki.vocabulary import OperatingSystem, Role

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ipmpki.fleet import Fleet, HostSpec

VERSION = 1

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
_ORDER = (Action.CREATE, Action.RENEW, Action.REPLACE, Action.REVOKE, Action.RESTORE, Action.REMOVE)


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
        yield _nothing_to_do(plan)
        yield from _awaited_lines(plan)
        return
    yield f"As of {plan.at:%Y-%m-%d %H:%M} UTC, a build would do this:"
    yield ""
    for change in plan.changes:
        yield from _change_lines(change, colour=colour)
    counts = plan.summary
    parts = [f"{counts[action]} to {action.value}" for action in _ORDER if counts[action]]
    yield ""
    yield f"Plan: {', '.join(parts)}{_kept(plan)}."
    yield from _awaited_lines(plan)
    if plan.replaces_ca and not plan.allows_ca_replacement:
        yield ""
        yield "This replaces the certificate authority, and with it every certificate: 'build' does it only"
        yield "with --replace-ca. Until a host has its new files, it cannot talk to hosts that have theirs."


def _nothing_to_do(plan: Plan) -> str:
    kept = _count(plan.kept, "artifact")
    if plan.awaited:
        return (
            f"Nothing to do but to wait for {_count(len(plan.awaited), 'certificate')} ({kept} as declared)."
        )
    return f"Nothing to do: everything is as declared ({kept})."


_STAGES = {
    Stage.TRUST_BOTH: (1, "every host gets the new authority to trust, beside the one before"),
    Stage.REISSUE: (2, "every certificate is issued anew, by the new authority"),
    Stage.RETIRE: (3, "the authority before goes: nothing that is in use is its own"),
}


def _rollover_lines(plan: Plan, width: int = 96) -> Iterator[str]:
    rollover = plan.rollover
    if rollover is None:
        return
    number, what = _STAGES[rollover.stage]
    yield ""
    yield f"The authority is replaced without an outage, step {number} of 3: {what}."
    waiting = rollover.waiting
    if waiting:
        named = ", ".join(waiting[:MOST_HOSTS_NAMED])
        more = f" and {len(waiting) - MOST_HOSTS_NAMED} more" if len(waiting) > MOST_HOSTS_NAMED else ""
        yield from wrap(
            f"The next step begins when all have installed it. Not known of {_count(len(waiting), 'host')}:"
            f" {named}{more}.",
            width,
            break_on_hyphens=False,
        )
        yield "When a host has, say so:  ipmpki installed pki.toml HOST... (or --all)"


def render_rollover(plan: Plan) -> str:
    """How far an authority has taken over from another; empty where none does."""
    return "\n".join(_rollover_lines(plan)).lstrip("\n")


def _awaited_lines(plan: Plan) -> Iterator[str]:
    yield from _rollover_lines(plan)
    for awaited, heading in (
        (_bought(plan), "Awaited from the authority, to be brought in with 'ipmpki import'"),
        (_requested(plan), "Awaited from the hosts, which make key and request themselves"),
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


def _bought(plan: Plan) -> list[Awaited]:
    return [one for one in plan.awaited if one.file is None]


def _requested(plan: Plan) -> list[Awaited]:
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


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


MOST_HOSTS_NAMED = 20
_DONE = {
    Action.CREATE: "created",
    Action.RENEW: "renewed",
    Action.REPLACE: "replaced",
    Action.REVOKE: "revoked",
    Action.RESTORE: "restored",
    Action.REMOVE: "removed",
}


def render_outcome(plan: Plan, fleet: Fleet | None, dist: str) -> str:
    """What a build did, and what is to be done now on which host. ``dist`` is the folder as people see it."""
    return "\n".join(_outcome_lines(plan, fleet, dist)) + "\n"


def _outcome_lines(plan: Plan, fleet: Fleet | None, dist: str) -> Iterator[str]:
    if not plan.changes:
        yield _nothing_to_do(plan)
        yield from _awaited_lines(plan)
        return
    counts = plan.summary
    done = [f"{counts[action]} {_DONE[action]}" for action in _ORDER if counts[action]]
    yield f"Done: {', '.join(done)}{_kept(plan)}."
    changed = {change.host for change in plan.changes if change.action not in {Action.REMOVE, Action.REVOKE}}
    hosts = [host for host in fleet.hosts if host.name in changed] if fleet is not None else []
    asked = {change.host for change in plan.changes if change.artifact is Artifact.REQUEST}
    hosts = [host for host in hosts if host.name not in asked]
    if _requested(plan):
        waiting = {one.host for one in _requested(plan)}
        hosts = [host for host in hosts if host.name not in waiting]
        yield ""
        yield f"Next, make key and request on {_count(len(waiting), 'host')}, and build again:"
        yield f"  {dist}/hosts/NAME/README.txt says how."
    if _bought(plan):
        yield ""
        count = _count(len(_bought(plan)), "certificate")
        yield f"Next, order {count}, as {dist}/requests.txt says. When they have come:"
        yield "  ipmpki import pki.toml FILE..."
    if hosts:
        hosts.sort(key=lambda host: host.role is not Role.SERVER)  # a server first: its clients wait for it
        yield ""
        count = _count(len(hosts), "host")
        yield f"Next, install on {count}, servers first; copy the folder there, then run in it:"
        width = max(len(host.name) for host in hosts[:MOST_HOSTS_NAMED])
        for host in hosts[:MOST_HOSTS_NAMED]:
            command = _install_command(host)
            yield f"  {host.name:<{width}}  {dist}/{host_folder(host.name)}  {command}"
        if len(hosts) > MOST_HOSTS_NAMED:
            yield f"  and {len(hosts) - MOST_HOSTS_NAMED} more: see {dist}/report.txt"
            yield f"For a rollout with Ansible see {dist}/{PLAYBOOK_FOLDER}/README.txt"
    yield ""
    keys = "every key" if fleet is not None and fleet.is_third_party else "the CA's key and every other"
    yield f"The report is {dist}/report.html. Back up pki.db: it holds {keys}."


def _kept(plan: Plan) -> str:
    return f"; {plan.kept} kept" if plan.kept else ""


def _install_command(host: HostSpec) -> str:
    return "install.cmd, as administrator" if host.os is OperatingSystem.WINDOWS else "sudo sh install.sh"
