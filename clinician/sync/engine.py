"""The engine: one round after another, in one thread of its own, or step by step in a test.

A round sends what waits, fills what is empty, asks once for what changed, compares ids when that is
due, and tells the truth about all of it.
"""

from __future__ import annotations

import logging
import random
import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Final

from clinician.cache.open import Cache
from clinician.cache.writing import Writing
from clinician.clock import Clock
from clinician.errors import Environment, Offline, RecordTrouble, Refused
from clinician.events import CacheChanged, Events, SyncStatus
from clinician.record.client import Busy, NotSent, RecordClient
from clinician.record.profile import ServerProfile, epoch_of, from_raw, probe, version_of
from clinician.record.retry import LONGEST, LONGEST_AWAY, jittered
from clinician.sync import conflict, request, restored, scope
from clinician.sync.audit import send_audit
from clinician.sync.confirm import confirm
from clinician.sync.delta import Delta, delta
from clinician.sync.download import full_pass
from clinician.sync.line import Line, Stopped
from clinician.sync.manifest import manifest
from clinician.sync.plan import MEMBERSHIP, Key, Plan
from clinician.sync.push import Hint
from clinician.sync.rounds import Cadence
from clinician.sync.status import RecordRestored, SendingOverdue, StatusBoard
from clinician.sync.upload import OVERDUE, PARALLEL, Uploader

_log = logging.getLogger(__name__)
DEBOUNCE: Final = 0.1


