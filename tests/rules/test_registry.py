"""The registry refuses what would leave a rule without a name or a page of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from ipmpki.diagnostics.problem import Severity
from ipmpki.rules.catalog import registered
from ipmpki.rules.registry import Finding, fleet_rule, reported_elsewhere

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ipmpki.declaration.fleet import Fleet


def test_two_rules_cannot_have_one_name() -> None:
    registered()
    with pytest.raises(ValueError, match="two rules are named no-server"):

        @fleet_rule(Severity.ERROR, cites="nobody")
        def no_server(_: Fleet) -> Iterator[Finding]:
            """A page."""
            yield from ()


def test_a_rule_needs_a_page() -> None:
    with pytest.raises(ValueError, match="no-page has no page"):

        @reported_elsewhere(Severity.ERROR, cites="nobody")
        def no_page() -> None:
            pass


def test_rules_are_listed_by_name() -> None:
    assert list(registered()) == sorted(registered())
