"""When what was issued is due to be made again: plan, status, rules, report and forecast all ask here.

A window is declared, and counts from the moment it is written. So nothing here is kept in
the store: it follows from the declaration and from the dates of what was issued.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, NamedTuple, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime

    from ipmpki.declaration.fleet import CertificateSpec, Fleet, HostSpec

UNDECLARED_WINDOW = timedelta(days=30)
"""The default of ``renew_before``, where no declaration can be read or none is there."""

_AUTHORITY_NOTICE = timedelta(days=90)
"""An authority's successor has to be carried to every host, which takes longer than a renewal."""

_LARGEST_SHARE = 3
"""Nothing is due before the last third of its life: else what lives for days would always be due."""


class Authority(Protocol):
    """An authority that signs here, as the store holds it: ``identity`` tells it from others."""

    @property
    def identity(self) -> int: ...
    @property
    def not_before(self) -> datetime: ...
    @property
    def not_after(self) -> datetime: ...


class Certificate(Protocol):
    """A host's certificate, as the store holds it: ``authority`` is its issuer's identity."""

    @property
    def authority(self) -> int: ...
    @property
    def not_after(self) -> datetime: ...


class Renewal(NamedTuple):
    """From when on something is to be made again, and when what there is ends.

    ``needs_successor`` is true of what ends with its issuer: made again it would end on the same day, so that
    another authority has to be there first.
    """

    due: datetime
    end: datetime
    needs_successor: bool = False

    def has_ended(self, now: datetime) -> bool:
        """Whether nobody accepts it any more."""
        return self.end <= now

    def is_due(self, now: datetime) -> bool:
        """Whether it is to be made again while it still holds."""
        return self.due <= now < self.end


def of_issued(end: datetime, window: timedelta, issuer: Renewal | None = None) -> Renewal:
    """When a certificate or a revocation list is due that ends at ``end``: ``window`` before that.

    ``issuer`` is the renewal of the authority that signed it, None where that is not one of the declaration's
    own. What ends with its issuer is not due before the issuer is.
    """
    due = end - window
    if issuer is None or end < issuer.end:
        return Renewal(due, end)
    return Renewal(max(due, issuer.due), end, needs_successor=True)


def of_authority(begin: datetime, end: datetime, fleet: Fleet | None) -> Renewal:
    """When an authority with these dates needs a successor; ``fleet`` is None where it cannot be read.

    That is as soon as a certificate that it signs would end with it, earlier than declared, and early enough
    for the certificate before to hold on meanwhile.
    """
    largest = (end - begin) / _LARGEST_SHARE
    if fleet is None:
        return Renewal(end - largest, end)
    signed = (spec.lifetime for host in fleet.hosts for _, spec in host.certificates if not spec.is_bought)
    window = max((host.renew_before for host in fleet.hosts), default=timedelta(0))
    return Renewal(end - min(max(signed, default=timedelta(0)) + window, largest), end)


def of_authorities(authorities: Iterable[Authority], fleet: Fleet | None) -> dict[int, Renewal]:
    """When each of the authorities that sign here needs a successor, by its identity."""
    return {one.identity: of_authority(one.not_before, one.not_after, fleet) for one in authorities}


def of_certificate(
    current: Certificate, host: HostSpec, spec: CertificateSpec, authorities: Mapping[int, Renewal]
) -> Renewal:
    """When the certificate that a host has in place of ``spec`` is due; see :func:`of_authorities`."""
    issuer = None if spec.is_bought else authorities.get(current.authority)
    return of_issued(current.not_after, host.renew_before, issuer)


def of_presented(begin: datetime, end: datetime, *, is_authority: bool) -> Renewal:
    """When a certificate is due of which only the dates are known, as where ``verify`` is shown it."""
    notice = _AUTHORITY_NOTICE if is_authority else UNDECLARED_WINDOW
    return Renewal(end - min(notice, (end - begin) / _LARGEST_SHARE), end)
