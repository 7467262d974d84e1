"""What an adoption took and what it left, for people and for programs."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from ipmpki.declaration.vocabulary import Role
from ipmpki.diagnostics.escape import to_json, visible_lines
from ipmpki.diagnostics.wording import counted, quote
from ipmpki.render.problems.json import problems_output

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ipmpki.diagnostics.problem import LocatedProblem
    from ipmpki.operations.adopt.adopt import Adoption
    from ipmpki.operations.adopt.hosts import HostEntry
    from ipmpki.render.json_outputs import AdoptionOutput
    from ipmpki.store.records import IssuedCertificate

_MOST_LINES = 40
"""More lines of one kind than this nobody reads; JSON has them all."""
_MOST_NAMES = 3


def render_adoption_text(adoption: Adoption, *, written: bool) -> str:
    """The authority, the hosts, the history, and all that was left, with the reason of each."""
    lines = [
        *_taken(adoption, written=written),
        *_left(adoption),
        *_repaired(adoption),
        *_passed_over(adoption),
        "",
        "",
    ]
    return visible_lines("\n".join(lines))


def _taken(adoption: Adoption, *, written: bool) -> Iterator[str]:
    authority, hosts = adoption.old.certificate, adoption.hosts
    protected = ", its key encrypted" if adoption.old.key.is_encrypted else ""
    verb = "Taken" if written else "Would be taken"
    yield (
        f"{verb}: the authority {quote(authority.title)}, {authority.key_type},"
        f" until {authority.not_after:%Y-%m-%d}{protected}"
    )
    yield ""
    width = max((len(host.name) for host in hosts[:_MOST_LINES]), default=0)
    yield from (f"  {host.name:<{width}}  {_state(host)}" for host in hosts[:_MOST_LINES])
    if len(hosts) > _MOST_LINES:
        yield f"  and {len(hosts) - _MOST_LINES} more"
    yield from (f"  {line}" for line in (_numbers(hosts), _history(adoption), _list(adoption)) if line)


def _state(host: HostEntry) -> str:
    if host.certificate is None:
        return f"{host.role}  no key here: the first build makes key and certificate anew"
    kept = "; its key stays on the host" if host.key is None else ""
    return f"{host.role}  certificate until {host.certificate.not_after:%Y-%m-%d}{kept}"


def _numbers(hosts: Sequence[HostEntry]) -> str:
    servers = sum(host.role is Role.SERVER for host in hosts)
    return f"{counted(servers, 'server')}, {counted(len(hosts) - servers, 'client')}"


def _history(adoption: Adoption) -> str:
    past = adoption.past
    if not past:
        return ""
    states = Counter(_end(one, adoption) for one in past)
    words = ", ".join(f"{number} {state}" for state, number in sorted(states.items()))
    return f"history: {counted(len(past), 'certificate')} ({words})"


def _end(one: IssuedCertificate, adoption: Adoption) -> str:
    if one.revoked_at is not None:
        return "revoked"
    return "expired" if one.not_after <= adoption.options.now else "not in use here"


def _list(adoption: Adoption) -> str:
    number = adoption.books.next_list
    if adoption.revocation_list is not None:
        return f"revocation list: number {number - 1}; the next is number {number}"
    if adoption.books.needs_list:
        return f"revocation list: a new one, number {number}, as the last is not there or has no number"
    return ""


def _left(adoption: Adoption) -> Iterator[str]:
    if not adoption.left:
        return
    yield ""
    yield f"Not taken, or not wholly ({len(adoption.left)}):"
    shown: Counter[str] = Counter()
    remedy = None
    for one in adoption.left:
        shown[one.code] += 1
        if shown[one.code] > _MOST_LINES:
            continue
        yield f"  {one.file}: {one.message}" if one.file else f"  {one.message}"
        if one.remedy and one.remedy != remedy:  # of many that are alike, the first says what to do
            yield f"    help: {one.remedy}"
        remedy = one.remedy
    for code, number in shown.items():
        if number > _MOST_LINES:
            yield f"  and {number - _MOST_LINES} more of the kind {code}; --format json has them all"


def _repaired(adoption: Adoption) -> Iterator[str]:
    if adoption.repaired:
        yield ""
        yield "Read all the same, and published in plain form:"
        yield from (f"  {file}: {told}" for file, told in adoption.repaired[:_MOST_LINES])
        if len(adoption.repaired) > _MOST_LINES:
            yield f"  and {len(adoption.repaired) - _MOST_LINES} more; --format json has them all"


def _passed_over(adoption: Adoption) -> Iterator[str]:
    names = adoption.passed_over
    if names:
        more = f" and {len(names) - _MOST_NAMES} more" if len(names) > _MOST_NAMES else ""
        yield ""
        yield f"Passed over, as they hold no certificate, key or CRL: {', '.join(names[:_MOST_NAMES])}{more}"


def render_adoption_json(
    adoption: Adoption, problems: Sequence[LocatedProblem], file: str, *, written: bool
) -> str:
    """The same as one document, with the problems of the new pki.toml."""
    old = adoption.old.certificate
    document: AdoptionOutput = {
        "version": 1,
        "folder": str(adoption.options.folder),
        "declaration": file,
        "is_written": written,
        "authority": {
            "subject": old.subject,
            "fingerprint": old.fingerprint,
            "key": old.key_type,
            "not_after": old.not_after.isoformat(),
            "is_encrypted": adoption.old.key.is_encrypted,
        },
        "hosts": [
            {
                "name": host.name,
                "role": host.role.value,
                "serial": f"{host.certificate.serial:x}" if host.certificate else None,
                "not_after": host.certificate.not_after.isoformat() if host.certificate else None,
            }
            for host in adoption.hosts
        ],
        "past": [
            {
                "serial": f"{one.serial:x}",
                "holder": one.host,
                "not_after": one.not_after.isoformat(),
                "revoked_at": one.revoked_at.isoformat() if one.revoked_at else None,
                "reason": one.revocation_reason,
            }
            for one in adoption.past
        ],
        "next_revocation_list": adoption.books.next_list,
        "left_out": [
            {"code": one.code.value, "file": one.file, "message": one.message, "help": one.remedy}
            for one in adoption.left
        ],
        "repaired": [{"file": file, "message": told} for file, told in adoption.repaired],
        "passed_over": list(adoption.passed_over),
        "check": problems_output(problems, file),
    }
    return to_json(document)
