"""What a build did, and what is to be done now on which host."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ipmpki.declaration.vocabulary import Role
from ipmpki.diagnostics.wording import counted
from ipmpki.plans.dist_layout import PLAYBOOK_FOLDER, host_folder
from ipmpki.plans.plan import Action, Artifact
from ipmpki.render.plan.text import (
    MOST_HOSTS_NAMED,
    ORDER,
    awaited_lines,
    bought,
    kept_words,
    nothing_to_do,
    requested,
    rollover_lines,
)
from ipmpki.render.platforms import platform_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ipmpki.declaration.fleet import Fleet
    from ipmpki.plans.plan import Plan

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
        yield nothing_to_do(plan)
        yield from awaited_lines(plan)
        return
    counts = plan.summary
    done = [f"{counts[action]} {_DONE[action]}" for action in ORDER if counts[action]]
    yield f"Done: {', '.join(done)}{kept_words(plan)}."
    changed = {change.host for change in plan.changes if change.action not in {Action.REMOVE, Action.REVOKE}}
    hosts = [host for host in fleet.hosts if host.name in changed] if fleet is not None else []
    asked = {change.host for change in plan.changes if change.artifact is Artifact.REQUEST}
    hosts = [host for host in hosts if host.name not in asked]
    if requested(plan):
        waiting = {one.host for one in requested(plan)}
        hosts = [host for host in hosts if host.name not in waiting]
        yield ""
        yield f"Next, make key and request on {counted(len(waiting), 'host')}, and build again:"
        yield f"  {dist}/hosts/NAME/README.txt says how."
    if bought(plan):
        yield ""
        count = counted(len(bought(plan)), "certificate")
        yield f"Next, order {count}, as {dist}/requests.txt says. When they have come:"
        yield "  ipmpki import pki.toml FILE..."
    if hosts:
        hosts.sort(key=lambda host: host.role is not Role.SERVER)  # a server first: its clients wait for it
        yield ""
        count = counted(len(hosts), "host")
        yield f"Next, install on {count}, servers first; copy the folder there, then run in it:"
        width = max(len(host.name) for host in hosts[:MOST_HOSTS_NAMED])
        for host in hosts[:MOST_HOSTS_NAMED]:
            command = platform_of(host.os).install_command
            yield f"  {host.name:<{width}}  {dist}/{host_folder(host.name)}  {command}"
        if len(hosts) > MOST_HOSTS_NAMED:
            yield f"  and {len(hosts) - MOST_HOSTS_NAMED} more: see {dist}/report.txt"
            yield f"For a rollout with Ansible see {dist}/{PLAYBOOK_FOLDER}/README.txt"
    if plan.rollover is not None and plan.rollover.waiting:
        yield from rollover_lines(plan)
    yield ""
    keys = "every key" if fleet is not None and fleet.is_third_party else "the CA's key and every other"
    if fleet is not None and fleet.token_key is not None:
        keys = "every key but the CA's"
    yield f"The report is {dist}/report.html. Back up pki.db: it holds {keys}."
