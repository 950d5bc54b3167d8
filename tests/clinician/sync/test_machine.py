"""The machine on the real engine, and the same machine on three wrong ones, which it must catch."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import orjson
import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from clinician.cache.acts import ActRow, ActState
from clinician.record.answer import Answer
from clinician.sync import line
from clinician.sync.upload import Sent, Uploader
from tests.clinician.sync.machine import SyncMachine
from tests.clinician.sync.world import Station

QUIET = [
    HealthCheck.too_slow,
    HealthCheck.data_too_large,
    HealthCheck.filter_too_much,
    HealthCheck.large_base_example,
]
CI = settings(
    max_examples=15,
    stateful_step_count=18,
    deadline=None,
    suppress_health_check=QUIET,
    derandomize=True,
    phases=[Phase.explicit, Phase.generate],
    database=None,
)
HUNT = settings(
    max_examples=60,
    stateful_step_count=25,
    deadline=None,
    suppress_health_check=QUIET,
    derandomize=True,
    phases=[Phase.generate],
    print_blob=False,
    database=None,
    report_multiple_bugs=False,
)


def test_that_every_act_ends_exactly_once_whatever_the_network_does() -> None:
    run_state_machine_as_test(SyncMachine, settings=CI)


@pytest.mark.soak
def test_that_it_holds_for_a_long_run() -> None:
    many = settings(max_examples=2000, stateful_step_count=40, deadline=None, suppress_health_check=QUIET)
    run_state_machine_as_test(SyncMachine, settings=many)


# wrong on purpose ------------------------------------------------------------------------------


class PostAndRetry(Uploader):
    """Sends creates without a condition and tries again without asking what became of the first."""

    def _claim(self, act: ActRow) -> bytes | None:
        made = super()._claim(act)
        if made is None:
            return None
        bundle = orjson.loads(made)
        for entry in bundle["entry"]:
            entry["request"].pop("ifMatch", None)
            entry["request"].pop("ifNoneMatch", None)
        return orjson.dumps(bundle)

    def _may_resend(self, act: ActRow, sent: Sent) -> bool:
        return True


class ServerWins(Uploader):
    """Drops what I did when somebody was first."""

    def _collided(self, act: ActRow, answer: Answer, sent: Sent) -> None:
        def work(writing: Any) -> None:
            if writing.outbox.transition(act.op_id, ActState.SENDING, ActState.CONFLICT):
                writing.outbox.transition(act.op_id, ActState.CONFLICT, ActState.WITHDRAWN)

        self.line.write(work, durable=True)


class PostMachine(SyncMachine):
    uploader = PostAndRetry


class ServerWinsMachine(SyncMachine):
    uploader = ServerWins


class NoOverlap(line.Line):
    """Asks from the mark on: what was committed late is never seen."""

    __slots__ = ()

    def overlap(self, writing: Any) -> timedelta:
        return timedelta(microseconds=-1000)


def naive(station: Station) -> None:
    station.engine.line.__class__ = NoOverlap


class NaiveMarkMachine(SyncMachine):
    prepare = staticmethod(naive)


@pytest.mark.parametrize(
    ("wrong", "why"),
    [
        (PostMachine, "a lost update|applied twice|content never stood there"),
        (ServerWinsMachine, "an act that vanished"),
        (NaiveMarkMachine, "I7 before any comparison of ids"),
    ],
)
def test_that_the_machine_catches_a_wrong_engine(wrong: type[SyncMachine], why: str) -> None:
    with pytest.raises(AssertionError, match=why):
        run_state_machine_as_test(wrong, settings=HUNT)
