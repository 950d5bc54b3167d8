"""Sends acts: one frozen transaction each, in order per aggregate, exactly once (SYNC §1.7)."""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import Enum
from typing import Final

from clinician.cache.acts import ActRow, ActState
from clinician.cache.writing import Writing
from clinician.errors import DiskFull, Environment, Offline
from clinician.record.answer import Answer
from clinician.record.client import Busy, NotSent
from clinician.record.retry import Breaker, pause
from clinician.sync import settle
from clinician.sync.applied import answered_versions, store_applied, store_earlier
from clinician.sync.lanes import MOST, MOST_DOUBTFUL, WIDTH, Lanes
from clinician.sync.line import Line
from clinician.sync.twin import note_twin

_log = logging.getLogger(__name__)
THREADS: Final = MOST + MOST_DOUBTFUL
PARK_TRIES: Final = 8
PARK_AFTER: Final = timedelta(minutes=30)
STALE_AFTER: Final = timedelta(seconds=240)
"""Twice the longest exchange: a `sending` row older than this has nobody who sends it."""
ASK_WITHIN: Final = 5.0
"""Seconds the record has to say that it is there, when one act got no answer."""
ROOM_NEEDED: Final = 5.0
"""Seconds until a full disk is tried again."""
_OPEN: Final = frozenset({ActState.QUEUED, ActState.UNKNOWN})
_SENDABLE: Final = frozenset({ActState.SENDING, ActState.UNKNOWN})


class Earlier(Enum):
    """What became of an earlier try: the record has its Provenance, has it not, or does not say."""

    WON = "won"
    NEVER = "never"
    UNSAID = "unsaid"


@dataclass(slots=True)
class Sent:
    """What a round of sending came to."""

    applied: int = 0
    conflicts: int = 0
    refused: int = 0
    trouble: Environment | None = None

    def add(self, other: Sent) -> None:
        """Sum up; the latest trouble stays."""
        self.applied += other.applied
        self.conflicts += other.conflicts
        self.refused += other.refused
        self.trouble = other.trouble or self.trouble


