"""Rules about secrets, and about what decides who gets a certificate: that nobody else gets at them."""

from __future__ import annotations

import shlex
from pathlib import PurePath, PurePosixPath
from typing import TYPE_CHECKING

from ipmpki.diagnostics.problem import Related, Severity
from ipmpki.diagnostics.wording import quote
from ipmpki.rules.registry import Finding, fleet_rule, state_rule
from ipmpki.source.secrets import AUTHORITIES, is_variable_name

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from ipmpki.declaration.fleet import Fleet
    from ipmpki.rules.context import Secret, Surroundings

_WRITABLE_BY_ALL = 0o002
_STICKY = 0o1000

_WEB_ROOTS = tuple(
    map(
        PurePosixPath,
        (
            "/var/www",
            "/srv/www",
            "/srv/http",
            "/usr/share/nginx/html",
            "/usr/local/www",
            "/usr/local/apache2/htdocs",
            "/Library/WebServer/Documents",
        ),
    )
)
"""What web servers publish as their packages install them."""

_WEB_FOLDERS = frozenset({"public_html", "htdocs", "wwwroot"})
"""Folders that are called so for no other purpose: of users (UserDir), of Apache, of IIS."""


@fleet_rule(
    Severity.ERROR,
    cites="POSIX.1-2017, Base Definitions, section 8.1; CWE-260 (a password in a file of settings)",
)
def passphrase_in_file(fleet: Fleet) -> Iterator[Finding]:
    """What should be the name of an environment variable looks like the passphrase itself.

    ## What it finds

    An env of passphrase that no variable can be called: names are letters, digits and "_", and begin with no
    digit. What stands there is never shown.

    ## Who is hurt

    Every host of the fleet: whoever reads the file, a copy or a backup of it has the passphrase of the key
    with which certificates are made that all hosts trust.

    ## Example

    ```toml
    [ca]
    common_name = "Acme Print CA"
    passphrase = { env = "correct horse battery staple" }

    [[hosts]]
    name = "ipm1.example.com"
    role = "server"
    ```

    ## Instead

    ```toml
    [ca]
    common_name = "Acme Print CA"
    passphrase = { env = "IPMPKI_CA_PASSPHRASE" }

    [[hosts]]
    name = "ipm1.example.com"
    role = "server"
    ```
    """
    for table in AUTHORITIES:
        authority = fleet.declared.ca if table == "ca" else fleet.declared.client_ca
        passphrase = authority.passphrase if authority is not None else None
        if passphrase is None or passphrase.env is None or not fleet.was_read(table, "passphrase", "env"):
            continue
        if not is_variable_name(passphrase.env):
            yield Finding(
                "env holds no name of an environment variable; is it the passphrase itself?",
                'write the name alone, such as env = "IPMPKI_CA_PASSPHRASE"; if it was the passphrase, take'
                " another: 'ipmpki passphrase'",
                fleet.place.at(table, "passphrase", "env").key(),
            )


@state_rule(
    Severity.WARNING, cites="CWE-732 (permissions of a critical resource); sshd_config(5), StrictModes"
)
def writable_by_everyone(_: Fleet, surroundings: Surroundings) -> Iterator[Finding]:
    """Everybody on this computer can change what decides who gets a certificate.

    ## What it finds

    pki.toml, a file it includes, a host's request or the trust bundle that everybody may write (mode o+w); a
    folder that holds one of them, or the store, or a folder further up, in which everybody may rename files,
    as its sticky bit is not set. On Windows the permissions are not looked at.

    ## Who is hurt

    Every host of the fleet: whoever adds a host or an alias there has a certificate for it with the next
    build, and can pass for the print server.

    ## Example

    It comes of permissions, such as mode 0666 on "pki.toml", or 0777 on its folder.

    ## Instead

    Let nobody but its owner, or a group of operators, write it: chmod o-w pki.toml
    """
    for one in surroundings.accesses:
        if not one.mode & _WRITABLE_BY_ALL or (one.is_folder and one.mode & _STICKY):
            continue
        what = f"the folder {quote(one.path)}" if one.is_folder else quote(one.path)
        whose = f"everybody on this computer may write {what} (mode {one.mode:04o})"
        if one.is_folder:
            whose += ", and so put another file in the place of this one"
        yield Finding(whose, f"run: chmod o-w {shlex.quote(one.path)}", one.place)


@state_rule(Severity.WARNING, cites="CWE-282 (improper ownership management); sshd_config(5), StrictModes")
def belongs_to_somebody_else(_: Fleet, surroundings: Surroundings) -> Iterator[Finding]:
    """A file or folder that decides over keys belongs to another account.

    ## What it finds

    pki.toml, a file that it includes or names, the store, dist/, or a folder above one of them, whose owner
    is neither root nor who runs ipmpki (after sudo: nor who called it). On Windows nothing is looked at.

    ## Who is hurt

    Every host of the fleet: the owner of a store that lay there beforehand reads every key that is written
    into it, whatever its mode says, and the owner of a folder puts other files in the place of those in it.
    A build, an import, a revocation or a restore refuses to write keys there.

    ## Example

    It comes of what another account made, such as a pki.db that was put there before the first build.

    ## Instead

    Find out how it came there. If it is yours, take it: chown root pki.db. If it is not, work in another
    folder; what was issued from there has to be made anew.
    """
    for one in surroundings.accesses:
        if one.owner is None:
            continue
        what = f"the folder {quote(one.path)}" if one.is_folder else quote(one.path)
        yield Finding(
            f"{what} belongs to {quote(one.owner)}, who is neither root nor you",
            f'see how it came there; if it is yours, run: chown "$(id -un)" {shlex.quote(one.path)}',
            one.place,
        )


