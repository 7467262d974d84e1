"""The status for the textfile collector of Prometheus' node exporter.

https://prometheus.io/docs/instrumenting/exposition_formats/, and the collector's own rules: no timestamps
on samples, HELP and TYPE once a metric, all of its samples together, a final newline.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ipmpki.diagnostics.escape import visible
from ipmpki.plans.status import Kind

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from ipmpki.plans.status import Status

_ESCAPES = str.maketrans({"\\": "\\\\", '"': '\\"', "\n": "\\n"})


def render_prometheus(status: Status) -> str:
    """All metrics, each a gauge labelled with the PKI, so that several can be watched from one computer."""
    return "\n".join(_lines(status)) + "\n"


def _lines(status: Status) -> Iterator[str]:
    pki = f'pki="{escaped(status.pki)}"'
    hosts = [
        (f'{pki},host="{escaped(one.name)}",certificate="{one.kind.value}"', one) for one in status.hosts
    ]
    yield from _metric(
        "ipmpki_certificate_not_after_timestamp_seconds",
        "When a certificate of a host ends.",
        ((labels, one.ends.timestamp()) for labels, one in hosts if one.ends is not None),
    )
    yield from _metric(
        "ipmpki_certificate_renew_from_timestamp_seconds",
        "From when on a build renews a certificate of a host.",
        ((labels, one.renew_from.timestamp()) for labels, one in hosts if one.renew_from is not None),
    )
    yield from _metric(
        "ipmpki_certificate_awaited_since_timestamp_seconds",
        "When the request was made whose certificate is awaited.",
        ((labels, one.awaited_since.timestamp()) for labels, one in hosts if one.awaited_since is not None),
    )
    yield from _metric(
        "ipmpki_certificate_in_use_not_after_timestamp_seconds",
        "When the certificate ends that a host has, or may have, in use.",
        ((labels, one.in_use_ends.timestamp()) for labels, one in hosts if one.in_use_ends is not None),
    )
    yield from _metric(
        "ipmpki_certificate_install_by_timestamp_seconds",
        "When something fails that installing the host's folder would prevent.",
        ((labels, one.install_by.timestamp()) for labels, one in hosts if one.install_by is not None),
    )
    yield from _metric(
        "ipmpki_certificate_installed",
        "Whether a host is known to have what is published for it: 1 yes, 0 no, -1 not known.",
        (
            (labels, -1 if one.is_installed is None else int(one.is_installed))
            for labels, one in hosts
            if one.serial is not None
        ),
    )
    yield from _metric(
        "ipmpki_hosts_not_known_to_be_installed",
        "How many hosts are not known to have installed anything, 14 days after it was published.",
        [(pki, len(status.unknown))],
    )
    yield from _metric(
        "ipmpki_certificate_state",
        "The state of a certificate of a host; always 1.",
        ((f'{labels},state="{one.state.value}"', 1) for labels, one in hosts),
    )
    yield from _metric(
        "ipmpki_certificates",
        "How many certificates of hosts there are in each state.",
        ((f'{pki},state="{state.value}"', number) for state, number in status.tally().items()),
    )
    yield from _metric(
        "ipmpki_authority_not_after_timestamp_seconds",
        "When the certificate authority ends.",
        _ends_of(status, Kind.AUTHORITY, pki),
    )
    yield from _metric(
        "ipmpki_authority_renew_from_timestamp_seconds",
        "From when on certificates would end earlier than declared, with their authority.",
        (
            (pki, one.renew_from.timestamp())
            for one in status.standings
            if one.kind is Kind.AUTHORITY and one.renew_from is not None
        ),
    )
    yield from _metric(
        "ipmpki_revocation_list_next_update_timestamp_seconds",
        "Until when the certificate revocation list holds.",
        _ends_of(status, Kind.REVOCATION_LIST, pki),
    )
    last = status.backup
    yield from _metric(
        "ipmpki_backup_timestamp_seconds",
        "When the store was last backed up.",
        [] if last.at is None else [(pki, last.at.timestamp())],
    )
    yield from _metric(
        "ipmpki_store_changed_since_backup",
        "Whether the store holds what no backup has: 1 yes, 0 no.",
        [(pki, int(last.changed_since))],
    )
    yield from _metric(
        "ipmpki_declaration_errors",
        "How many errors keep a part of the declaration from being read.",
        [(pki, status.errors)],
    )


def _ends_of(status: Status, kind: Kind, labels: str) -> Iterator[tuple[str, float]]:
    for one in status.standings:
        if one.kind is kind and one.ends is not None:
            yield labels, one.ends.timestamp()


def _metric(name: str, meaning: str, samples: Iterable[tuple[str, float]]) -> Iterator[str]:
    lines = [f"{name}{{{labels}}} {value:.0f}" for labels, value in samples]
    if lines:
        yield f"# HELP {name} {meaning}"
        yield f"# TYPE {name} gauge"
        yield from lines


def escaped(value: str) -> str:
    return visible(value).translate(_ESCAPES)
