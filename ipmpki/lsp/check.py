"""Judge declarations that are being edited, and their included files, with what is not saved yet."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from lsprotocol import types

from ipmpki.declaration.validate import included_patterns
from ipmpki.diagnostics.escape import visible
from ipmpki.diagnostics.fault import Fault
from ipmpki.diagnostics.problem import Severity
from ipmpki.lsp.text import Text, path_of, uri_of
from ipmpki.operations.check import Reading, conclude, read
from ipmpki.operations.load import load_text, understand_text
from ipmpki.rules.context import Surroundings
from ipmpki.source import files

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from datetime import datetime

    from ipmpki.diagnostics.problem import LocatedProblem
    from ipmpki.source import Source

SOURCE = "ipmpki"
"""What editors show beside each of our diagnostics."""

_SEVERITIES = {
    Severity.ERROR: types.DiagnosticSeverity.Error,
    Severity.WARNING: types.DiagnosticSeverity.Warning,
    Severity.INFO: types.DiagnosticSeverity.Information,
}
_SCHEMA_LINE = re.compile(r"^#:schema\s+\S*\bpki\.schema\.json\s*$", re.MULTILINE)
_USUAL_NAME = "pki.toml"
_MOST_FOLDERS = 12
"""How far up a pki.toml is looked for that includes a file."""


@dataclass(frozen=True, slots=True)
class Opened:
    """A document that an editor has open. ``path`` is absolute, and None for one that is no file yet."""

    uri: str
    version: int | None
    text: str
    path: Path | None

    @staticmethod
    def of(uri: str, version: int | None, text: str) -> Opened:
        """The document that an editor speaks of."""
        path = path_of(uri)
        return Opened(uri, version, text, Path(path) if path is not None else None)

    @property
    def content(self) -> bytes:
        """The text as bytes; half of a surrogate pair becomes what is no UTF-8, and a problem then."""
        return self.text.encode("utf-8", "surrogatepass")


@dataclass(frozen=True, slots=True)
class ShownProblem:
    """A problem as an editor is shown it, and the problem itself; a fault has none."""

    diagnostic: types.Diagnostic
    problem: LocatedProblem | None = None


@dataclass(frozen=True, slots=True)
class Judged:
    """One file's text as it was judged, and what was found in it. ``version`` is the editor's."""

    uri: str
    version: int | None
    text: str
    is_site: bool
    found: tuple[ShownProblem, ...] = ()


class Judge:
    """Judges all open documents at one moment."""

    def __init__(self, documents: Iterable[Opened], units: Callable[[str], int], now: datetime) -> None:
        self._now = now
        self._units = units
        self._open: dict[Path, Opened] = {}
        for one in documents:
            if one.path is not None:
                self._open[_resolved(one.path)] = one
        self._unsaved = {path: one.content for path, one in self._open.items()}

    def judge(self) -> dict[str, Judged]:
        """By URI, every file of the declarations that open documents are or belong to."""
        judged: dict[str, Judged] = {}
        for declaration in dict.fromkeys(filter(None, map(self.declaration_of, self._open.values()))):
            for one in self._judge(declaration):
                judged.setdefault(one.uri, one)
        return judged

    def declaration_of(self, document: Opened) -> Path | None:
        """The declaration that a document is, or that includes it; None for TOML of some other kind."""
        path = document.path
        if path is None:
            return None
        if path.name == _USUAL_NAME:
            return path
        including = next((one for one in self._candidates(path) if self._includes(one, path)), None)
        return including or (path if is_declaration(document.text) else None)

    def _candidates(self, path: Path) -> Iterator[Path]:
        for folder in list(path.parents)[:_MOST_FOLDERS]:
            yield folder / _USUAL_NAME
        for other in self._open.values():
            if other.path is not None and other.path != path and is_declaration(other.text):
                yield other.path

    def _includes(self, declaration: Path, path: Path) -> bool:
        content = self._content(declaration)
        if content is None:
            return False
        wanted = _resolved(path)
        for pattern, _ in included_patterns(_reading(str(declaration), content).document):
            try:
                if any(_resolved(one) == wanted for one in files.matching(declaration.parent, pattern)):
                    return True
            except (ValueError, NotImplementedError, OSError):  # its own diagnostic says so
                continue
        return False

    def _content(self, path: Path) -> bytes | None:
        unsaved = self._unsaved.get(_resolved(path))
        if unsaved is not None:
            return unsaved
        try:
            return files.read_file(path, what="the declaration")
        except Fault:
            return None

    def _judge(self, path: Path) -> Iterator[Judged]:
        content = self._content(path)
        if content is None:
            return
        fault: Fault | None = None
        try:
            project = load_text(path, str(path), content, now=self._now, unsaved=self._unsaved)
            sources, problems = project.understood.sources, project.problems
        except Fault as met:  # such as a damaged store; what is written can be judged all the same
            fault = met
            understood = understand_text(path, str(path), content, self._unsaved)
            checked = conclude(understood, Surroundings(self._now))
            sources, problems = checked.sources, checked.problems
        texts = {name: self._text(name, source) for name, source in sources.items()}
        found: dict[str, list[ShownProblem]] = {name: [] for name in sources}
        for problem in problems:
            file = problem.label.file if problem.label.file in found else str(path)
            found[file].append(ShownProblem(self._diagnostic(problem, file, texts), problem))
        if fault is not None:
            found[str(path)].append(ShownProblem(_of_fault(fault)))
        for name in sources:
            opened = self._open.get(_resolved(Path(name)))
            yield Judged(
                opened.uri if opened else uri_of(Path(name)),
                opened.version if opened else None,
                texts[name].text,
                name != str(path),
                tuple(found[name]),
            )

    def _text(self, name: str, source: Source) -> Text:
        opened = self._open.get(_resolved(Path(name)))
        return Text(opened.text if opened else source.text, self._units)

    def _diagnostic(self, one: LocatedProblem, file: str, texts: Mapping[str, Text]) -> types.Diagnostic:
        problem = one.problem
        words = f"{problem.message}\nhelp: {problem.help}" if problem.help else problem.message
        return types.Diagnostic(
            range=texts[file].range_of(one.label.span),
            severity=_SEVERITIES[problem.severity],
            code=problem.rule,
            source=SOURCE,
            message="\n".join(map(visible, words.split("\n"))),
            related_information=[
                types.DiagnosticRelatedInformation(
                    types.Location(self._uri(label.file), texts[label.file].range_of(label.span)),
                    visible(label.message),
                )
                for label in one.related
                if label.file in texts
            ]
            or None,
        )

    def _uri(self, name: str) -> str:
        opened = self._open.get(_resolved(Path(name)))
        return opened.uri if opened else uri_of(Path(name))


def is_declaration(text: str) -> bool:
    """Whether a TOML text with another name than pki.toml is meant as one: by its schema, or its keys."""
    if _SCHEMA_LINE.search(text):
        return True
    if "[ca]" not in text and "hosts" not in text:  # so that other people's files need not be read
        return False
    values = _reading("", text.encode("utf-8", "surrogatepass")).document.values
    given = sum(key in values for key in ("schema", "ca", "hosts"))
    return given > 1 and values.get("schema", 1) == 1


@lru_cache(maxsize=8)
def _reading(name: str, content: bytes) -> Reading:
    return read(name, content)


def _resolved(path: Path) -> Path:
    try:
        return path.resolve()
    except (OSError, RuntimeError):  # RuntimeError: a loop of links, before Python 3.13
        return path


def _of_fault(fault: Fault) -> types.Diagnostic:
    start = types.Position(0, 0)
    words = f"{fault.message}\nhelp: {fault.remedy}" if fault.remedy else fault.message
    return types.Diagnostic(
        types.Range(start, start), words, severity=types.DiagnosticSeverity.Error, source=SOURCE
    )
