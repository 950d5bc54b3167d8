"""Nothing disappears: home care's acts on two workstations, sync, lost answers and crashes in any order."""

from __future__ import annotations

from dataclasses import dataclass, replace

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from clinician.cache.acts import ActRow, ActState
from clinician.cache.reading import Reading
from clinician.cache.writing import Writing
from clinician.commands.act import Act, Stamp
from clinician.record.answer import Answer
from clinician.sync.upload import Sent, Uploader
from modules.homecare.commands import MoveVisit
from tests.scenarios.homecare_machine import NothingDisappears

QUIET = [
    HealthCheck.too_slow,
    HealthCheck.data_too_large,
    HealthCheck.filter_too_much,
    HealthCheck.large_base_example,
]
CI = settings(
    max_examples=14,
    stateful_step_count=25,
    deadline=None,
    suppress_health_check=QUIET,
    derandomize=True,
    phases=[Phase.explicit, Phase.generate],
    database=None,
)
HUNT = settings(CI, max_examples=60, phases=[Phase.generate], report_multiple_bugs=False, print_blob=False)


def test_that_no_visit_disappears_whatever_is_done_lost_or_broken_off() -> None:
    run_state_machine_as_test(NothingDisappears, settings=CI)


@pytest.mark.soak
def test_that_no_visit_disappears_in_a_long_run() -> None:
    many = settings(max_examples=600, stateful_step_count=40, deadline=None, suppress_health_check=QUIET)
    run_state_machine_as_test(NothingDisappears, settings=many)


# wrong on purpose: what the machine must catch --------------------------------------------------------


class ServerWins(Uploader):
    """Drops what a person did when somebody was first."""

    def _collided(self, act: ActRow, answer: Answer, sent: Sent) -> None:
        def work(writing: Writing) -> None:
            if writing.outbox.transition(act.op_id, ActState.SENDING, ActState.CONFLICT):
                writing.outbox.transition(act.op_id, ActState.CONFLICT, ActState.WITHDRAWN)

        self.line.write(work, durable=True)


@dataclass(frozen=True, slots=True)
class MovesToNowhere(MoveVisit):
    """Marks the old visit as moved and forgets the new one."""

    def build(self, reading: Reading, stamp: Stamp) -> tuple[Act, ...]:
        (act,) = MoveVisit.build(self, reading, stamp)
        return (replace(act, changes=act.changes[:1]),)


class ServerWinsMachine(NothingDisappears):
    uploader = ServerWins


class MovesToNowhereMachine(NothingDisappears):
    mover = MovesToNowhere


@pytest.mark.parametrize(
    ("wrong", "why"),
    [(ServerWinsMachine, "an act vanished"), (MovesToNowhereMachine, "moved, but nowhere to be found")],
)
def test_that_the_machine_catches_what_makes_visits_disappear(
    wrong: type[NothingDisappears], why: str
) -> None:
    with pytest.raises(AssertionError, match=why):
        run_state_machine_as_test(wrong, settings=HUNT)
