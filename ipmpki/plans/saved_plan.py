"""A plan as JSON: what ``plan --out`` saves and ``build --plan`` reads again."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

from ipmpki.diagnostics.escape import to_json
from ipmpki.diagnostics.fault import UnreadableFile
from ipmpki.plans.digest import Digest
from ipmpki.plans.plan import (
    Action,
    Artifact,
    Awaited,
    Change,
    Difference,
    MutualAuthChange,
    MutualAuthStage,
    Plan,
    Reason,
    ReasonCode,
    Rollover,
    Stage,
)

VERSION = 1


def render_plan_json(plan: Plan) -> str:
    """The plan as JSON, one object, ending in a newline."""
    document = {
        "version": VERSION,
        "at": f"{plan.at:%Y-%m-%dT%H:%M:%SZ}",
        "changes": [_change_object(change) for change in plan.changes],
        "summary": plan.summary,
        "awaited": [_awaited_object(one) for one in plan.awaited],
        "rollover": _rollover_object(plan.rollover),
        "mutual_auth": _mutual_auth_object(plan.mutual_auth),
        "allows_ca_replacement": plan.allows_ca_replacement,
        "world": str(plan.world),
    }
    return to_json(document)


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


def _mutual_auth_object(one: MutualAuthChange | None) -> dict[str, Any] | None:
    return None if one is None else {"stage": one.stage.value, "waiting": list(one.waiting)}


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
            world=Digest.read(str(document["world"])),
            allows_ca_replacement=bool(document["allows_ca_replacement"]),
            awaited=tuple(map(_awaited, document["awaited"])),
            rollover=_rollover(document["rollover"]),
            mutual_auth=_mutual_auth(document["mutual_auth"]),
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


def _mutual_auth(document: dict[str, Any] | None) -> MutualAuthChange | None:
    if document is None:
        return None
    return MutualAuthChange(MutualAuthStage(document["stage"]), tuple(document["waiting"]))


def _awaited(document: dict[str, Any]) -> Awaited:
    since = document["since"]
    return Awaited(
        document["host"],
        Artifact(document["artifact"]),
        datetime.fromisoformat(since) if since is not None else None,
        document["file"],
    )
