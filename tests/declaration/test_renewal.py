"""Whoever asks when something is due is told the same: check, status, plan, report and the years ahead."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from ipmpki.declaration import renewal, specification
from ipmpki.operations.load import understand_text
from ipmpki.plans.forecast import Task, calendar
from ipmpki.plans.make import make_plan
from ipmpki.plans.plan import Action, Artifact, Drift, ReasonCode
from ipmpki.plans.status import Kind, State, Step, stand
from ipmpki.plans.world import Wanted, World
from ipmpki.render.report.collect import report_of
from ipmpki.rules.context import Surroundings
from ipmpki.rules.engine import judge_state
from ipmpki.store.records import Issued, IssuedCertificate, StoredAuthority, StoredRevocationList
from tests.problems import NOW

if TYPE_CHECKING:
    from collections.abc import Callable

    from ipmpki.declaration.fleet import Fleet

DAY = timedelta(days=1)

DECLARATION = """\
schema = 1

[ca]
{ca}

[tls]
mutual_auth = "required"

[defaults]
lifetime = "{lifetime}d"
renew_before = "{window}d"

[[hosts]]
name = "ipm1.example.com"
role = "server"

[[hosts]]
name = "desk1.example.com"
role = "client"
"""


@dataclass(frozen=True)
class Years:
    """A fleet of two hosts: what is declared in days, and how old authority and certificates are, in days."""

    authority: int
    lifetime: int
    window: int
    authority_age: float
    age: float
    is_existing: bool = False

    def fleet(self) -> Fleet:
        """The declaration as meant."""
        made = f'common_name = "Acme Print CA"\nlifetime = "{self.authority}d"'
        brought = 'certificate = "ca.pem"\nkey_file = "ca.key"'
        text = DECLARATION.format(
            ca=brought if self.is_existing else made, lifetime=self.lifetime, window=self.window
        )
        understood = understand_text(Path("/nowhere/pki.toml"), "pki.toml", text.encode())
        assert understood.fleet is not None
        return understood.fleet

    def issued(self, fleet: Fleet, authority: str) -> Issued:
        """What the store holds: an authority, its list, and a certificate for each host."""
        begin = NOW - self.authority_age * DAY
        end = begin + self.authority * DAY
        began = NOW - min(self.age, self.authority_age) * DAY
        ends = min(began + self.lifetime * DAY, end)
        signer = StoredAuthority(
            1, "CN=Acme Print CA", authority, b"", b"", "ec-p256", "00" * 32, begin, end, self.is_existing
        )
        current = {
            holder: IssuedCertificate(
                7, holder, 1, spec.profile, specification.of_certificate(spec), began, ends, "00" * 32, began
            )
            for host in fleet.hosts
            for holder, spec in host.certificates
        }
        return Issued(
            (signer,),
            current=current,
            revocation_lists={1: StoredRevocationList(1, 1, began, ends, b"")},
            last_event=1,
            last_event_at=NOW,
        )


years = st.builds(
    Years,
    authority=st.integers(3, 8000),
    lifetime=st.integers(2, 900),
    window=st.integers(1, 400),
    authority_age=st.floats(0, 8100),
    age=st.floats(0, 900),
    is_existing=st.booleans(),
).filter(lambda one: one.window < one.lifetime)


@given(years)
@example(Years(3650, 397, 30, 3650 - 363, 10))  # check was silent, while status said to build a successor
@example(Years(60, 397, 30, 1, 1))  # check warned of it, and the plan was empty
@example(Years(60, 397, 30, 35, 35))  # status said to build, and the plan was empty
@example(Years(400, 397, 30, 380, 3, is_existing=True))  # check said to build, which could renew nothing
@example(Years(3650, 397, 30, 400, 367))
def test_check_status_plan_report_and_calendar_agree(one: Years) -> None:
    fleet = one.fleet()
    wanted = specification.of_existing_authority("00" * 32) if one.is_existing else ""
    wanted = wanted or specification.of_authority(fleet.authority)
    issued = one.issued(fleet, wanted)
    world = World(fleet, Wanted(wanted, "", defaultdict(str)), issued, Drift(), NOW)
    lines, _ = stand(fleet, issued, NOW)
    hosts = {line.name: line for line in lines if line.kind.is_host}
    (authority,) = (line for line in lines if line.kind is Kind.AUTHORITY)
    (listed,) = (line for line in lines if line.kind is Kind.REVOCATION_LIST)

    warned: dict[str, set[str | None]] = {"certificate-expiring": set(), "certificate-expired": set()}
    places = {host.place.at("name"): host.name for host in fleet.hosts}
    for problem in judge_state(fleet, Surroundings(NOW, issued=issued)):
        if problem.rule in warned:
            warned[problem.rule].add(places.get(problem.place))
    told: dict[str | None, State] = {
        None: authority.state,
        **{name: line.state for name, line in hosts.items()},
    }
    assert warned["certificate-expiring"] == {
        name for name, state in told.items() if state is State.RENEW_SOON
    }
    assert warned["certificate-expired"] == {name for name, state in told.items() if state is State.EXPIRED}

    issues = {Action.CREATE, Action.RENEW, Action.REPLACE}
    plan = make_plan(world)
    changes = {(one.artifact, one.host): one for one in plan.changes if one.action in issues}
    makes_successor = (Artifact.CA_CERTIFICATE, None) in changes
    assert makes_successor == (authority.state is State.EXPIRED or authority.step is Step.BUILD)
    for name, line in hosts.items():
        artifact = Artifact.SERVER_CERTIFICATE if line.kind is Kind.SERVER else Artifact.CLIENT_CERTIFICATE
        change = changes.get((artifact, name))
        codes = {reason.code for reason in change.reasons} if change is not None else set()
        if line.state is State.VALID:
            assert line.step is Step.NONE
            assert not codes & {ReasonCode.EXPIRING, ReasonCode.EXPIRED}
        else:
            assert (line.step is Step.BUILD) == (bool(codes) or makes_successor)
            assert line.step in {Step.BUILD, Step.REPLACE_AUTHORITY}
    is_renewed = Artifact.CRL in {artifact for artifact, _ in changes}
    if listed.state is State.VALID:
        assert is_renewed == makes_successor
    else:
        assert is_renewed == (listed.step is Step.BUILD or makes_successor)

    report = report_of("pki.toml", fleet, issued, (), refused=False)
    shown = {host.name: host.certificate for host in report.hosts}
    assert {name: one.renew_from for name, one in shown.items() if one} == {
        name: line.renew_from for name, line in hosts.items()
    }
    work = calendar(world, NOW)
    succeeds = any(one.task in {Task.SUCCESSION, Task.REPLACE_AUTHORITY} for one in work)
    assert succeeds == (authority.state is not State.VALID)
    renewed = {name for one in work if one.task is Task.RENEW for name in one.hosts}
    due = {name for name, line in hosts.items() if line.state is not State.VALID}
    assert renewed == due or (succeeds and renewed <= due)


def test_the_years_of_an_authority_that_exists_end_with_it() -> None:
    """No build makes its successor, so that all renewals stop on the day when it has to have one."""
    one = Years(800, 397, 30, 1, 1, is_existing=True)
    fleet = one.fleet()
    wanted = specification.of_existing_authority("00" * 32)
    issued = one.issued(fleet, wanted)
    world = World(fleet, Wanted(wanted, "", defaultdict(str)), issued, Drift(), NOW)
    work = calendar(world, NOW + 2000 * DAY)
    (brought,) = (one for one in work if one.task is Task.REPLACE_AUTHORITY)
    assert brought.by == issued.signers[0].not_after
    assert {one.task for one in work} == {Task.RENEW, Task.LIST, Task.REPLACE_AUTHORITY}
    assert max(one.due for one in work) < brought.by


@pytest.mark.parametrize(
    ("asked", "days"),
    [
        (lambda begin, end: renewal.of_authority(begin, end, None), 100),
        (lambda begin, end: renewal.of_presented(begin, end, is_authority=True), 90),
        (lambda begin, end: renewal.of_presented(begin, end, is_authority=False), 30),
    ],
)
def test_without_a_declaration_the_last_third_counts(
    asked: Callable[[datetime, datetime], renewal.Renewal], days: int
) -> None:
    its = asked(NOW, NOW + 300 * DAY)
    assert its == renewal.Renewal(NOW + (300 - days) * DAY, NOW + 300 * DAY)
    assert asked(NOW, NOW + 30 * DAY).due == NOW + 20 * DAY
    assert not its.is_due(its.due - timedelta(seconds=1))
    assert its.is_due(its.due)
    assert not its.is_due(its.end)
    assert its.has_ended(its.end)
