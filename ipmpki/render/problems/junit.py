"""Problems as JUnit's XML, which servers of continuous integration show as the results of tests."""

from __future__ import annotations

from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

from ipmpki.diagnostics.escape import visible
from ipmpki.diagnostics.problem import Severity

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ipmpki.diagnostics.problem import LocatedProblem

_ALWAYS_FAILING = frozenset({Severity.ERROR})


def render_junit(problems: Sequence[LocatedProblem], file: str, *, strict: bool = False) -> str:
    """One test suite a file, one test case a problem: errors fail, and warnings too if ``strict``.

    What fails is what the exit status counts; other problems are the output of a case that passed. A file
    without a problem has one case that passed, as servers take a suite without cases for a broken run.
    ``file`` is what was judged, as people named it. Elements and attributes are those of Jenkins' schema.
    """
    failing = _ALWAYS_FAILING | ({Severity.WARNING} if strict else frozenset())
    suites: dict[str, list[LocatedProblem]] = {file: []}
    for one in problems:
        suites.setdefault(one.label.file, []).append(one)
    if len(suites) > 1 and not suites[file]:
        del suites[file]
    root = ET.Element("testsuites", name="ipmpki")
    for name, found in suites.items():
        _add_suite(root, name, found, failing)
    _count(root, len(list(root.iter("testcase"))), len(list(root.iter("failure"))))
    ET.indent(root)
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{ET.tostring(root, encoding="unicode")}\n'


def _add_suite(
    root: ET.Element, file: str, problems: Sequence[LocatedProblem], failing: frozenset[Severity]
) -> None:
    suite = ET.SubElement(root, "testsuite", name=visible(file))
    for one in problems:
        _add_case(suite, one, is_failure=one.problem.severity in failing)
    if not problems:
        ET.SubElement(suite, "testcase", name="no problems", classname=visible(file), time="0")
    _count(suite, len(suite), len(list(suite.iter("failure"))))


def _add_case(suite: ET.Element, one: LocatedProblem, *, is_failure: bool) -> None:
    problem, span = one.problem, one.label.span
    place = f"{one.label.file}:{span.start.line}:{span.start.column}" if span else one.label.file
    text = f"{place}: {problem.severity}: {problem.message}"
    if problem.help:
        text += f"\nhelp: {problem.help}"
    text = "\n".join(visible(line) for line in text.split("\n"))
    name = f"{problem.rule} at line {span.start.line}, column {span.start.column}" if span else problem.rule
    case = ET.SubElement(suite, "testcase", name=name, classname=visible(one.label.file), time="0")
    if is_failure:
        failure = ET.SubElement(case, "failure", type=problem.rule, message=visible(problem.message))
        failure.text = text
    else:
        ET.SubElement(case, "system-out").text = text


def _count(element: ET.Element, tests: int, failures: int) -> None:
    for key, number in (("tests", tests), ("failures", failures), ("errors", 0), ("time", 0)):
        element.set(key, str(number))
