"""From documents to a fleet: everything the model refuses becomes a problem, the rest goes on.

What cannot be used is pruned and, where the model insists on a value, a stand-in takes its place; the
fleet remembers which paths those were, so that no rule judges a value nobody wrote.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from ipmpki.declaration import model, tables
from ipmpki.declaration.key_combinations import conditions
from ipmpki.declaration.model import FaultKind, RefusedValue, Shape
from ipmpki.declaration.refusals import refusal
from ipmpki.declaration.resolve import resolve
from ipmpki.diagnostics.problem import DocumentPath, Fix, Move, Place, Problem, Related, Rename, Severity
from ipmpki.diagnostics.wording import certain, closest, quote

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from ipmpki.declaration.fleet import Fleet
    from ipmpki.source import Document


class Validated(NamedTuple):
    """The fleet as far as it can be understood (None where nothing can), and what is wrong with the rest."""

    fleet: Fleet | None
    problems: tuple[Problem, ...]


def included_patterns(document: Document) -> tuple[tuple[str, Place], ...]:
    """The patterns of further files that pki.toml names, each with its place."""
    patterns = document.values.get("include")
    if not isinstance(patterns, list):
        return ()
    place = Place(document.source.name, ("include",))
    return tuple(
        (pattern, place.at(index))
        for index, pattern in enumerate(patterns)
        if isinstance(pattern, str) and pattern.strip() and "\0" not in pattern
    )


def validate(documents: Sequence[Document], *, is_whole: bool = True) -> Validated:
    """Validate pki.toml (the first document) and the files it includes, and apply the defaults.

    ``is_whole`` is False where the caller knows of a file that could not be read.
    """
    main = _Validation(tables.Declaration, documents[0])
    declaration = main.read(tables.Declaration)
    sites = [_Validation(tables.Site, document) for document in documents[1:]]
    hosts: list[tuple[tables.Host, Place]] = []
    if declaration is not None:
        hosts.extend(_placed(declaration.hosts, documents[0]))
    for validation, document in zip(sites, documents[1:], strict=True):
        site = validation.read(tables.Site)
        if site is not None:
            hosts.extend(_placed(site.hosts, document))
    problems = [*main.problems, *conditions(main.document, main.was_read)]
    for validation in sites:
        problems.extend(validation.problems)
    everything = [main, *sites]
    fleet = None
    if declaration is not None:
        fleet = resolve(
            declaration,
            Place(documents[0].source.name),
            hosts,
            is_whole=is_whole and all(validation.roles_are_known for validation in everything),
            unread={one.file: frozenset(one.unread) for one in everything if one.unread},
        )
    return Validated(fleet, tuple(problems))


def _placed(hosts: Iterable[tables.Host], document: Document) -> Iterator[tuple[tables.Host, Place]]:
    place = Place(document.source.name, ("hosts",))
    return ((host, place.at(index)) for index, host in enumerate(hosts))


class _Validation:
    """One document on its way through the model."""

    def __init__(self, root: type[tables.Table], document: Document) -> None:
        self.root = root
        self.document = document
        self.file = document.source.name
        self.unread = set(self._lost_in_broken_lines())
        self.problems: list[Problem] = []

    @property
    def roles_are_known(self) -> bool:
        """Whether each host of the document, and its role, could be read."""
        return not self.document.unread and not any(
            path[:1] == ("include",) or (path[:1] == ("hosts",) and (len(path) <= 2 or path[2] == "role"))  # noqa: PLR2004 -- a whole host
            for path in self.unread
        )

    def _lost_in_broken_lines(self) -> Iterator[DocumentPath]:
        """What stood in lines that are not TOML: of a table that is there, just what it lacks."""
        for path in self.document.unread_paths:
            try:
                table = _value_at(self.document.values, path)
            except (KeyError, IndexError, TypeError):
                table = None
            known = model.known_keys(self.root, path)
            if isinstance(table, dict) and known:
                yield from ((*path, key) for key in known if key not in table)
            else:
                yield path

    def was_read(self, path: DocumentPath) -> bool:
        return not self.unread or not any(path[:length] in self.unread for length in range(len(path) + 1))

    def read(self, kind: type[model.T]) -> model.T | None:
        """The document as the model's value, with stand-ins for what was refused."""
        found, faults = model.read(kind, self.document.values)
        if found is not None:
            return found
        self._report(faults)
        return model.read(kind, _pruned(self.document.values, faults))[0]

    def _report(self, faults: Iterable[RefusedValue]) -> None:
        missing: list[RefusedValue] = []
        for fault in faults:
            if fault.kind is FaultKind.MISSING_KEY:
                missing.append(fault)
            elif fault.kind is FaultKind.UNKNOWN_KEY:
                self.problems.append(self._unknown_key(fault))
            else:
                self.problems.append(refusal(self.root, self.file, fault))
                self.unread.add(fault.path)
        for fault in missing:
            # A key that was misspelt or stood in a broken line is not missing: one mistake, one problem.
            if self.was_read(fault.path):
                self.problems.append(_missing_key(self.file, fault.path))
            self.unread.add(fault.path)

    def _unknown_key(self, fault: RefusedValue) -> Problem:
        *steps, key = fault.path
        table = tuple(steps)
        key = str(key)
        place = Place(self.file, fault.path).key()
        if self.root is tables.Site and not table:
            remedy = "an included file holds [[hosts]] only; everything else stands in pki.toml"
            if key not in model.known_keys(tables.Declaration, ()):
                self.unread.add(("hosts",))
                remedy = "an included file holds [[hosts]] only"
            return Problem("unknown-key", Severity.ERROR, f"unknown key {quote(key)}", remedy, place)
        known = model.known_keys(self.root, table)
        given = _value_at(self.document.values, table)
        absent = [name for name in known if name not in given]
        elsewhere = next(model.tables_with(self.root, key), None)
        guess = _OTHER_WORDS.get(key.lower()) or closest(key, absent)
        fix: Fix | None = None
        related: tuple[Related, ...] = ()
        if table and key in model.known_keys(self.root, ()):
            remedy = f"'{key}' belongs at the top of the file, above the first [table]"
            self.unread.add((key,))
            fix = self._moving(place, key, ())
        elif elsewhere is not None and table != elsewhere:
            remedy = f"'{key}' belongs under [{elsewhere[0]}]"
            self.unread.add((*elsewhere, key))
            fix = self._moving(place, key, elsewhere)
            if elsewhere[0] in self.document.values:
                related = (Related("it belongs here", Place(self.file, elsewhere)),)
        elif guess in absent:
            remedy = f"did you mean '{guess}'?"
            self.unread.add((*table, guess))
            if guess == (certain(key, absent) or _SAME_WORDS.get(key.lower())):
                fix = Fix(f"write '{guess}'", (Rename(place, guess),))
        else:
            remedy = f"known keys here are {', '.join(known)}"
        where = f" in {_shown_table(table)}" if table else ""
        words = f"unknown key {quote(key)}{where}"
        return Problem("unknown-key", Severity.ERROR, words, remedy, place, related, fix=fix)

    def _moving(self, place: Place, key: str, table: DocumentPath) -> Fix | None:
        """The fix of a key that belongs to another table, if to one only and there is room for it."""
        values: Any = self.document.values
        for step in table:
            values = values.get(step)
        is_plain = model.shape_of(self.root, (*table, key)) not in {Shape.TABLE, Shape.TABLES}
        if model.has_room_for(self.root, key) != (table,) or not is_plain:
            return None
        if not isinstance(values, dict) or key in values:
            return None
        where = f"under [{table[0]}]" if table else "to the top of the file"
        return Fix(f"move it {where}", (Move(place, table),))


