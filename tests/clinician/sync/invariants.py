"""I1 to I13 of SYNC §1.15, asked of one workstation at one moment, or of all of them when it is quiet.

I8 (two administrations in a slot raise a DetectedIssue) belongs to the dose protocol of the medication module, which
is not there yet: here only that what is recorded first is never overwritten unseen (`nothing_came_back`).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from clinician.cache.acts import TERMINAL, WAITING, ActRow, ActState
from clinician.cache.reading import Raw
from clinician.cache.synced import EvidenceRow, MemberState, Why
from clinician.cache.writing import Writing
from clinician.events import Link, SyncStatus
from clinician.sync.classes import ENDED
from tests.clinician.sync.ready import BY_PATIENT, KEPT, MachineStation, Row, Truth

WITHIN: Final = timedelta(seconds=120)
"""A commit seen later than this after its stamp may be missed until ids are compared (W is 125 s)."""
_WHOLE: Final = frozenset({Why.PURGED, Why.FORBIDDEN})


@dataclass(frozen=True, slots=True)
class Seen:
    """What one workstation holds at one moment, from one transaction."""

    acts: tuple[ActRow, ...]
    versions: dict[str, str]
    marks: dict[str, datetime | None]
    """type → the oldest mark of its keys; None while one of them has none."""
    live: frozenset[str]
    evidence: tuple[EvidenceRow, ...]
    shown: dict[str, Raw | None]
    """What is shown of each resource that an unsent act wrote."""


def look(writing: Writing) -> Seen:
    acts = writing.outbox.rows()
    marks: dict[str, datetime | None] = {}
    for mark in writing.marks.watermarks():
        before = marks.get(mark.type, mark.mark)
        marks[mark.type] = min(before, mark.mark) if before and mark.mark else None
    pending = {ref for act in acts if act.state not in TERMINAL for ref in act.refs}
    effective = {ref: writing.reading.get(ref) for ref in pending}
    return Seen(
        acts,
        {f"{type_}/{id_}": version for type_ in KEPT for id_, version in writing.versions(type_).items()},
        marks,
        frozenset(m.patient_ref for m in writing.marks.members() if m.state is MemberState.LIVE),
        writing.trail.evidence(),
        {ref: cached.raw if cached else None for ref, cached in effective.items()},
    )


@dataclass(slots=True)
class Memory:
    """What was seen of one workstation before, and what it may not know yet."""

    highest: dict[str, int] = field(default_factory=dict)
    versions: dict[str, str] = field(default_factory=dict)
    shas: dict[str, str] = field(default_factory=dict)
    states: dict[str, ActState] = field(default_factory=dict)
    wrote: dict[str, tuple[str, str, str]] = field(default_factory=dict)
    """ref → the last act here, the element it wrote, and the value."""
    hidden: set[str] = field(default_factory=set)
    """Resources with a commit that is not visible from here yet."""
    lagging: dict[str, int] = field(default_factory=dict)
    """Such resources once visible, up to which version: missed until ids are compared if it took too long."""
    soon: set[str] = field(default_factory=set)
    """Those of them that the next whole answer must bring."""

    def becomes_visible(self, ref: str, version: int, *, in_time: bool) -> None:
        self.hidden.discard(ref)
        self.lagging[ref] = version
        (self.soon.add if in_time else self.soon.discard)(ref)

    def heard_everything(self) -> None:
        """A round came through whole: what it had to bring is no longer excused."""
        for ref in self.soon:
            self.lagging.pop(ref, None)
        self.soon.clear()

    def is_excused(self, ref: str, version: int) -> bool:
        return ref in self.hidden or version <= self.lagging.get(ref, 0)

    def check(self, seen: Seen, truth: Truth) -> None:
        """Everything that must hold at every moment."""
        states = {act.op_id: act for act in seen.acts}
        self._bytes_stay(seen)
        self._versions_rise(seen)
        self._nothing_goes_without_evidence(seen, truth)
        self._what_i_wrote_i_see(seen, states)
        self._pending_is_not_purged(seen, states)
        self._marks_are_true(seen, truth)
        confirmed_is_there(seen, truth)
        self.versions = seen.versions

    def _bytes_stay(self, seen: Seen) -> None:
        for act in seen.acts:
            if act.first_sent is not None:
                assert self.shas.setdefault(act.op_id, act.sha256) == act.sha256, (
                    "I11: other bytes than were sent"
                )

    def _versions_rise(self, seen: Seen) -> None:
        for ref, version in seen.versions.items():
            if self.versions.get(ref) != version:
                assert int(version) >= self.highest.get(ref, 0), "I5: a cached version went down"
                self.highest[ref] = int(version)

    def _nothing_goes_without_evidence(self, seen: Seen, truth: Truth) -> None:
        gone = self.versions.keys() - seen.versions.keys()
        if not gone:
            return
        why = {row.ref for row in seen.evidence}
        whole = {row.patient_ref for row in seen.evidence if row.why in _WHOLE}
        rows = truth.rows()
        assert all(ref in why or rows[ref].patient in whole for ref in gone), "I4: a removal without evidence"

    def _what_i_wrote_i_see(self, seen: Seen, states: dict[str, ActRow]) -> None:
        for ref, (op, element, value) in self.wrote.items():
            act = states.get(op)
            if act is not None and act.state in WAITING:
                shown = seen.shown[ref]
                assert shown is not None and shown.get(element) == value, "I6: what I wrote is not what I see"

    def _pending_is_not_purged(self, seen: Seen, states: dict[str, ActRow]) -> None:
        gone = {op for op in self.states.keys() - states.keys() if self.states[op] not in TERMINAL}
        purged = any(row.why in _WHOLE for row in seen.evidence)
        assert not gone or purged, "I9: an act went away before its end"  # ended and purged in one round?
        self.states = {act.op_id: act.state for act in seen.acts}
        for act in seen.acts:
            if act.state not in TERMINAL:
                assert all(seen.shown[ref] is not None for ref in act.refs), "I9: what waits has been purged"

    def _marks_are_true(self, seen: Seen, truth: Truth) -> None:
        for ref, row in truth.living(*KEPT):
            mark = seen.marks.get(ref.partition("/")[0])
            if mark is None or self.is_excused(ref, row.version) or not _is_kept(ref, row, seen.live):
                continue
            if row.updated < mark.timestamp() * 1000:
                held = int(seen.versions.get(ref, "0"))
                assert held >= row.version, f"I10: the mark of {ref.partition('/')[0]} has passed a commit"


def _is_kept(ref: str, row: Row, live: frozenset[str]) -> bool:
    return row.patient in live if ref.partition("/")[0] in BY_PATIENT else row.raw["status"] == "active"


def confirmed_is_there(seen: Seen, truth: Truth) -> None:
    rows = truth.rows()
    for act in seen.acts:
        row = rows.get(f"Provenance/{act.op_id}")
        if act.state is ActState.APPLIED:
            assert row is not None, "I13: confirmed, but the record does not have it"
        assert row is None or row.version == 1, "I2: two Provenances of one act"


def fresh_means_whole(status: SyncStatus, seen: Seen, truth: Truth, memory: Memory) -> None:
    """Asked right after a round, when nothing can have changed since."""
    if status.all_sent:
        waiting = [act for act in seen.acts if act.state not in TERMINAL]
        assert not waiting, "I13: 'all sent' while something waits"
    if status.link is not Link.FRESH:
        return
    ours = truth.ours()
    for ref, row in truth.living("Task"):
        excused = row.patient not in ours or memory.is_excused(ref, row.version)
        if row.raw["status"] not in ENDED and not excused:
            assert ref in seen.versions, "I3: fresh, but an open task is not there"


def caches_equal_the_record(station: MachineStation, truth: Truth, exempt: set[str], when: str) -> None:
    """I7: every row of everybody who is kept here, body for body."""
    ours = truth.ours()
    wanted = {ref: row for ref, row in truth.living(*KEPT) if _is_kept(ref, row, ours) and ref not in exempt}
    seen, here = station.write(lambda w: (look(w), {ref: w.synced(ref) for ref in wanted}))
    for ref, row in wanted.items():
        held = here[ref]
        assert held is not None, f"I7 {when}: {ref.partition('/')[0]} is missing"
        assert held.raw == row.raw, (
            f"I7 {when}: {ref.partition('/')[0]} {held.version_id} is not {row.version}"
        )
    if when.startswith("after"):
        left = seen.versions.keys() - wanted.keys()
        ghosts = [ref for ref in left if truth.rows()[ref].patient in ours]
        assert not ghosts, f"I7 {when}: {ghosts[0].partition('/')[0]} is shown and not there"


def endings(station: MachineStation, truth: Truth) -> list[tuple[ActRow, str]]:
    """I1: how each act ended; asserts that it ended in one way and that a person can see it."""
    acts, rows = station.write(lambda w: (w.outbox.rows(), w.conflicts.rows(open_only=False)))
    asked = {row.op_id for row in rows}
    known = {act.op_id: act for act in acts}
    return [(act, _ending(act, known, act.op_id in asked, truth)) for act in acts]


def _ending(act: ActRow, known: dict[str, ActRow], asked: bool, truth: Truth) -> str:
    there = f"Provenance/{act.op_id}" in truth.rows()
    match act.state:
        case ActState.APPLIED:
            assert there, "I1: applied, but not at the record"
            return "applied"
        case ActState.CONFLICT:
            assert asked and not there, "I1: a conflict nobody can see"
            return "conflict"
        case ActState.WITHDRAWN:
            assert (act.superseded_by or asked) and not there, "I1: an act that vanished"
            return "conflict"
        case ActState.REJECTED | ActState.PARKED:
            assert act.last_issue and not there, "I1: refused without a reason"
            return "refused"
        case ActState.QUEUED:
            assert _is_held(act, known), "I1: waits for nothing"
            return "held"
    raise AssertionError(f"I1: still {act.state} when it is quiet")


def _is_held(act: ActRow, known: dict[str, ActRow]) -> bool:
    """It was made upon an act that a person must decide about first."""
    standing = (ActState.CONFLICT, ActState.REJECTED, ActState.PARKED)
    beneath = [known[op] for op in act.depends_on]
    return any(b.state in standing or (b.state == ActState.QUEUED and _is_held(b, known)) for b in beneath)


def nothing_came_back(truth: Truth, ref: str, element: str) -> None:
    """Every value is new: one that returns means that somebody's change was overwritten unseen."""
    changes = [None]
    for version in truth.versions(ref):
        value = version.get(element)
        if value != changes[-1]:
            assert value not in changes, "a lost update"
            changes.append(value)


def entered(truth: Truth, ref: str, element: str, token: str) -> int:
    """How often a version with the token followed one without it."""
    held = [version.get(element) == token for version in truth.versions(ref)]
    return sum(now and not before for before, now in zip([False, *held], held, strict=False))