class SyncEngine:
    """Keeps one cache and one record in step. `start` and `stop` run it; `step` is one round, at once."""

    def __init__(
        self,
        cache: Cache,
        client: RecordClient,
        plan: Plan,
        *,
        clock: Clock,
        events: Events,
        hint_client: RecordClient | None = None,
        rng: random.Random | None = None,
    ) -> None:
        self._events = events
        self._clock = clock
        self.line = Line(cache, client, plan, clock, rng=rng or random.Random())
        self.line.between = self._send_between
        self.uploader = Uploader(self.line, frozen=restored.is_frozen)
        self.board = StatusBoard(events)
        self.cadence = Cadence(clock)
        self._hint = Hint(hint_client, self.hinted, clock.monotonic) if hint_client is not None else None
        self._wake = threading.Event()
        self._acts = threading.Event()
        self._round_due = threading.Event()
        self._round = threading.RLock()
        self._thread: threading.Thread | None = None
        self._end_listening = events.subscribe(CacheChanged, self._on_change)
        self._is_prepared = False
        self._failures = 0
        self.last_delta = Delta()

    # running --------------------------------------------------------------------------------

    def start(self) -> None:
        """Run in a thread until `stop`."""
        if self._thread is not None:
            return
        self.line.stopped.clear()
        self.uploader.pool = ThreadPoolExecutor(PARALLEL, thread_name_prefix="sync-upload")
        self._thread = threading.Thread(target=self._run, name="sync", daemon=True)
        self._thread.start()
        if self._hint is not None:
            self._hint.start()

    def stop(self) -> None:
        """End the threads; whatever was being sent is settled at the next start."""
        self.line.stopped.set()
        self._wake.set()
        self._end_listening()
        if self._hint is not None:
            self._hint.stop()
        if self._thread is not None:
            self._thread.join(timeout=30.0)
            self._thread = None
        if self.uploader.pool is not None:
            self.uploader.pool.shutdown(wait=True, cancel_futures=True)
            self.uploader.pool = None

    def _run(self) -> None:
        self._round_due.set()
        while not self.line.stopped.is_set():
            if self._round_due.is_set():
                self._round_due.clear()
                self.step()
            else:
                self._send_only()
            self._sleep()

    def _sleep(self) -> None:
        asked = self._wake.wait(self._pause())
        if self.line.stopped.is_set():
            return
        self._wake.clear()
        if not asked:
            self._round_due.set()
        elif not self._acts.is_set():
            self.line.stopped.wait(DEBOUNCE)

    def _pause(self) -> float:
        if not self.board.answered:
            return max(0.05, self.uploader.breaker.remaining(self._clock.monotonic()))
        hinted = self._hint is not None and self._hint.is_alive
        pause = jittered(self.cadence.interval(hinted=hinted), self.line.rng)
        retry = self.uploader.next_try()
        return pause if retry is None else max(0.05, min(pause, retry))

    def wake(self) -> None:
        """Something may have changed at the record: one round, soon."""
        self._round_due.set()
        self._wake.set()

    def hinted(self) -> None:
        """The record says something changed; so it is there."""
        if not self.board.answered:
            self.uploader.hurry()
        self.cadence.heard_hint()
        self.wake()

    def sync_now(self) -> None:
        """A person wants it now: no pause stands."""
        self.uploader.hurry()
        self.wake()

    def _on_change(self, event: CacheChanged) -> None:
        if event.origin:
            self._acts.set()
            self._wake.set()

    # one round ------------------------------------------------------------------------------

    def step(self) -> SyncStatus:
        """One whole round. Never raises for the record's sake; the status says what came of it."""
        with self._round:
            self._failures = self.uploader.breaker.failures
            try:
                self._whole_round()
            except Stopped:
                pass
            except Offline as trouble:
                self._lost(trouble)
            except (Environment, Refused) as trouble:
                _log.warning("a round ended early: %s %s", type(trouble).__name__, trouble.detail)
                self._lost(trouble)
            return self._tell()

    def _whole_round(self) -> None:
        self._prepare()
        self._send()
        filled = self._fill()
        self._ask_changes(filled)
        self._compare(filled)
        self._watch_restored()
        self._finish_round()

    def _lost(self, trouble: Environment | Refused) -> None:
        self.board.lost(self._clock.now())
        self.cadence.lost()
        if self.uploader.breaker.failures == self._failures:
            asked = trouble.retry_after if isinstance(trouble, Busy) else None
            longest = LONGEST_AWAY if isinstance(trouble, NotSent) else LONGEST
            self.uploader.breaker.failed(self._clock.monotonic(), asked, longest)

    def _reached(self) -> None:
        """The record answered: no pause stands, and what waited for one goes now."""
        self.board.reached()
        breaker = self.uploader.breaker
        if breaker.failures and self._clock.monotonic() >= breaker.asked_until:
            self.uploader.hurry()
            self._send()

    def _tell(self, working: str = "") -> SyncStatus:
        self.board.working = working
        status = self.line.write(self.board.refresh)
        self.board.publish(status)
        return status

    def status(self) -> SyncStatus:
        """What was last told."""
        return self.board.current

    # preparation ----------------------------------------------------------------------------

    def _prepare(self) -> None:
        if not self._is_prepared:
            self.uploader.recover()
            self._learn_profile()
            self._is_prepared = True
        elif self.cadence.probe_due():
            self._learn_profile()
        self.line.write(self._ready_marks)

    def _learn_profile(self) -> None:
        """The stored profile while the record's version is the one it was made of, else a new probe."""
        stored = self.line.write(lambda writing: writing.marks.profile())
        profile = from_raw(stored) if stored else None
        capability = self.line.client.capability()
        if profile is not None and profile.epoch != epoch_of(capability):
            self.line.older.add("epoch")
        stale = profile is None or (profile.version, profile.epoch) != (
            version_of(capability),
            epoch_of(capability),
        )
        if profile is None or stale or self.cadence.probe_due():
            profile = probe(self.line.client)
            raw = profile.as_raw()
            self.line.write(lambda writing: writing.marks.set_profile(raw))
            self.cadence.probed()
        self._use(profile)

    def _use(self, profile: ServerProfile) -> None:
        self.line.profile = profile
        self.line.client.packs = profile.gzip_requests and self.line.client.is_remote
        if self._hint is not None:
            self._hint.path = profile.change_hint

    def _ready_marks(self, writing: Writing) -> None:
        chunks = scope.chunks_of(writing)
        scope.drop_foreign_marks(writing, self.line.plan)
        scope.ensure_marks(writing, self.line.plan, chunks)

    # sending --------------------------------------------------------------------------------

    def _send(self) -> None:
        if self._acts.is_set():
            self._acts.clear()
            self._tell(self.board.working)
        sent = self.uploader.drain()
        if sent.trouble is not None:
            raise sent.trouble

    def _send_only(self) -> None:
        """A person did something: send it now, and see soon that it arrived."""
        with self._round:
            if not self._is_prepared:
                self._round_due.set()
                return
            self._failures = self.uploader.breaker.failures
            try:
                self._send()
            except Environment as trouble:
                self._lost(trouble)
            self._tell()
            if self._hint is None or not self._hint.is_alive:
                self.wake()

    def _send_between(self) -> None:
        """Between two pages of a long download: acts do not wait for it."""
        if self._acts.is_set() and self._is_prepared:
            self._send()

    # filling --------------------------------------------------------------------------------

    def _fill(self) -> bool:
        """Full passes of everything that has none yet, by priority. True when there was something."""
        failed: set[str] = set()
        any_filled = False
        while True:
            empty, total = self.line.write(self._empty_keys)
            todo = [(key, patients) for key, patients in empty if key.name not in failed]
            if not todo:
                break
            self.board.done, self.board.total = total - len(empty), total
            key, patients = todo[0]
            self._tell(key.rule.type)
            if not self._fill_key(key, patients):
                failed.add(key.name)
            any_filled = True
        self.board.done = self.board.total = 0
        self.board.complete = not failed
        return any_filled

    def _empty_keys(self, writing: Writing) -> tuple[list[tuple[Key, list[str]]], int]:
        chunks = scope.chunks_of(writing)
        keys = list(self.line.plan.keys(chunks))
        marks = {mark.key: mark.mark for mark in writing.marks.watermarks()}
        empty = [(key, chunks.get(key.chunk, [])) for key in keys if marks.get(key.name) is None]
        return empty, len(keys)

    def _fill_key(self, key: Key, patients: Sequence[str]) -> bool:
        try:
            full_pass(self.line, key, patients)
        except Offline:
            raise
        except (RecordTrouble, Refused) as trouble:
            _log.warning("%s could not be fetched: %s", key.rule.type, trouble.detail)
            return False
        now = self._clock.now()
        if key.rule == MEMBERSHIP:
            self.line.write(lambda writing: scope.refresh(writing, self.line.plan, now))
        elif key.chunk:
            self.line.write(lambda writing: scope.settle_chunk(writing, self.line.plan, key.chunk, now))
        return True

    # what changed ---------------------------------------------------------------------------

    def _ask_changes(self, filled: bool) -> None:
        chunks, keys = self.line.write(self._all_keys)
        self.last_delta = delta(self.line, chunks, keys)
        self._reached()
        self.board.complete = self.board.complete and not self.last_delta.failed
        if any(ref.startswith("EpisodeOfCare/") for ref in self.last_delta.returned):
            self._rescope()
        self.cadence.asked(self.last_delta.changed > 0 and not filled)

    def _rescope(self) -> None:
        now = self._clock.now()
        if self.line.write(lambda writing: scope.refresh(writing, self.line.plan, now)):
            self.board.complete = False
            self._fill()

    def _all_keys(self, writing: Writing) -> tuple[dict[str, list[str]], list[Key]]:
        chunks = scope.chunks_of(writing)
        return chunks, list(self.line.plan.keys(chunks))

    def _compare(self, filled: bool) -> None:
        types = self.cadence.manifest_types(self.line.plan.types, filled=filled)
        if types:
            chunks, keys = self.line.write(self._all_keys)
            found = manifest(self.line, chunks, [key for key in keys if key.rule.type in types])
            self.cadence.compared(types, self.line.plan.types)
            if found.removed:
                self._rescope()
            if found.raised:
                _log.warning("the record's index lags for %d rows", len(found.raised))

    def _finish_round(self) -> None:
        confirm(self.line, self.last_delta.returned)
        scope.purge(self.line, self._clock.now())
        self.uploader.watch()
        self._warn_overdue()
        send_audit(self.line)

    def _warn_overdue(self) -> None:
        status = self.board.current
        oldest = status.oldest_waiting
        if oldest is not None and self._clock.now() - oldest > OVERDUE:
            self._events.publish(SendingOverdue(oldest, status.waiting))

    # a record that went back in time ----------------------------------------------------------

    def _watch_restored(self) -> None:
        if self.line.older:
            shown, self.line.older = frozenset(self.line.older), set()
            restored.begin(self.line, self._ready_marks)
            self._events.publish(RecordRestored(shown))
            self._fill()
            chunks, keys = self.line.write(self._all_keys)
            manifest(self.line, chunks, keys)
            self.line.write(restored.end)
            self.line.older.clear()

    def resume(self) -> None:
        """A superuser has looked: sending may go on."""
        self.line.write(restored.thaw, durable=True)
        self.sync_now()

    # what a person asks for -------------------------------------------------------------------

    def decide(self, op_id: str, choice: str, by: str) -> str:
        """Settle a conflict: 'mine', 'theirs' or 'merged'. The op_id that goes on, '' when none does."""
        goes_on = conflict.decide(self.line, op_id, choice, by)
        self._acts.set()
        self._wake.set()
        return goes_on

    def look_up(self, words: str) -> tuple[request.Candidate, ...]:
        """People at the record who are not in this cache. One request; raises Offline."""
        return request.look_up(self.line, words)

    def bring(self, patient_refs: Sequence[str]) -> None:
        """Keep these people here for a day; their data come with the next round, which is now."""
        request.request_patients(self.line, patient_refs)
        self.wake()
