"""The status as JSON."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from ipmpki.diagnostics.wording import serial_number, timestamp

if TYPE_CHECKING:
    from datetime import datetime

    from ipmpki.plans.status import Status


def _time(moment: datetime | None) -> str | None:
    return None if moment is None else timestamp(moment)


def render_status_json(status: Status) -> str:
    """One object, in the order of the table; times in UTC."""
    document = {
        "version": 1,
        "declaration": status.declaration,
        "pki": status.pki,
        "at": timestamp(status.at),
        "standings": [
            {
                "kind": one.kind.value,
                "name": one.name,
                "state": one.state.value,
                "next_step": one.step.value,
                "ends": _time(one.ends),
                "renew_from": _time(one.renew_from),
                "serial": None if one.serial is None else serial_number(one.serial),
                "awaited_since": _time(one.awaited_since),
                "request_file": one.request_file,
                "is_installed": one.is_installed,
                "install_by": _time(one.install_by),
                "is_overdue": one.is_overdue(status.at),
                "install_because": [cause.value for cause in one.causes],
                "in_use_ends": _time(one.in_use_ends),
                "installed_at": _time(one.installed_at),
                "source": None if one.source is None else one.source.value,
            }
            for one in status.standings
        ],
        "summary": {state.value: number for state, number in status.tally().items()},
        "hosts_without": status.without,
        "waiting_for_trust": list(status.waiting),
        "mutual_auth": None
        if status.mutual_auth is None
        else {"stage": status.mutual_auth.stage.value, "waiting": list(status.mutual_auth.waiting)},
        "not_known_to_be_installed": list(status.unknown),
        "skipped": [
            {"host": name, "at": timestamp(skip.at), "reason": skip.reason} for name, skip in status.skipped
        ],
        "backup": {"at": _time(status.backup.at), "changed_since": status.backup.changed_since},
        "declaration_errors": status.errors,
    }
    return json.dumps(document, indent=2, ensure_ascii=True) + "\n"
