"""The machine on the real engine, and the same machine on wrong ones, which it must catch."""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import httpx
import orjson
import pytest
from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis.stateful import run_state_machine_as_test

from clinician.cache.acts import ActRow, ActState
from clinician.record.answer import Answer
from clinician.sync import line
from clinician.sync.applied import answered_versions, store_applied
from clinician.sync.upload import Sent, Uploader
from tests.clinician.sync.machine import TALLY, SyncMachine
from tests.clinician.sync.ready import MachineStation
from tests.clinician.sync.world import outside

QUIET = [
    HealthCheck.too_slow,
    HealthCheck.data_too_large,
    HealthCheck.filter_too_much,
    HealthCheck.large_base_example,
]
CI = settings(
    max_examples=25,
    stateful_step_count=18,
    deadline=None,
    suppress_health_check=QUIET,
    derandomize=True,
    phases=[Phase.explicit, Phase.generate],
    database=None,
)
HUNT = settings(
    max_examples=12,
    stateful_step_count=25,
    deadline=None,
    suppress_health_check=QUIET,
    phases=[Phase.generate],
    print_blob=False,
    database=None,
    report_multiple_bugs=False,
)


def test_that_every_act_ends_exactly_once_whatever_the_network_does() -> None:
    run_state_machine_as_test(SyncMachine, settings=CI)


EXAMPLES = int(os.environ.get("EXAMPLES", "10000"))
CHUNK = 250


@pytest.mark.soak
@pytest.mark.parametrize("number", range(-(-EXAMPLES // CHUNK)))
def test_that_it_holds_for_a_long_run(number: int, record_property: Callable[[str, object], None]) -> None:
    """`make soak EXAMPLES=10000`: so many examples, shared out over the processes, each chunk with its own seed."""
    many = settings(
        max_examples=min(CHUNK, EXAMPLES - number * CHUNK),
        stateful_step_count=25,
        deadline=None,
        suppress_health_check=QUIET,
        database=None,
    )
    start = int(os.environ.get("SEED", "0"))
    machine = seed(start + number)(type("SoakMachine", (SyncMachine,), {}))
    before = Counter(TALLY)
    run_state_machine_as_test(machine, settings=many)
    record_property("machine", {"acts lost": 0, "acts doubled": 0, **(TALLY - before)})


# wrong on purpose ------------------------------------------------------------------------------


class PostAndRetry(Uploader):
    """What is new goes as a POST, so that the record gives it an id; without an answer it is simply sent again."""

    def _claim(self, act: ActRow) -> bytes | None:
        made = super()._claim(act)
        return None if made is None else _posted(made)

    def _may_resend(self, act: ActRow, sent: Sent) -> bool:
        return True

    def _accepted(self, act: ActRow, bundle: bytes, answer: Answer, sent: Sent) -> None:
        versions = answered_versions(bundle, answer)
        if versions is None:
            self._again(act, answer.status, answer, sent)
            return
        kept = {ref: version for ref, version in versions.items() if "/" in ref}
        store_applied(self.line, act, bundle, answer, kept)
        self._done(act, sent)


def _posted(bundle: bytes) -> bytes:
    """The same act with `POST Communication` for each new note."""
    raw = orjson.loads(bundle)
    for entry in raw["entry"]:
        if entry["request"]["url"].startswith("Communication/"):
            entry["request"] = {"method": "POST", "url": "Communication"}
    return orjson.dumps(raw)


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


class HeadOfLine(Uploader):
    """One queue, strictly in the order things were done: the first in it goes first or nothing goes."""

    def _open_acts(self, writing: Any) -> tuple[ActRow, ...]:
        return super()._open_acts(writing)[:1]


class HeadOfLineMachine(SyncMachine):
    uploader = HeadOfLine


class NoOverlap(line.Line):
    """Asks from the mark on."""

    __slots__ = ()

    def overlap(self, writing: Any) -> timedelta:
        return timedelta(0)


class GreaterThan(httpx.BaseTransport):
    """The rule of many clients: `_lastUpdated=gt` the newest stamp ever received."""

    def __init__(self, inner: httpx.BaseTransport) -> None:
        self._inner = inner

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        if b"_lastUpdated=ge" not in request.content or request.url.path != "/":
            return self._inner.handle_request(request)
        asked = request.content.replace(b"_lastUpdated=ge", b"_lastUpdated=gt")
        kept = {key: value for key, value in request.headers.items() if key != "content-length"}
        answer = self._inner.handle_request(
            httpx.Request(request.method, request.url, headers=kept, content=asked)
        )
        headers = {key: value for key, value in answer.headers.items() if key != "content-length"}
        return outside(answer.status_code, _newest_as_mark(answer.read()), **headers)


def _newest_as_mark(body: bytes) -> bytes:
    """Each page says as its time the newest stamp in it, so that this becomes the mark."""
    batch = orjson.loads(body)
    for entry in batch["entry"]:
        page = entry["resource"]
        stamps = [one["resource"]["meta"]["lastUpdated"] for one in page.get("entry", [])]
        page["meta"] = {"lastUpdated": max(stamps, default="1970-01-01T00:00:00.000Z")}
    return orjson.dumps(batch)


def greater_than(station: MachineStation) -> None:
    station.engine.line.__class__ = NoOverlap
    station.wire.inner = GreaterThan(station.wire.inner)


class GreaterThanMachine(SyncMachine):
    def dress(self, station: MachineStation) -> None:
        greater_than(station)


@pytest.mark.parametrize(
    ("wrong", "why"),
    [
        (PostMachine, "a note was recorded twice"),
        (ServerWinsMachine, "I1: an act that vanished"),
        (HeadOfLineMachine, "I12: a poisoned act"),
        (GreaterThanMachine, "I10: the mark of|I3: fresh|I7 before any comparison of ids"),
    ],
)
def test_that_the_machine_catches_a_wrong_engine(wrong: type[SyncMachine], why: str) -> None:
    """Short hunts from many starts: one start may be unlucky for long."""
    for start in range(20):
        try:
            run_state_machine_as_test(seed(start)(type("Wrong", (wrong,), {})), settings=HUNT)
        except AssertionError as caught:
            assert re.search(why, str(caught)), caught
            return
    pytest.fail("a wrong engine lived through 240 examples")
