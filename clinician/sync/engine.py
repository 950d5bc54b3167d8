"""The engine: one round after another, in one thread of its own, or step by step in a test.

A round sends what waits, fills what is empty, asks once for what changed, compares ids when that is
due, and tells the truth about all of it.
"""

from __future__ import annotations

import logging
import random
import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor

from clinician.cache.open import Cache
from clinician.cache.writing import Writing
from clinician.clock import Clock
from clinician.errors import DiskFull, Environment, Offline, Refused
from clinician.events import CacheChanged, Events, SyncStatus
from clinician.record.client import Busy, NotSent, RecordClient
from clinician.record.websocket import Open, open_bound
from clinician.sync import conflict, request, restored, scope
from clinician.sync.announced import ALL, Announced
from clinician.sync.attachments import AttachmentSync
from clinician.sync.audit import send_audit
from clinician.sync.colleague import heed, take_over
from clinician.sync.confirm import confirm
from clinician.sync.delta import Delta, delta
from clinician.sync.fill import fill, is_untouched
from clinician.sync.health import PushHealth
from clinician.sync.learn import learn
from clinician.sync.line import Line, Stopped
from clinician.sync.listening import Listening
from clinician.sync.loop import Loop
from clinician.sync.manifest import manifest
from clinician.sync.plan import FIRST_LISTS, Key, Plan
from clinician.sync.recalled import look_after
from clinician.sync.rounds import Cadence
from clinician.sync.status import StatusBoard
from clinician.sync.upload import THREADS, Uploader

