"""One workstation: a cache, a record, a bus and a sync engine behind one door.

The window, the command line and the tests all come in here; none of them opens the rooms below.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from types import TracebackType
from typing import Final, ParamSpec, TypeVar

from clinician import texts
from clinician.access.decision import decide
from clinician.access.pins import Pins
from clinician.access.who import Who
from clinician.attaching import Documents, limits_of
from clinician.cache.acts import ActState
from clinician.cache.keep import Draft
from clinician.cache.pin_store import PinStore
from clinician.cache.recalled import note_doubtful
from clinician.cache.writing import Writing
from clinician.commands.act import Command, Done
from clinician.commands.bus import CommandBus
from clinician.dead_letters import letters
from clinician.errors import Refused, UserProblem
from clinician.events import Events, SignedIn, SignedOut, SyncStatus
from clinician.fhir.validation import prepare, problems
from clinician.health import HealthLine, as_text, examine_sync
from clinician.leases import Leases
from clinician.modulekit.reopening import Reopened
from clinician.opening import Options, Parts, open_parts, sync_rules
from clinician.pin_desk import PinDesk
from clinician.practice.clock import PracticeClock
from clinician.practice.secret import PRACTICE_SECRET
from clinician.queries.places import WorkplaceRow, workplaces
from clinician.queries.query import Query
from clinician.queries.staff import StaffRow, staff_of, who_at
from clinician.sync.engine import SyncEngine
from clinician.sync.plan import make_plan
from clinician.sync.request import Candidate
from clinician.taking_back import refuse_arrived, take_back
from clinician.unlocking import Unlocking

__all__ = ["PRACTICE_PIN", "PRACTICE_SECRET", "DraftStore", "Options", "Workstation"]
L = texts.lazy("core")
_log = logging.getLogger(__name__)
P = ParamSpec("P")
R = TypeVar("R")
PRACTICE_PIN: Final = "1234"
_WARM: Final = ("Appointment", "Encounter", "Task", "Observation", "Provenance", "AuditEvent")


class DraftStore:
    """Drafts of whoever is signed in; each user sees only their own."""

    def __init__(self, station: Workstation) -> None:
        self._station = station

    def save(self, key: str, patient_ref: str, content: str) -> None:
        """Keep, durably; '' forgets."""
        who = self._station.who
        if who is None:
            return
        draft = Draft(who.practitioner_ref, patient_ref, key, content, self._station.clock.now())
        self._station.cache.writer.run(lambda writing: writing.keep.set_draft(draft), durable=True)

    def load(self, key: str, patient_ref: str) -> str:
        """What was typed there, or ''."""
        who = self._station.who
        if who is None:
            return ""
        user = who.practitioner_ref
        return self._station.cache.writer.run(lambda writing: writing.keep.draft(user, patient_ref, key))

    def all(self) -> tuple[Draft, ...]:
        """Everything the person has typed and not signed, newest first."""
        who = self._station.who
        if who is None:
            return ()
        user = who.practitioner_ref
        return self._station.cache.writer.run(lambda writing: writing.keep.drafts(user))


class Workstation:
    """Open with `Workstation.open(options)`; close when done. Every method may be called from any thread."""

    def __init__(self, parts: Parts) -> None:
        self.folder, self.clock, self.events = parts.folder, parts.clock, parts.events
        self.cache, self.registry, self.settings = parts.cache, parts.registry, parts.settings
        self.workplace_ref, self.info = parts.workplace_ref, parts.info
        self._record_app, self._clients = parts.record_app, parts.clients
        cache, clock, client = parts.cache, parts.clock, parts.clients[0]
        self.practice = parts.is_practice
        self.who: Who | None = None
        self.wires = parts.wires
        """to the embedded record, for scripts that make it slow or cut it; () over HTTP"""
        self.drafts = DraftStore(self)
        self._pins = Pins(PinStore(cache), clock)
        self._bus = CommandBus(cache, clock, problems, decide)
        plan = make_plan(sync_rules(self.registry), workplace_ref=self.workplace_ref)
        hint_client = parts.clients[1]
        self.engine = SyncEngine(
            cache, client, plan, clock=clock, events=self.events, hint_client=hint_client
        )
        self.pins = PinDesk(self._pins, self.staff, self._bus, self._person, everybody_has=self.practice)
        self.unlocking = Unlocking(self.folder, parts.key, self._person)
        self.leases = Leases(self.engine, self.settings)
        limits = self.engine.attachments.limits = limits_of(self.settings)
        self.documents = Documents(cache, self._bus, self._person, clock, limits)

    # opening and closing ----------------------------------------------------------------------

    @classmethod
    def open(cls, options: Options, *, events: Events | None = None) -> Workstation:
        """Open all or nothing. Raises WrongKey, CacheDamaged, CacheInUse, DiskFull, UserProblem."""
        with ExitStack() as undo:
            station = cls(open_parts(options, events or Events(), undo))
            undo.pop_all()
        return station

    def __enter__(self) -> Workstation:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Stop sync, keep everything, let go of the files. Acts not yet sent are sent next time."""
        self.engine.stop()
        for client in self._clients:
            client.close()
        self.cache.close()
        if self._record_app is not None:
            self._record_app.close()
        if isinstance(self.clock, PracticeClock):
            self.clock.leave()

    def warm_up(self) -> None:
        """Load what the first signature needs, off the GUI thread: the first is then as quick as the rest."""
        prepare(_WARM)

    # people -----------------------------------------------------------------------------------

    def workplaces(self) -> tuple[WorkplaceRow, ...]:
        """The workplaces this PC keeps; its own."""
        return tuple(row for row in self.run_query(workplaces) if row.key == self.workplace_ref)

    def staff(self, workplace_ref: str = "") -> tuple[StaffRow, ...]:
        """Who may sign in at a workplace (this PC's by default)."""
        return self.run_query(staff_of, workplace_ref=workplace_ref or self.workplace_ref)

    def sign_in(self, practitioner_ref: str, workplace_ref: str, pin: str) -> Who:
        """Raises Refused with the reason. In practice everybody's PIN is 1234 until it is changed."""
        with self.cache.reading() as reading:
            who = who_at(
                reading, practitioner_ref=practitioner_ref, workplace_ref=workplace_ref or self.workplace_ref
            )
        if who is None:
            raise Refused(L("This person has no role at this workplace. Ask the workplace's superuser."))
        if self.practice and not self._pins.has_pin(practitioner_ref):
            self._pins.set_pin(practitioner_ref, PRACTICE_PIN)
        self._pins.verify(practitioner_ref, pin)
        self.leases.refuse_when_over()
        self.sign_out()
        self.who = who
        self.events.publish(SignedIn(practitioner_ref))
        return who

    def sign_out(self) -> None:
        """The person leaves; drafts and outbox stay."""
        if self.who is not None:
            gone, self.who = self.who, None
            self.events.publish(SignedOut(gone.practitioner_ref))

    def _person(self) -> Who:
        if self.who is None:
            raise Refused(L("Nobody is signed in. Sign in and try again; nothing was lost."))
        return self.who

    # reading and doing ------------------------------------------------------------------------

    def run_query(self, query: Query[P, R], /, *args: P.args, **kwargs: P.kwargs) -> R:
        """Run a query in the calling thread; the reading of a patient is recorded."""
        with self.cache.reading() as reading:
            rows = query(reading, *args, **kwargs)
        if query.audit and self.who is not None:
            self._bus.record_read(self.who, str(kwargs.get(query.audit, "")), query.name)
        return rows

    def run_command(self, command: Command) -> Done:
        """Do it durably on this PC. Raises the problem; several at once as `bus.Problems` with `.all`."""
        return self._bus.run(command, self._person())

    def undo(self, done: Done) -> Done:
        """Take a whole group back."""
        return self._bus.undo(done, self._person())

    def look_up(self, words: str) -> tuple[Candidate, ...]:
        """People at the record who may not be on this PC. Raises UserProblem (too little) or Offline."""
        self._person()
        return self.engine.look_up(words)

    def request_patients(self, patient_refs: Sequence[str]) -> None:
        """Bring people onto this PC for a day; who asked is recorded. Their data come with the next sync."""
        who = self._person()
        for ref in patient_refs:
            self._bus.record_read(who, ref, "request_patients")
        self.engine.bring(patient_refs)

    # sync and outbox --------------------------------------------------------------------------

    def start_sync(self) -> None:
        """Begin to fetch and send, in a thread of its own."""
        self.engine.start()

    def sync_now(self) -> None:
        """A person wants it now."""
        self.engine.sync_now()

    def watched(self, is_visible: bool) -> None:
        """Whether somebody can see the lists; where nobody can, the record is asked half as often."""
        self.engine.watched(is_visible)

    def sync_once(self) -> SyncStatus:
        """One whole round in the calling thread."""
        return self.engine.step()

    def status(self) -> SyncStatus:
        """The truth about sync as last told."""
        return self.engine.status()

    def retry(self, op_id: str) -> None:
        """Send a refused or parked act again, unchanged, or what was refused of its attachments."""

        def work(writing: Writing) -> None:
            if writing.outbox.transition(op_id, ActState.PARKED, ActState.QUEUED):
                note_doubtful(writing.keep, op_id)
            writing.outbox.transition(op_id, ActState.REJECTED, ActState.QUEUED)
            writing.attachments.retry(op_id)

        self.cache.writer.run(work, durable=True)
        self.sync_now()

    def withdraw(self, op_id: str) -> None:
        """Take one unsent, refused or parked act back.

        Raises UserProblem when it is on its way, or was set aside and is at the record after all.
        """
        who = self._person()
        refuse_arrived(self, op_id)
        self._bus.withdraw(op_id, who)

    def export_all(self) -> bytes:
        """Everything that is not at the record yet, with what came of it, as one JSON file."""
        return letters(self.cache)

    def take_back(self, op_id: str) -> Reopened | None:
        """As `withdraw`, and where what was typed in it is laid out again."""
        who = self._person()
        refuse_arrived(self, op_id)
        return take_back(self, op_id, lambda: self._bus.withdraw(op_id, who))

    def take_over(self, task_ref: str) -> str:
        """Open a conflict that began on another PC; the op_id to decide here. UserProblem if settled."""
        self._person()
        return self.engine.take_over(task_ref)

    def export(self, op_id: str) -> bytes:
        """The act as a FHIR transaction bundle, readable by any record."""
        try:
            return self.cache.writer.run(lambda writing: writing.outbox.freeze(op_id))
        except (KeyError, ValueError) as waiting:
            raise UserProblem(
                L("This item waits for another one before it; export that one first.")
            ) from waiting

    def decide(self, op_id: str, choice: str, picks: Mapping[str, str] | None = None) -> None:
        """Settle a conflict: 'mine', 'theirs', 'merged', or 'fields' with the side picked for each field."""
        self.engine.decide(op_id, choice, by=self._person().practitioner_ref, picks=picks or {})
        self.sync_now()

    def health(self) -> tuple[HealthLine, ...]:
        """How sync fares, line by line, in plain words."""
        return examine_sync(self)

    def health_report(self) -> bytes:
        """The same as text without anything personal, for support."""
        return as_text(self.health(), self.clock.now()).encode("utf-8")

    def examine_all(self) -> None:
        """A person doubts: ask the record what it does, and compare every id with it, at once."""
        self.engine.look_closely()

    def resume_sync(self) -> None:
        """A superuser has looked at a record that was restored: send again. Logged; Refused for others."""
        who = self._person()
        if not who.is_superuser:
            raise Refused(L("Only a superuser can let sending go on. Your work is kept on this PC."))
        self._bus.record_decision(who, "resume_sync")
        self.engine.resume()