_OTHER_WORDS = {
    "hostname": "name",
    "fqdn": "name",
    "type": "role",
    "cn": "common_name",
    "o": "organization",
    "ou": "organizational_unit",
    "c": "country",
    "st": "state",
    "l": "locality",
    "san": "aliases",
    "sans": "aliases",
    "addresses": "ips",
    "address": "ips",
    "validity": "lifetime",
    "system": "os",
    "platform": "os",
    "wildcard": "subject",
    "clients": "hosts",
    "servers": "hosts",
    "cert": "certificate",
    "account": "server_account",
    "user": "server_account",
}


_SAME_WORDS = {
    key: word
    for key, word in _OTHER_WORDS.items()
    # The others may stand for several things: names and addresses, a role or a key type.
    if key not in {"type", "san", "sans", "clients", "servers", "user"}
}


def _shown_table(path: DocumentPath) -> str:
    name = ".".join(str(step) for step in path if isinstance(step, str))
    return f"[[{name}]]" if any(isinstance(step, int) for step in path) else f"[{name}]"


def _value_at(values: Any, path: DocumentPath) -> Any:
    for step in path:
        values = values[step]
    return values


# --- Pruning ----------------------------------------------------------------------------------------

_STAND_INS: dict[str, Any] = {"name": "", "role": "client", "ca": {}}
"""For what the model insists on. Nothing is judged or issued by them: ``unread`` says where they are."""


def _pruned(values: dict[str, Any], faults: Iterable[RefusedValue]) -> dict[str, Any]:
    """A copy of the values without the faulty ones; indices stay, as places are named by them."""
    root = dict(values)
    own: dict[DocumentPath, Any] = {(): root}
    for fault in faults:
        *above, step = fault.path
        parent = _own_container(own, tuple(above))
        if parent is None:
            continue
        if isinstance(step, int):
            parent[step] = {"name": "", "role": "client"} if fault.path[:-1] == ("hosts",) else ""
        elif step in _STAND_INS and fault.kind is not FaultKind.UNKNOWN_KEY:
            parent[step] = _STAND_INS[step]
        else:
            parent.pop(step, None)
    # A stand-in in one of these arrays would be refused again; what was meant is no longer known anyway.
    if any(fault.path[:1] == ("include",) for fault in faults):
        root.pop("include", None)
    if any(fault.path[:2] == ("rollout", "batch") for fault in faults):
        root.pop("rollout", None)
    return root


def _own_container(own: dict[DocumentPath, Any], path: DocumentPath) -> Any:
    """The container at a path, copied on its first use and put in the place of the original."""
    if path in own:
        return own[path]
    parent = _own_container(own, path[:-1])
    try:
        container = parent[path[-1]]
    except (KeyError, IndexError, TypeError):
        return None  # pruned already, with all that is in it
    copied = container.copy() if isinstance(container, dict | list) else None
    if copied is not None:
        parent[path[-1]] = copied
    own[path] = copied
    return copied


# --- What is missing ------------------------------------------------------------------------------

_HOST_KEYS = {
    "name": 'write: name = "ipm1.example.com", the full computer name from DNS',
    "role": 'write: role = "server" for a computer that runs InfoPrint Manager, or role = "client"',
}


def _missing_key(file: str, path: DocumentPath) -> Problem:
    place = Place(file, path)
    key = str(path[-1])
    if path == ("ca",):
        words = "there is no [ca] table, so nobody to issue certificates"
        remedy = 'add: [ca] and below it common_name = "…", the name of your authority'
        return Problem("missing-key", Severity.ERROR, words, remedy, place)
    return Problem("missing-key", Severity.ERROR, f"this host has no '{key}'", _HOST_KEYS[key], place)