_log = logging.getLogger(__name__)


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
        open_socket: Open = open_bound,
    ) -> None:
        rng = rng or random.Random()
        self._clock = clock
        self.line = Line(cache, client, plan, clock, rng=rng)
        self.line.between = self._send_between
        self.uploader = Uploader(self.line, frozen=restored.is_frozen)
        self.board, self.cadence = StatusBoard(events), Cadence(clock, rng)
        self.announced, self.health = Announced(rng), PushHealth()
        self.listening = Listening(hint_client, plan, self.hinted, clock.monotonic, rng, open_socket)
        self.loop = Loop(self.step, self.small_round, self.pause, self.line.stopped, self._is_poll_due)
        self.uploader.lanes.late = self.loop.acted
        self.attachments = AttachmentSync(self.line, frozen=restored.is_frozen, on_sent=self.loop.acted)
        self._round = threading.RLock()
        self._end_listening = events.subscribe(CacheChanged, self._on_change)
        self._is_prepared, self._failures, self.last_delta = False, 0, Delta()

    # running --------------------------------------------------------------------------------

    def start(self) -> None:
        """Run in a thread until `stop`."""
        if self.uploader.pool is not None:
            return
        self.uploader.pool = ThreadPoolExecutor(THREADS, thread_name_prefix="sync-upload")
        self.loop.start()
        self.attachments.start()
        self.listening.start()

    def stop(self) -> None:
        """End the threads; whatever was being sent is settled at the next start."""
        self.loop.stop()
        self._end_listening()
        self.listening.stop()
        self.loop.join(self.line.client.hang_up)
        if self.uploader.pool is not None:
            if self.uploader.lanes.under_way():
                self.line.client.hang_up()
            self.uploader.pool.shutdown(wait=True, cancel_futures=True)
            self.uploader.pool = None
        self.attachments.stop()

    def pause(self) -> float:
        """Seconds until something is due, if nothing wakes the engine before."""
        now = self._clock.monotonic()
        if not self.board.answered:
            return self.uploader.breaker.remaining(now)
        announced = self.announced.next_due()
        pause = self._until_poll()
        return pause if announced is None else max(0.0, min(pause, announced - now))

    def _until_poll(self) -> float:
        """Seconds until a whole round is due: a poll, or an act that is to be tried again."""
        retry = self.uploader.next_try()
        poll = self.cadence.until_poll(covered=self.listening.covered, is_sick=self.health.is_sick)
        return poll if retry is None else min(poll, retry)

    def _is_poll_due(self) -> bool:
        return not self.board.answered or self._until_poll() <= 0.0

    def watched(self, is_visible: bool) -> None:
        """Whether somebody can see the lists: they are then asked for twice as often."""
        self.cadence.is_visible = is_visible
        self.loop.look_again()

    def wake(self) -> None:
        """Something may have changed at the record: one round, soon."""
        self.loop.wake()

    def hinted(self, type_: str = ALL) -> None:
        """The record says something changed (of this type); so it is there."""
        self.health.heard(type_)
        self.announced.heard(type_, self._clock.monotonic())
        if self.board.answered:
            self.loop.look_again()
        elif self.cadence.may_hurry():
            self.sync_now()

    def sync_now(self) -> None:
        """A person wants it now: no pause stands."""
        self.uploader.hurry()
        self.attachments.hurry()
        self.wake()

    def _on_change(self, event: CacheChanged) -> None:
        self.attachments.heard(event.types)
        if event.origin:
            self.loop.acted()

    # one round ------------------------------------------------------------------------------

    def step(self) -> SyncStatus:
        """One whole round. Never raises for the record's sake; the status says what came of it."""
        self.announced.take_all(self._clock.monotonic())
        status = self._in_a_round(self._whole_round)
        self.cadence.polled()
        return status

    def small_round(self) -> None:
        """What a person did is sent, and what the record announced is asked for."""
        if self.loop.acts.is_set():
            self.send_only()
        types = self.announced.take(self._clock.monotonic())
        if ALL in types or (types and not self._is_prepared):
            self.step()
        elif types:
            self._in_a_round(lambda: self._ask_news(types))

    def _ask_news(self, types: frozenset[str]) -> None:
        """One request for these types alone: cheaper for the record than asking for everything."""
        chunks, keys = self.line.write(self._all_keys)
        self._take_delta(delta(self.line, chunks, [key for key in keys if key.rule.type in types]))
        self._watch_restored()
        confirm(self.line, self.last_delta.returned)

    def _in_a_round(self, work: Callable[[], None]) -> SyncStatus:
        with self._round:
            self._failures = self.uploader.breaker.failures
            self.board.disk_full = False
            try:
                work()
            except Stopped:
                pass
            except Offline as trouble:
                self._lost(trouble)
            except (Environment, Refused) as trouble:
                _log.warning("a round ended early: %s %s", type(trouble).__name__, trouble.detail)
                self._ended(trouble)
            except Exception as fault:  # noqa: BLE001  # a fault of ours must not end the thread in silence
                _log.error("a round met a fault: %s", type(fault).__name__)
                self._ended(fault)
            return self._tell()

    def _whole_round(self) -> None:
        is_new = self.cadence.full is None and self.line.write(is_untouched)
        self._prepare()
        self.attachments.wake()
        self._send()
        filled = self._fill()
        self._ask_changes(filled)
        self._compare(is_new and filled)
        self._watch_restored()
        self._finish_round()

    def _ended(self, trouble: Exception) -> None:
        """A full disk here, or a fault of ours, is not the record's silence, and is not told as such."""
        if isinstance(trouble, Environment | Refused) and not isinstance(trouble, DiskFull):
            self._lost(trouble)
            return
        self.board.disk_full, self.board.complete = isinstance(trouble, DiskFull), False
        if not self.board.answered:
            self._pause_after(trouble)

    def _lost(self, trouble: Environment | Refused) -> None:
        self.board.lost(self._clock.now())
        self.cadence.lost()
        self._pause_after(trouble)

    def _pause_after(self, trouble: Exception) -> None:
        if self.uploader.breaker.failures == self._failures:
            asked = trouble.retry_after if isinstance(trouble, Busy) else None
            self.uploader.breaker.failed(self._clock.monotonic(), asked, away=isinstance(trouble, NotSent))

    def _reached(self) -> None:
        """The record answered: no pause stands, and what waited for one goes now."""
        if not self.board.answered:
            self.listening.hurry()
        self.board.reached()
        breaker = self.uploader.breaker
        if breaker.failures and self._clock.monotonic() >= breaker.asked_until:
            self.uploader.hurry()
            self._send()

    def _tell(self, working: str = "") -> SyncStatus:
        self.board.working, self.board.clock_ahead = working, self.line.clock_ahead
        self.board.push = self.listening.state(is_sick=self.health.is_sick)
        try:
            status = self.line.write(lambda writing: self.board.refresh(writing, self._clock.now()))
        except DiskFull:
            status = self.board.counted_before()
        self.board.publish(status)
        return status

    def status(self) -> SyncStatus:
        """What was last told."""
        return self.board.current

    # preparation ----------------------------------------------------------------------------

    def _prepare(self) -> None:
        if not self._is_prepared:
            self.uploader.recover()
            self._fetch_first()
            self._learn_profile()
            self._is_prepared = True
        elif self.cadence.probe_due():
            self._learn_profile()
        self.line.write(self._ready_marks)

    def _fetch_first(self) -> None:
        """Reading needs no more than search: a new PC has its list before the record is examined."""
        if self.line.write(lambda writing: writing.marks.profile()) is None:
            self.line.write(self._ready_marks)
            fill(self.line, self.board, self._tell, until=FIRST_LISTS)

    def _learn_profile(self) -> None:
        if self.listening.follow(learn(self.line, self.cadence, self.listening.open_socket)):
            self.health.forget()

    def _ready_marks(self, writing: Writing) -> None:
        chunks = scope.chunks_of(writing)
        scope.drop_foreign_marks(writing, self.line.plan)
        scope.ensure_marks(writing, self.line.plan, chunks)

    # sending --------------------------------------------------------------------------------

    def _send(self) -> None:
        if self.loop.acts.is_set():
            self.loop.acts.clear()
            self._tell(self.board.working)
        sent = self.uploader.drain()
        if sent.trouble is not None:
            raise sent.trouble

    def send_only(self) -> None:
        """A person did something: send it now, and see soon that it arrived."""
        with self._round:
            if not self._is_prepared:
                self.loop.due.set()
                return
            self._in_a_round(self._send)
            if ALL not in self.listening.covered:
                self.wake()

    def _send_between(self) -> None:
        """Between two pages of a long download: acts do not wait for it."""
        if self.loop.acts.is_set() and self._is_prepared:
            self._send()

    def _fill(self) -> bool:
        return fill(self.line, self.board, self._tell)

    # what changed ---------------------------------------------------------------------------

    def _ask_changes(self, filled: bool) -> None:
        chunks, keys = self.line.write(self._all_keys)
        self._take_delta(delta(self.line, chunks, keys))
        self.health.polled(set() if filled else self.last_delta.types, self.listening.covered)
        self.cadence.back_online()

    def _take_delta(self, found: Delta) -> None:
        self.last_delta = found
        self._reached()
        self.announced.asked(self._clock.monotonic(), fruitful=found.changed > 0)
        self.board.complete = self.board.complete and not found.failed
        if any(ref.startswith("EpisodeOfCare/") for ref in found.returned):
            self._rescope()
        self._heed_colleagues()

    def _rescope(self) -> None:
        now = self._clock.now()
        if self.line.write(lambda writing: scope.refresh(writing, self.line.plan, now)):
            was_complete = self.board.complete
            self._fill()
            self.board.complete = was_complete and self.board.complete

    def _all_keys(self, writing: Writing) -> tuple[dict[str, list[str]], list[Key]]:
        chunks = scope.chunks_of(writing)
        return chunks, list(self.line.plan.keys(chunks))

    def _compare(self, filled: bool) -> None:
        if self.line.is_set_back:
            self.line.is_set_back, self.cadence.full = False, None
        types = self.cadence.manifest_types(self.line.plan.types, filled=filled)
        if types:
            chunks, keys = self.line.write(self._all_keys)
            found = manifest(self.line, chunks, [key for key in keys if key.rule.type in types])
            self.cadence.compared(types, self.line.plan.types)
            if found.removed or found.fetched:
                self._rescope()
            if found.raised:
                _log.warning("the record's index lags for %d rows", len(found.raised))

    def _heed_colleagues(self) -> None:
        """Conflicts that were decided on another PC; looked for only while there are some here."""
        if self.board.current.conflicts and heed(self.line):
            self._send()

    def _finish_round(self) -> None:
        confirm(self.line, self.last_delta.returned)
        scope.purge(self.line, self._clock.now())
        self.uploader.watch()
        look_after(self.line)
        send_audit(self.line)
        self.attachments.look_ahead(ref.partition("/")[0] for ref in self.last_delta.returned)

    # a record that went back in time ----------------------------------------------------------

    def _watch_restored(self) -> None:
        if self.line.older and restored.is_true(self.line):
            _log.warning("the record shows %d older versions: it was restored", len(self.line.older))
            restored.begin(self.line, self._ready_marks)
        self.line.older.clear()
        if self.line.write(restored.is_under_way):
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

    def look_closely(self) -> None:
        """A person doubts: profile the record, compare every id, offer what it refused of the log again."""
        self.line.write(lambda writing: writing.audit.send_again())
        self.cadence.doubted()
        self.sync_now()

    def decide(self, op_id: str, choice: str, by: str, picks: Mapping[str, str] = conflict.NO_PICKS) -> str:
        """Settle a conflict: a word of `conflict.choices`. The op_id that goes on, '' when none does."""
        goes_on = conflict.decide(self.line, op_id, choice, by, picks)
        self.loop.acted()
        return goes_on

    def take_over(self, task_ref: str) -> str:
        """Open a conflict here that began on another PC; the op_id to decide."""
        op_id = take_over(self.line, task_ref)
        self._tell(self.board.working)
        return op_id

    def look_up(self, words: str) -> tuple[request.Candidate, ...]:
        """People at the record who are not in this cache. One request; raises Offline."""
        return request.look_up(self.line, words)

    def bring(self, patient_refs: Sequence[str]) -> None:
        """Keep these people here for a day; their data come with the next round, which is now."""
        request.request_patients(self.line, patient_refs)
        self.wake()