@dataclass(slots=True)
class Uploader:
    """Sends what is ready. One per engine; `drain` is called from its thread only."""

    line: Line
    pool: Executor | None = None
    lanes: Lanes[Sent] = field(default_factory=Lanes[Sent])
    breaker: Breaker = field(default_factory=Breaker)
    frozen: Callable[[Writing], bool] = lambda writing: False
    last_applied: datetime | None = None
    _due: dict[str, float] = field(default_factory=dict)
    _tries: dict[str, int] = field(default_factory=dict)
    _held: dict[str, float] = field(default_factory=dict)
    _fresh: deque[ActRow] = field(default_factory=deque)
    _doubtful: deque[ActRow] = field(default_factory=deque)

    def drain(self) -> Sent:
        """Send until nothing is ready, everything waits for its pause, or the record is away.

        With a pool it does not wait for an act that takes much longer than usual: that one comes home later.
        """
        sent = Sent()
        self._fresh.clear()
        self._doubtful.clear()
        self._forget_pauses()
        while not self.line.stopped.is_set():
            if not (self._one_by_one(sent) if self.pool is None else self._side_by_side(self.pool, sent)):
                break
        return sent

    def _one_by_one(self, sent: Sent) -> bool:
        self._choose()
        acts = [*self._fresh, *self._doubtful][: self._width()]
        for act in acts:
            sent.add(self._send(act))
        return bool(acts)

    def _side_by_side(self, pool: Executor, sent: Sent) -> bool:
        if not self._fresh:
            self._choose()
        for waiting, is_doubtful in ((self._fresh, False), (self._doubtful, True)):
            while waiting and self._may_go(waiting[0]):
                width = self._width()
                if not self.lanes.start(pool, waiting[0], self._send, is_doubtful=is_doubtful, width=width):
                    break
                waiting.popleft()
        is_going = self.lanes.wait()
        for result in self.lanes.arrived():
            sent.add(result)
        return is_going

    def _choose(self) -> None:
        """Read anew what may go: once for a whole night's work, not once for each act."""
        busy = {act.aggregate for act in self.lanes.under_way()}
        acts = [act for act in self._ready() if act.aggregate not in busy]
        self._fresh = deque(act for act in acts if act.op_id not in self._tries)
        doubtful = [act for act in acts if act.op_id in self._tries]
        self._doubtful = deque(sorted(doubtful, key=lambda act: self._tries[act.op_id]))

    def _may_go(self, act: ActRow) -> bool:
        now = self.line.clock.monotonic()
        return self.breaker.may_try(now) and self._is_due(act, now)

    def _width(self) -> int:
        return 1 if self.breaker.failures else WIDTH

    def recover(self) -> int:
        """At start: whatever was being sent when the program ended has an unknown fate."""
        now = self.line.clock.now()
        return self.line.write(lambda writing: writing.outbox.reset_stale(now + timedelta(days=36500)))

    def watch(self) -> int:
        """Watchdog: rows that nobody has been sending for long become unknown again."""
        before = self.line.clock.now() - STALE_AFTER
        living = {act.op_id for act in self.lanes.under_way()}
        return self.line.write(lambda writing: writing.outbox.reset_stale(before, living))

    def hurry(self) -> None:
        """A person, the network or a hint says the record is there: forget every pause."""
        self.breaker.worked()
        self._due.clear()
        self._held.clear()

    def _forget_pauses(self) -> None:
        """A pause that is over says nothing more; kept, it would make a round due at once, for ever."""
        now = self.line.clock.monotonic()
        for pauses in (self._due, self._held):
            for name in [name for name, until in tuple(pauses.items()) if until <= now]:
                pauses.pop(name, None)

    def next_try(self) -> float | None:
        """Seconds until something may be tried again; None when nothing waits."""
        now = self.line.clock.monotonic()
        times = [*self._due.values(), *self._held.values()]
        return max(0.0, min(times) - now, self.breaker.remaining(now)) if times else None

    # choosing -------------------------------------------------------------------------------

    def _ready(self) -> Sequence[ActRow]:
        now = self.line.clock.monotonic()
        if not self.breaker.may_try(now) or not self.line.profile.may_write:
            return ()
        acts = self.line.write(self._open_acts)
        return [act for act in acts if self._is_due(act, now)]

    def _open_acts(self, writing: Writing) -> tuple[ActRow, ...]:
        return () if self.frozen(writing) else writing.outbox.ready(self.line.clock.now())

    def _is_due(self, act: ActRow, now: float) -> bool:
        return now >= max(self._due.get(act.op_id, 0.0), self._held.get(act.who_ref, 0.0))

    # one act --------------------------------------------------------------------------------

    def _send(self, act: ActRow) -> Sent:
        sent = Sent()
        try:
            if act.attempts or act.state is ActState.UNKNOWN:
                self.lanes.board(act)
                if not self._may_resend(act, sent):
                    return sent
            bundle = self._claim(act)
            if bundle is not None:
                self.lanes.board(act)
                answer = self.line.client.transaction(bundle)
                self.lanes.answered(act)
                self._judge(act, bundle, answer, sent)
        except NotSent as trouble:
            self._not_sent(act, trouble, sent)
        except DiskFull as trouble:
            self._no_room(act, trouble, sent)
        except Environment as trouble:
            self._unknown(act, trouble, sent)
        except Exception as fault:  # noqa: BLE001  # a fault of ours in one act must not stop the others
            _log.error("an act of kind %s met a fault: %s", act.kind, type(fault).__name__)
            self._doubt(act, None, type(fault).__name__, None, sent, alive=True)
        return sent

    def _claim(self, act: ActRow) -> bytes | None:
        now = self.line.clock.now()

        def work(writing: Writing) -> bytes | None:
            bundle = writing.outbox.freeze(act.op_id)
            moved = writing.outbox.transition(act.op_id, _OPEN, ActState.SENDING, sent_at=now)
            return bundle if moved else None

        return self.line.write(work, durable=True)

    def _may_resend(self, act: ActRow, sent: Sent) -> bool:
        """After an unknown fate: did our earlier try win? Only 'never' lets the same bytes go again."""
        earlier = self._earlier(act, sent)
        if earlier is Earlier.WON:
            self._won(act, sent)
        return earlier is Earlier.NEVER

    def _earlier(self, act: ActRow, sent: Sent) -> Earlier:
        answer = self.line.client.read(f"Provenance/{act.op_id}")
        if answer.status in (200, 304, 410):
            return Earlier.WON
        if answer.status == 404 and answer.is_json:
            return Earlier.NEVER
        self._again(act, answer.status, answer, sent)
        return Earlier.UNSAID

    def _won(self, act: ActRow, sent: Sent) -> None:
        if act.state is ActState.QUEUED:
            self._claim(act)
        store_earlier(self.line, act)
        self._done(act, sent)

    def _done(self, act: ActRow, sent: Sent) -> None:
        self.breaker.worked()
        self._due.pop(act.op_id, None)
        self._tries.pop(act.op_id, None)
        self.last_applied = self.line.clock.now()
        sent.applied += 1

    # the table of results (SYNC §1.7) ---------------------------------------------------------

    def _judge(self, act: ActRow, bundle: bytes, answer: Answer, sent: Sent) -> None:
        if 200 <= answer.status < 300:
            self._accepted(act, bundle, answer, sent)
        elif answer.status in (409, 412):
            self._collided(act, answer, sent)
        elif answer.status == 401:
            self._hold(act, answer)
        elif answer.status == 429:
            self._busy(act, answer, sent)
        elif answer.status in (400, 403, 404, 405, 410, 413, 415, 422) and answer.is_json:
            self._refused(act, answer, sent)
        else:
            self._again(act, answer.status, answer, sent)

    def _accepted(self, act: ActRow, bundle: bytes, answer: Answer, sent: Sent) -> None:
        versions = answered_versions(bundle, answer)
        if versions is None:
            self._again(act, answer.status, answer, sent)
            return
        self.line.heard(answer)
        store_applied(self.line, act, bundle, answer, versions)
        self._done(act, sent)

    def _collided(self, act: ActRow, answer: Answer, sent: Sent) -> None:
        """Somebody was first: perhaps an earlier try of ours."""
        self.breaker.worked()
        earlier = self._earlier(act, sent)
        if earlier is Earlier.WON:
            if not act.attempts:
                _log.warning("an act was at the record before it was sent: this cache is on two PCs")
                self.line.write(lambda writing: note_twin(writing, self.line.clock.now()))
            self._won(act, sent)
        elif earlier is Earlier.NEVER:
            outcome = settle.settle(self.line, act, answer)
            if outcome is settle.Settled.NOTHING_MOVED:
                self._again(act, answer.status, answer, sent)
            sent.conflicts += outcome is settle.Settled.CONFLICT

    def _refused(self, act: ActRow, answer: Answer, sent: Sent) -> None:
        self.breaker.worked()
        reason = "; ".join(answer.reasons()) or f"HTTP {answer.status}"

        def work(writing: Writing) -> None:
            writing.outbox.transition(
                act.op_id, _SENDABLE, ActState.REJECTED, status=answer.status, issue=reason
            )

        self.line.write(work, durable=True)
        sent.refused += 1

    def _hold(self, act: ActRow, answer: Answer) -> None:
        """401: the acts of this person wait until somebody signs in again; others go on."""
        self._back(act, ActState.QUEUED, answer.status, "; ".join(answer.reasons()))
        self._held[act.who_ref] = self.line.clock.monotonic() + 60.0

    def _busy(self, act: ActRow, answer: Answer, sent: Sent) -> None:
        self._back(act, ActState.QUEUED, answer.status, "")
        self.breaker.failed(self.line.clock.monotonic(), answer.retry_after)
        sent.trouble = Busy(answer)

    def _again(self, act: ActRow, status: int, answer: Answer, sent: Sent) -> None:
        """An answer that does not say what became of the act: check, then the same bytes again."""
        is_fhir = answer.is_json and status not in (502, 503, 504)
        may_be_alone = answer.retry_after is None or act.op_id in self._tries
        alive = is_fhir or (may_be_alone and self._is_there(act))
        if not alive:
            self.breaker.failed(self.line.clock.monotonic(), answer.retry_after)
            sent.trouble = Busy(answer)
        said = "; ".join(answer.reasons()) or f"HTTP {status}"
        self._doubt(act, status, said, answer.retry_after, sent, alive=alive)

    def _is_there(self, act: ActRow) -> bool:
        """Whether the record answers something else now: then only this act is bad, and others go on."""
        try:
            answer = self.line.client.request("GET", f"Provenance/{act.op_id}", read_timeout=ASK_WITHIN)
        except Environment:
            return False
        return answer.is_json and answer.status in (200, 404, 410)

    def _doubt(
        self, act: ActRow, status: int | None, said: str, asked: float | None, sent: Sent, *, alive: bool
    ) -> None:
        tries = self._tries[act.op_id] = self._tries.get(act.op_id, 0) + 1
        if alive and self._is_poison(act, tries):
            _log.warning("an act of kind %s was set aside after %d tries", act.kind, tries)
            self._back(act, ActState.PARKED, status, said)
            sent.refused += 1
            return
        self._back(act, ActState.UNKNOWN, status, said)
        self._delay(act, tries, asked)

    def _is_poison(self, act: ActRow, tries: int) -> bool:
        """The same act without a usable answer × 8 over 30 minutes while others pass (SYNC §1.7)."""
        first = act.first_sent
        if tries < PARK_TRIES or first is None or self.last_applied is None:
            return False
        return self.last_applied > first and self.line.clock.now() - first >= PARK_AFTER

    # trouble on the way -----------------------------------------------------------------------

    def _not_sent(self, act: ActRow, trouble: NotSent, sent: Sent) -> None:
        self.breaker.failed(self.line.clock.monotonic(), away=True)
        self._back(act, ActState.QUEUED, None, trouble.detail)
        sent.trouble = trouble

    def _unknown(self, act: ActRow, trouble: Environment, sent: Sent) -> None:
        """No whole answer came back: is it the record, or only this act?"""
        alive = self._is_there(act)
        if not alive:
            if isinstance(trouble, Offline):
                self.breaker.failed(self.line.clock.monotonic())
            sent.trouble = trouble
        self._doubt(act, None, trouble.detail, None, sent, alive=alive)

    def _no_room(self, act: ActRow, trouble: DiskFull, sent: Sent) -> None:
        """Nothing can be written down here: the row stands as it stood, and the watchdog finds it."""
        self._due[act.op_id] = self.line.clock.monotonic() + ROOM_NEEDED
        sent.trouble = trouble

    def _delay(self, act: ActRow, tries: int, asked: float | None) -> None:
        now = self.line.clock.monotonic()
        self._due[act.op_id] = now + pause(tries, self.line.rng, asked)

    def _back(self, act: ActRow, to: ActState, status: int | None, issue: str) -> None:
        """Out of `sending` (or stay unknown), with what was seen."""

        def work(writing: Writing) -> None:
            move = writing.outbox.transition
            moved = move(act.op_id, ActState.SENDING, to, status=status, issue=issue[:2000])
            if not moved and to is ActState.PARKED:
                move(act.op_id, ActState.UNKNOWN, to, status=status, issue=issue[:2000])

        self.line.write(work, durable=True)
