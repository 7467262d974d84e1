"""report.json: the report for programs."""

from __future__ import annotations

import json
from json.encoder import encode_basestring
from typing import TYPE_CHECKING, Any

from ipmpki.diagnostics.escape import visible_json
from ipmpki.diagnostics.wording import fingerprint_digits, serial_number, timestamp
from ipmpki.render.problems.json import problems_output
from ipmpki.render.report.words import HostStatus, status_of

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from ipmpki.plans.plan import MutualAuthChange, Rollover
    from ipmpki.render.report.document import (
        Report,
        ReportedAuthority,
        ReportedBundle,
        ReportedCertificate,
        ReportedHost,
        ReportedRevocationList,
    )
    from ipmpki.render.report.words import Census

_IN_HOST = "\n" + 6 * " "
_IN_CERTIFICATE = "\n" + 8 * " "
_STATUS_WORDS = {status: status.name.lower().replace("_", "-") for status in HostStatus}


def render_json(report: Report, census: Census) -> bytes:
    """The report as JSON: stable key order, two spaces a level, UTC times, a final newline."""
    problems = problems_output(report.problems, file=report.declaration)
    document = {
        "version": 1,
        "declaration": report.declaration,
        "state": "refused" if report.refused else "built",
        "as_of": _time(report.as_of),
        "mutual_auth": report.mutual_auth,
        "authority": _authority(report.authority),
        "rollover": _rollover(report.rollover),
        "mutual_auth_change": _turn(report.turn),
        "bundle": _bundle(report.bundle),
        "revocation_list": _revocation_list(report.revocation_list),
        "hosts": _Written([_host(host, report) for host in report.hosts]),
        "problems": problems["problems"],
        "summary": {
            **problems["summary"],
            "hosts": census.hosts,
            "servers": census.servers,
            "clients": census.clients,
            "certificates": census.certificates,
            "next_renewal": _time(census.next_renewal),
            "first_expiry": _time(census.first_expiry),
        },
    }
    return (visible_json(_written(document, "\n")) + "\n").encode()


class _Written(list[str]):
    """Items of a list that are JSON already."""


def _written(value: Any, newline: str) -> str:
    """A value in the layout of ``json.dumps(indent=2)``, which is some five times slower.

    ``newline`` is a line end with the indentation of the enclosing level.
    """
    if type(value) is str:
        return encode_basestring(value)
    inner = newline + "  "
    separator = "," + inner
    if isinstance(value, dict) and value:
        members = [f'"{key}": {_written(member, inner)}' for key, member in value.items()]
        return f"{{{inner}{separator.join(members)}{newline}}}"
    if isinstance(value, (list, tuple)) and value:
        items = value if isinstance(value, _Written) else [_written(item, inner) for item in value]
        return f"[{inner}{separator.join(items)}{newline}]"
    return json.dumps(value)


def _time(moment: datetime | None) -> str | None:
    return None if moment is None else timestamp(moment)


def _authority(authority: ReportedAuthority | None) -> dict[str, Any] | None:
    if authority is None:
        return None
    return {
        "subject": authority.subject,
        "key": authority.key,
        "not_before": timestamp(authority.not_before),
        "not_after": timestamp(authority.not_after),
        "fingerprint": fingerprint_digits(authority.fingerprint),
        "is_existing": authority.is_existing,
    }


def _turn(turn: MutualAuthChange | None) -> dict[str, Any] | None:
    return None if turn is None else {"stage": turn.stage.value, "waiting": list(turn.waiting)}


def _rollover(rollover: Rollover | None) -> dict[str, Any] | None:
    if rollover is None:
        return None
    return {"stage": rollover.stage.value, "waiting": list(rollover.waiting)}


def _bundle(bundle: ReportedBundle | None) -> dict[str, Any] | None:
    if bundle is None:
        return None
    return {
        "source": bundle.source,
        "authorities": bundle.authorities,
        "sha256": bundle.sha256,
        "limits": [{"authority": name, "issued_until": timestamp(until)} for name, until in bundle.limits],
    }


def _revocation_list(revocation_list: ReportedRevocationList | None) -> dict[str, Any] | None:
    if revocation_list is None:
        return None
    return {
        "number": revocation_list.number,
        "this_update": timestamp(revocation_list.this_update),
        "next_update": timestamp(revocation_list.next_update),
        "revoked": revocation_list.revoked,
    }


def _host(host: ReportedHost, report: Report) -> str:
    """One host, two levels deep. Ten thousand of these are most of the file, so they are set by hand."""
    certificate, tools = host.certificate, host.tools_certificate
    return f"""{{
      "name": {encode_basestring(host.name)},
      "role": "{host.role.value}",
      "os": "{host.os.value}",
      "aliases": {_texts(host.aliases, _IN_HOST)},
      "addresses": {_texts(host.addresses, _IN_HOST)},
      "status": "{_STATUS_WORDS[status_of(host, report)]}",
      "published_at": {_quoted_time(host.published_at)},
      "awaited_since": {_quoted_time(host.awaited_since)},
      "installed_at": {_quoted_time(host.installed_at)},
      "install_by": {_quoted_time(host.install_by)},
      "certificate": {"null" if certificate is None else _certificate(certificate)},
      "tools_certificate": {"null" if tools is None else _certificate(tools)}
    }}"""


def _certificate(certificate: ReportedCertificate) -> str:
    return f"""{{
        "profile": "{certificate.profile.value}",
        "common_name": {encode_basestring(certificate.common_name)},
        "dns_names": {_texts(certificate.dns_names, _IN_CERTIFICATE)},
        "addresses": {_texts(certificate.addresses, _IN_CERTIFICATE)},
        "key": {encode_basestring(certificate.key)},
        "serial": "{serial_number(certificate.serial)}",
        "not_before": "{timestamp(certificate.not_before)}",
        "not_after": "{timestamp(certificate.not_after)}",
        "renew_from": "{timestamp(certificate.renew_from)}",
        "fingerprint": {encode_basestring(fingerprint_digits(certificate.fingerprint))}
      }}"""


def _texts(texts: Sequence[str], newline: str) -> str:
    if not texts:
        return "[]"
    inner = newline + "  "
    return f"[{inner}{(',' + inner).join([encode_basestring(text) for text in texts])}{newline}]"


def _quoted_time(moment: datetime | None) -> str:
    return "null" if moment is None else f'"{timestamp(moment)}"'
