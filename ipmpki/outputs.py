"""The shapes of ipmpki's JSON outputs, typed: what is rendered and what the schemas say are one thing."""

from __future__ import annotations

from typing import Literal, TypedDict


class PositionOutput(TypedDict):
    """A spot in a file: line and column from 1, the column in characters."""

    line: int
    column: int


class RelatedOutput(TypedDict):
    """A second place that explains a problem."""

    message: str
    file: str
    path: list[str | int]
    start: PositionOutput
    end: PositionOutput


class ProblemOutput(TypedDict):
    """One thing that is wrong: rule, severity, fault, remedy and place. The end is exclusive."""

    rule: str
    severity: Literal["error", "warning", "info"]
    message: str
    help: str | None
    file: str
    path: list[str | int]
    start: PositionOutput
    end: PositionOutput
    related: list[RelatedOutput]


class TallyOutput(TypedDict):
    """How many problems there are of each severity."""

    errors: int
    warnings: int
    infos: int


class ProblemsOutput(TypedDict):
    """What ``ipmpki check --format json`` writes."""

    version: Literal[1]
    file: str
    problems: list[ProblemOutput]
    summary: TallyOutput