@state_rule(
    Severity.WARNING, cites="CWE-732 (permissions of a critical resource); sshd_config(5), StrictModes"
)
def writable_by_group(_: Fleet, surroundings: Surroundings) -> Iterator[Finding]:
    """A group of this computer can change what decides who gets a certificate.

    ## What it finds

    pki.toml, a file that it includes or names, the store, dist/, or a folder above one of them, that a group
    may write (mode g+w) which is neither root's nor the owner's own. A folder with the sticky bit is left
    aside. On Windows the permissions are not looked at.

    ## Who is hurt

    Every host of the fleet, if the group has members who are not to issue certificates.

    ## Example

    It comes of permissions, such as mode 0775 on the folder of pki.toml with the group "staff".

    ## Instead

    Take the right away: chmod g-w pki.toml. Where the group is that of the operators, silence this rule by
    its name in "ignore" of [rules].
    """
    for one in surroundings.accesses:
        if one.group is None or (one.is_folder and one.mode & _STICKY):
            continue
        what = f"the folder {quote(one.path)}" if one.is_folder else quote(one.path)
        yield Finding(
            f"the group {quote(one.group)} may write {what} (mode {one.mode:04o})",
            f"run: chmod g-w {shlex.quote(one.path)}; or ignore this rule, if these are the operators",
            one.place,
        )


@state_rule(Severity.WARNING, cites="gitignore(5); CWE-540 (secrets in source code)")
def secrets_not_ignored_by_git(_: Fleet, surroundings: Surroundings) -> Iterator[Finding]:
    """Private keys lie where git takes them in with the next commit.

    ## What it finds

    dist/, the store, or a file with the authority's key or passphrase in a git repository that does not
    ignore it. Git itself is asked, so any kind of ignoring will do; where git is not installed, or does not
    trust the repository, nothing is said.

    ## Who is hurt

    Every host of the fleet, if somebody commits all there is and pushes it: whoever can read the repository
    has the keys, for as long as its history is kept.

    ## Example

    It comes of a pki.toml in a repository whose .gitignore does not name dist/ and pki.db.

    ## Instead

    Write two lines into the file .gitignore beside pki.toml, "/dist/" and "/pki.db*". What was committed
    already has to be made anew: "ipmpki revoke" with --reason key-compromise.
    """
    known = [one for one in surroundings.secrets if one.is_tracked]
    for found in _grouped(known, lambda one: one.repository).values():
        paths = " ".join(shlex.quote(one.path.removesuffix("/")) for one in found)
        yield Finding(
            f"git has {_listed(found)} already: whoever has the repository has the secrets there",
            f"run: git rm -r --cached {paths}; and have the keys made anew, as the history keeps the old"
            " ones: 'ipmpki revoke' with --reason key-compromise",
            found[0].place,
            tuple(Related("and this", one.place) for one in found[1:] if one.place.path),
        )
    rest = [one for one in surroundings.secrets if not one.is_tracked]
    for repository, found in _grouped(rest, lambda one: one.repository).items():
        lines = ", ".join(quote(_line_of_gitignore(one, repository)) for one in found)
        yield Finding(
            f"git does not ignore {_listed(found)}: the secrets there go with the next commit of everything",
            f"write into {quote(f'{repository}/.gitignore')} on lines of their own: {lines}",
            found[0].place,
            tuple(Related("and this", one.place) for one in found[1:] if one.place.path),
        )


@state_rule(
    Severity.WARNING,
    cites="CWE-219 (secrets under a web root); Apache HTTP Server, DocumentRoot and UserDir",
)
def secrets_under_web_root(_: Fleet, surroundings: Surroundings) -> Iterator[Finding]:
    """Private keys lie in a folder that a web server publishes.

    ## What it finds

    dist/, the store, or a file with the authority's key or passphrase below a folder such as /var/www,
    /srv/http, public_html or wwwroot.

    ## Who is hurt

    Every host of the fleet: whoever guesses the address fetches the keys with a browser.

    ## Example

    It comes of a pki.toml in a folder such as "/var/www/html/pki".

    ## Instead

    Move pki.toml with all that belongs to it to another folder. If it lay there while the web server ran, the
    keys have to be made anew: "ipmpki revoke" with --reason key-compromise.
    """
    for web_root, found in _grouped(surroundings.secrets, lambda one: _web_root_of(one.absolute)).items():
        yield Finding(
            f"secrets lie in {quote(web_root)}, which web servers publish: {_listed(found)}",
            "move them, with pki.toml, out of that folder",
            found[0].place,
            tuple(Related("and this", one.place) for one in found[1:] if one.place.path),
        )


def _grouped(secrets: Iterable[Secret], by: Callable[[Secret], str | None]) -> dict[str, list[Secret]]:
    """The secrets by where they are open to others, without those that are not."""
    found: dict[str, list[Secret]] = {}
    for one in secrets:
        where = by(one)
        if where is not None:
            found.setdefault(where, []).append(one)
    return found


def _listed(secrets: Iterable[Secret]) -> str:
    names = list(dict.fromkeys(quote(one.path) for one in secrets))
    return " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)


def _line_of_gitignore(secret: Secret, repository: str) -> str:
    """The pattern that names just this, from the repository's folder on (gitignore(5))."""
    path = PurePath(secret.absolute).relative_to(repository).as_posix()
    return f"/{path}/" if secret.path.endswith("/") else f"/{path}*"


def _web_root_of(absolute: str) -> str | None:
    """The outermost folder of a path that a web server publishes; None if there is none."""
    path = PurePath(absolute)
    for folder in (*reversed(path.parents), path):
        if folder.name.lower() in _WEB_FOLDERS or PurePosixPath(folder.as_posix()) in _WEB_ROOTS:
            return str(folder)
    return None
