"""What lies in an old folder and belongs to nothing that was taken."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ipmpki.declaration.key_types import kind_of
from ipmpki.declaration.vocabulary import Role
from ipmpki.diagnostics.wording import quote
from ipmpki.operations.adopt.findings import LeftCode, LeftOut
from ipmpki.operations.adopt.hosts import role_of
from ipmpki.x509.key_flaws import flaw_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from ipmpki.operations.adopt.choose_authority import OldAuthority
    from ipmpki.operations.adopt.findings import Survey
    from ipmpki.x509.presented_certificates import PresentedCertificate


def tell_leftovers(survey: Survey, old: OldAuthority) -> None:
    """Tell, in ``survey.left``, of certificates, keys and requests that nothing was made of."""
    survey.left += [*_weakness(old), *_certificates(survey, old), *_keys_and_requests(survey)]


def tell_of_ended(survey: Survey, ended: Iterable[tuple[str, PresentedCertificate]]) -> None:
    """Tell of hosts whose last certificate has expired: they may be gone, or be waiting for a new one."""
    last: dict[str, PresentedCertificate] = {}
    for name, one in ended:
        if name not in last or last[name].not_after < one.not_after:
            last[name] = one
    for name, one in last.items():
        role = role_of(one) or Role.CLIENT
        words = f"the last certificate of {quote(name)} ended on {one.not_after:%Y-%m-%d}; it is not declared"
        remedy = f"if it is still there: ipmpki host add pki.toml {name} --role {role.value}"
        survey.left.append(LeftOut(LeftCode.ENDED, one.place.file, words, remedy))


def _weakness(old: OldAuthority) -> Iterator[LeftOut]:
    own = old.certificate
    flaw = flaw_of(own.key_type, own.rsa) or ("can be broken" if kind_of(own.key_type).is_weak else None)
    if flaw is not None:
        words = f"the authority's own key, {own.key_type}, was taken, but it {flaw}"
        remedy = "when all runs, give it a successor, which takes over in steps: generation = 2 in [ca]"
        yield LeftOut(LeftCode.WEAK_AUTHORITY, old.certificate.place.file, words, remedy)


def _certificates(survey: Survey, old: OldAuthority) -> Iterator[LeftOut]:
    issued = {one.fingerprint for one in old.issued}
    for one in survey.certificates.values():
        file = one.place.file
        if one.fingerprint in issued:
            if one.is_authority:
                words = (
                    f"the authority {quote(one.title)}, below this one; its certificate is kept as history"
                )
                yield LeftOut(LeftCode.OTHER_AUTHORITY, file, words, _own_folder(one, survey))
        elif one.fingerprint in old.own:
            if one.fingerprint != old.certificate.fingerprint and one.public_key_digest == _key_of(old):
                yield LeftOut(
                    LeftCode.SUPERSEDED, file, f"an older certificate of {quote(old.certificate.title)}"
                )
        elif one.is_authority:
            words = f"another authority, {quote(one.title)}"
            yield LeftOut(LeftCode.OTHER_AUTHORITY, file, words, _own_folder(one, survey))
        else:
            words = f"the certificate of {quote(one.title)} was not issued by {quote(old.certificate.title)}"
            yield LeftOut(LeftCode.OTHER_ISSUER, file, f"{words}, but by {one.issuer or 'nobody'}")


def _own_folder(one: PresentedCertificate, survey: Survey) -> str | None:
    if one.public_key_digest not in survey.keys:
        return None
    return "to go on with it, too, adopt again with --ca, into a folder of its own"


def _key_of(old: OldAuthority) -> str:
    return old.certificate.public_key_digest


def _keys_and_requests(survey: Survey) -> Iterator[LeftOut]:
    certified = {one.public_key_digest for one in survey.certificates.values()}
    for digest, key in survey.keys.items():
        if digest not in certified:
            asked = survey.requests.get(digest)
            whose = f" (there is a request for {quote(asked.title)})" if asked is not None else ""
            words = f"a private key that belongs to no certificate here{whose}"
            yield LeftOut(LeftCode.UNUSED_KEY, key.file, words)
    for digest, request in survey.requests.items():
        if digest not in certified and digest not in survey.keys:
            words = f"a request for {quote(request.title)} whose certificate is not here"
            remedy = 'declare the host with csr = "…", and it is certified'
            yield LeftOut(LeftCode.UNUSED_REQUEST, request.file, words, remedy)
