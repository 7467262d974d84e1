"""What a build did, and what is to be done now on which host."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ipmpki.declaration.vocabulary import Role
from ipmpki.diagnostics.escape import visible_lines
from ipmpki.diagnostics.wording import counted, day
from ipmpki.plans.dist_layout import PLAYBOOK_FOLDER, host_folder
from ipmpki.plans.installation import in_use_of, roles_in_order
from ipmpki.plans.plan import Action, Artifact, MutualAuthStage
from ipmpki.render.plan.text import (
    MOST_HOSTS_NAMED,
    ORDER,
    awaited_lines,
    bought,
    change_words,
    kept_words,
    nothing_to_do,
    requested,
    stage_lines,
    wrapped,
)
from ipmpki.render.platforms import platform_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from ipmpki.declaration.fleet import Fleet, HostSpec
    from ipmpki.plans.installation import InUse
    from ipmpki.plans.plan import Plan
    from ipmpki.store.records import Issued

_DONE = {
    Action.CREATE: "created",
    Action.RENEW: "renewed",
    Action.REPLACE: "replaced",
    Action.REVOKE: "revoked",
    Action.RESTORE: "restored",
    Action.REMOVE: "removed",
}


_MOST_DIGESTS = 3
"""Of more scripts nobody compares digests by eye: the manifest has them."""
_MOST_CHANGES_NAMED = 3
"""More are counted alone: the plan and 'ipmpki log' name them."""


def render_outcome(plan: Plan, fleet: Fleet | None, issued: Issued, dist: str) -> str:
    """What a build did, and what is to be done now on which host.

    ``issued`` is what the store holds after it, ``dist`` the folder as people see it.
    """
    return visible_lines("\n".join(_outcome_lines(plan, fleet, issued, dist))) + "\n"


def _outcome_lines(plan: Plan, fleet: Fleet | None, issued: Issued, dist: str) -> Iterator[str]:
    if not plan.changes:
        yield nothing_to_do(plan)
        yield from awaited_lines(plan)
        return
    counts = plan.summary
    done = [f"{counts[action]} {_DONE[action]}" for action in ORDER if counts[action]]
    few = ""
    if len(plan.changes) <= _MOST_CHANGES_NAMED:
        few = f": {', '.join(change_words(change) for change in plan.changes)}"
    yield from wrapped(f"Done: {', '.join(done)}{few}{kept_words(plan)}.")
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
    if fleet is not None:
        yield from _install_lines(plan, fleet, issued, hosts, dist)
    if plan.waits_for_hosts:
        yield from stage_lines(plan)
    yield from _by_hand(plan, hosts)
    yield ""
    keys = "every key" if fleet is not None and fleet.is_third_party else "the CA's key and every other"
    if fleet is not None and fleet.token_key is not None:
        keys = "every key but the CA's"
    yield from wrapped(f"The report is {dist}/report.html. Back up pki.db: it holds {keys}.")


def _by_hand(plan: Plan, changed: list[HostSpec]) -> Iterator[str]:
    """What no script does where a server's site did not tell the keyword for asking clients."""
    if plan.mutual_auth is None:
        return
    ways = {MutualAuthStage.ASK: "set by hand", MutualAuthStage.RELEASE: "take out by hand"}
    what = ways.get(plan.mutual_auth.stage)
    servers = [
        host.name for host in changed if host.role is Role.SERVER and not host.site.keywords.mutual_auth
    ]
    if what is not None and servers:
        yield ""
        yield from wrapped(
            f"No keyword for it is declared in [ipm.keywords]: on {counted(len(servers), 'server')}, {what}"
            " what has it ask clients for certificates in ipmssl.cfg, as its sample says, and restart it."
        )


def _deadline(known: InUse, at: datetime) -> Iterator[str]:
    """By when, where something fails on a day."""
    dated = [duty for duty in known.duties if duty.by is not None and duty.by == known.install_by]
    if dated and dated[0].by is not None:
        when = "now" if dated[0].by <= at else f"by {day(dated[0].by)}"
        yield f"    {when}: {dated[0].effect}"


def _install_lines(
    plan: Plan, fleet: Fleet, issued: Issued, changed: list[HostSpec], dist: str
) -> Iterator[str]:
    """Which of the hosts that changed lack something, in the order in which they are installed."""
    known = {host.name: in_use_of(host, fleet, issued) for host in changed}
    roles = roles_in_order(mutual_auth=fleet.mutual_auth)
    hosts = [host for host in changed if not known[host.name].is_installed]
    hosts.sort(key=lambda host: roles.index(host.role))
    if len(hosts) < len(changed):
        count = counted(len(changed) - len(hosts), "host")
        yield ""
        yield from wrapped(
            f"Nothing is to be installed on {count}: what is in use there is what is published."
        )
    if not hosts:
        return
    order = ""
    if len({host.role for host in hosts}) > 1:
        order = ", in any order" if plan.is_staged else f", {roles[0].value}s first"
    yield ""
    count = counted(len(hosts), "host")
    yield from wrapped(f"Next, install on {count}{order}: copy {dist}/hosts/NAME there, then run in it:")
    width = max(len(host.name) for host in hosts[:MOST_HOSTS_NAMED])
    for host in hosts[:MOST_HOSTS_NAMED]:
        yield f"  {host.name:<{width}}  {platform_of(host.os).install_command}"
        yield from _deadline(known[host.name], plan.at)
    if len(hosts) > MOST_HOSTS_NAMED:
        yield f"  and {len(hosts) - MOST_HOSTS_NAMED} more: see {dist}/report.txt"
        yield f"For a rollout with Ansible see {dist}/{PLAYBOOK_FOLDER}/README.txt"
    yield from _digest_lines(hosts, issued, dist)


def _digest_lines(hosts: list[HostSpec], issued: Issued, dist: str) -> Iterator[str]:
    """What tells a script that somebody changed on its way: it holds every other file against itself."""
    digests = {host.name: _digest_of_script(host, issued) for host in hosts[: _MOST_DIGESTS + 1]}
    if len(hosts) <= _MOST_DIGESTS and all(digests.values()):
        yield from wrapped("Carried by a way you do not trust? Compare the SHA-256 of the script first:")
        for name, digest in digests.items():
            yield f"  {name}"
            yield f"    {digest}"
    else:
        yield from wrapped(
            "Carried by a way you do not trust? Compare the SHA-256 of the script first, with that in"
            f" {dist}/hosts/NAME/manifest.json."
        )


def _digest_of_script(host: HostSpec, issued: Issued) -> str:
    """The digest of the published script; empty where there is none."""
    folder = issued.folders.get(host_folder(host.name))
    files = folder.files if folder is not None else ()
    return next((file.sha256 for file in files if file.name in {"install.sh", "install.ps1"}), "")
