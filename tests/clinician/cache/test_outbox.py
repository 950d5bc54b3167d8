"""Acts go in once, move only as they may, and never change once frozen."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from datetime import timedelta
from hashlib import sha256
from typing import Any

import orjson
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from clinician.cache.acts import MOVES, PENDING, TERMINAL, ActState, ConflictRow, Entry, NewAct
from clinician.cache.open import Cache, open_cache
from clinician.cache.outbox import as_sent
from clinician.cache.outbox_rows import text_from_json, text_to_json
from clinician.cache.reading import RowState
from clinician.cache.writing import Writing
from clinician.clock import FrozenClock
from clinician.errors import Bug
from clinician.events import CacheChanged, Events
from clinician.texts import Text, lazy
from tests.clinician.cache.conftest import KEY
from tests.clinician.cache.samples import DAY, Maker, row
from tests.clinician.cache.test_synced_rows import get, put, ref

L = lazy("cache")
S = ActState
SENT = {S.SENDING, S.UNKNOWN}


def entry(raw: Any, version: str | None = None, op: str | None = None, base: Any = None) -> Entry:
    return Entry(ref(raw), raw, version, op, base)


def new_act(*entries: Entry, op_id: str = "", patient: str = "Patient/p", **rest: Any) -> NewAct:
    op_id = op_id or str(uuid.uuid4())
    fields: dict[str, Any] = {
        "op_id": op_id,
        "group": op_id,
        "kind": "test",
        "aggregate": patient,
        "patient_ref": patient if patient.startswith("Patient/") else "",
        "who_ref": "Practitioner/k",
        "who_name": "Kari",
        "workplace_ref": "Organization/w",
        "label": L("{what} done", what=L("Visit")),
        "created": DAY,
        "entries": entries,
        "provenance": {"resourceType": "Provenance", "id": op_id},
    }
    return NewAct(**(fields | rest))


def do(cache: Cache, function: Callable[[Writing], Any]) -> Any:
    return cache.writer.run(function, durable=True)


def insert(cache: Cache, act: NewAct, state: ActState = S.QUEUED) -> str:
    def work(writing: Writing) -> None:
        writing.outbox.insert(act, state)
        for one in act.entries:
            writing.put_overlay(one.ref, act.op_id, one.raw)

    do(cache, work)
    return act.op_id


def move(cache: Cache, op_id: str, *path: ActState) -> None:
    """Along the states; applied with version 2 of everything."""
    for to in path:
        if to == S.APPLIED:
            versions = {one.ref: "2" for one in do(cache, lambda w: w.outbox.entries(op_id))}
            assert do(cache, lambda w, v=versions: w.outbox.applied(op_id, v))
            continue
        act = do(cache, lambda w: w.outbox.get(op_id))
        if to == S.SENDING:
            do(cache, lambda w: w.outbox.freeze(op_id))
        assert do(cache, lambda w, f=act.state, t=to: w.outbox.transition(op_id, f, t, sent_at=DAY))


def state(cache: Cache, op_id: str) -> ActState:
    return do(cache, lambda w: w.outbox.get(op_id)).state


def ready(cache: Cache, now: Any = DAY) -> list[str]:
    return [act.op_id for act in do(cache, lambda w: w.outbox.ready(now))]


def sent_parts(cache: Cache, op_id: str) -> list[Any]:
    return orjson.loads(do(cache, lambda w: w.outbox.freeze(op_id)))["entry"]


# freezing


def test_that_an_act_on_what_the_record_sent_is_frozen_when_queued(cache: Cache, make: Maker) -> None:
    old = make.task("Patient/p", 0)
    changed = old | {"status": "completed"}
    fresh = make.observation("Patient/p", 0)
    op_id = insert(cache, new_act(entry(changed, "7", None, old), entry(fresh)))
    act = do(cache, lambda w: w.outbox.get(op_id))
    bundle = do(cache, lambda w: w.outbox.bundle(op_id))
    assert act.sha256 == sha256(bundle).hexdigest()
    assert act.refs == (ref(old), ref(fresh))
    sent = orjson.loads(bundle)
    assert sent["type"] == "transaction"
    assert [part["request"] for part in sent["entry"]] == [
        {"method": "PUT", "url": ref(old), "ifMatch": 'W/"7"'},
        {"method": "PUT", "url": ref(fresh)},
        {"method": "PUT", "url": f"Provenance/{op_id}"},
    ]
    assert "versionId" not in sent["entry"][0]["resource"]["meta"]
    assert sent["entry"][0]["resource"]["status"] == "completed"


def test_that_creates_are_guarded_where_the_record_was_seen_to_obey_it(cache: Cache, make: Maker) -> None:
    do(cache, lambda w: w.marks.set_profile({"put_if_none_match": True}))
    op_id = insert(cache, new_act(entry(make.observation("Patient/p", 0))))
    parts = sent_parts(cache, op_id)
    assert parts[0]["request"]["ifNoneMatch"] == "*"
    assert "ifNoneMatch" not in parts[1]["request"]


def test_that_frozen_bytes_and_signed_resources_cannot_be_changed_even_by_sql(
    cache: Cache, make: Maker
) -> None:
    op_id = insert(cache, new_act(entry(make.observation("Patient/p", 0))))
    for sql in (
        "UPDATE outbox SET bundle = x'00'",
        "UPDATE outbox SET sha256 = 'x'",
        "UPDATE outbox SET bundle = NULL",
        "UPDATE outbox_ref SET body = x'00'",
        "UPDATE outbox_ref SET ref = 'x'",
    ):
        with pytest.raises(Bug):
            do(cache, lambda w, sql=sql: w._driver.execute(sql))
    before = do(cache, lambda w: w.outbox.bundle(op_id))
    move(cache, op_id, S.SENDING, S.UNKNOWN, S.SENDING)
    assert do(cache, lambda w: w.outbox.freeze(op_id)) == before


def test_that_an_act_upon_an_unsent_act_is_frozen_when_that_one_has_its_version(
    cache: Cache, make: Maker
) -> None:
    base = make.task("Patient/p", 0)
    one, two = base | {"status": "in-progress"}, base | {"status": "completed"}
    first = insert(cache, new_act(entry(one, "7", None, base)))
    second = insert(cache, new_act(entry(two, None, first, one)))
    act = do(cache, lambda w: w.outbox.get(second))
    assert (act.depends_on, act.sha256) == ((first,), "")
    with pytest.raises(ValueError, match="no answer"):
        do(cache, lambda w: w.outbox.freeze(second))
    with pytest.raises(ValueError, match="frozen"):
        do(cache, lambda w: w.outbox.transition(second, S.QUEUED, S.SENDING, sent_at=DAY))
    assert ready(cache) == [first]
    move(cache, first, S.SENDING)
    do(cache, lambda w: w.outbox.applied(first, {ref(base): "8"}))
    assert ready(cache) == [second]
    assert sent_parts(cache, second)[0]["request"]["ifMatch"] == 'W/"8"'


def test_that_an_answer_without_a_version_falls_back_on_what_was_synced(cache: Cache, make: Maker) -> None:
    base = make.task("Patient/p", 0)
    first = insert(cache, new_act(entry(base | {"status": "in-progress"}, "7", None, base)))
    second = insert(cache, new_act(entry(base | {"status": "completed"}, None, first, base)))
    move(cache, first, S.SENDING)
    put(cache, row(base | {"status": "in-progress"}, "9"))
    do(cache, lambda w: w.outbox.applied(first, {}))
    assert sent_parts(cache, second)[0]["request"]["ifMatch"] == 'W/"9"'


def test_that_an_act_upon_one_that_gave_way_meets_the_record_by_its_old_version(
    cache: Cache, make: Maker
) -> None:
    """412 is certain there, so nothing of the withdrawn act slips in."""
    base = make.task("Patient/p", 0)
    first = insert(cache, new_act(entry(base | {"status": "in-progress"}, "7", None, base)))
    second = insert(cache, new_act(entry(base | {"status": "completed"}, None, first, base)))
    move(cache, first, S.SENDING, S.CONFLICT)
    assert ready(cache) == []
    move(cache, first, S.WITHDRAWN)
    assert ready(cache) == [second]
    assert sent_parts(cache, second)[0]["request"]["ifMatch"] == 'W/"7"'


# order


def test_that_acts_of_one_patient_go_in_order_and_of_others_beside_them(cache: Cache, make: Maker) -> None:
    one, two = (insert(cache, new_act(entry(make.observation("Patient/p", 0)))) for _ in range(2))
    other = insert(cache, new_act(entry(make.observation("Patient/q", 0)), patient="Patient/q"))
    assert ready(cache) == [one, other]
    move(cache, one, S.SENDING)
    assert ready(cache) == [other]
    move(cache, one, S.UNKNOWN)
    assert ready(cache) == [one, other]
    move(cache, one, S.SENDING, S.APPLIED)
    assert ready(cache) == [two, other]


def test_that_a_bad_act_holds_only_what_depends_on_it(cache: Cache, make: Maker) -> None:
    visit = make.appointment("Patient/p", 0)
    bad = insert(cache, new_act(entry(visit)))
    upon = insert(cache, new_act(entry(make.task("Patient/q", 0, ref(visit))), patient="Patient/q"))
    further = insert(cache, new_act(entry(visit | {"status": "noshow"}, None, bad, visit)))
    free = insert(cache, new_act(entry(make.observation("Patient/p", 0))))
    move(cache, bad, S.SENDING, S.REJECTED)
    assert ready(cache) == [free]
    assert set(do(cache, lambda w: w.outbox.dependants(bad))) == {upon, further}
    move(cache, bad, S.QUEUED)
    assert ready(cache) == [bad]


def test_that_an_act_waits_for_its_time(cache: Cache, make: Maker) -> None:
    op_id = insert(cache, new_act(entry(make.observation("Patient/p", 0))))
    move(cache, op_id, S.SENDING)
    later = DAY + timedelta(seconds=30)
    do(
        cache,
        lambda w: w.outbox.transition(op_id, S.SENDING, S.QUEUED, next_at=later, status=503, issue="busy"),
    )
    act = do(cache, lambda w: w.outbox.get(op_id))
    assert (act.attempts, act.last_status, act.last_issue, act.first_sent) == (1, 503, "busy", DAY)
    assert ready(cache) == []
    assert ready(cache, later) == [op_id]


def test_that_a_new_act_in_place_of_a_conflicting_one_is_sent_before_what_was_built_on_it(
    cache: Cache, make: Maker
) -> None:
    base = make.task("Patient/p", 0)
    first = insert(cache, new_act(entry(base | {"status": "in-progress"}, "7", None, base)))
    second = insert(cache, new_act(entry(base | {"status": "completed"}, None, first, base)))
    third = insert(cache, new_act(entry(base | {"status": "failed"}, None, second, base)))
    move(cache, first, S.SENDING, S.CONFLICT)
    new = insert(cache, new_act(entry(base | {"status": "in-progress", "priority": "asap"}, "8", None, base)))
    assert do(cache, lambda w: w.outbox.supersede(first, new))
    assert not do(cache, lambda w: w.outbox.supersede(first, new))
    old = do(cache, lambda w: w.outbox.get(first))
    assert (old.state, old.superseded_by) == (S.WITHDRAWN, new)
    assert ready(cache) == [new]
    move(cache, new, S.SENDING, S.APPLIED)
    assert ready(cache) == [second]
    assert sent_parts(cache, second)[0]["request"]["ifMatch"] == 'W/"7"'
    move(cache, second, S.SENDING, S.APPLIED)
    assert ready(cache) == [third]


# moving


@pytest.mark.parametrize("start", list(S))
def test_that_every_move_is_allowed_or_refused_as_the_table_says(cache: Cache, make: Maker, start: S) -> None:
    paths = {
        S.DRAFT: (),
        S.QUEUED: (),
        S.SENDING: (S.SENDING,),
        S.UNKNOWN: (S.SENDING, S.UNKNOWN),
        S.APPLIED: (S.SENDING, S.APPLIED),
        S.CONFLICT: (S.SENDING, S.CONFLICT),
        S.REJECTED: (S.SENDING, S.REJECTED),
        S.PARKED: (S.SENDING, S.PARKED),
        S.WITHDRAWN: (S.WITHDRAWN,),
    }
    for to in S:
        act = new_act(entry(make.observation("Patient/p", 0)))
        op_id = insert(cache, act, S.DRAFT if start == S.DRAFT else S.QUEUED)
        move(cache, op_id, *paths[start])
        if to == S.APPLIED:
            assert do(cache, lambda w, o=op_id: w.outbox.applied(o, {})) is (start in SENT)
        elif to in MOVES[start]:
            move(cache, op_id, to)
            assert state(cache, op_id) == to
        else:
            with pytest.raises(ValueError, match="does not go"):
                do(cache, lambda w, o=op_id, t=to: w.outbox.transition(o, start, t, sent_at=DAY))
            assert state(cache, op_id) == start


def test_that_a_move_from_a_state_it_is_not_in_does_nothing(cache: Cache, make: Maker) -> None:
    op_id = insert(cache, new_act(entry(make.observation("Patient/p", 0))))
    assert not do(cache, lambda w: w.outbox.transition(op_id, S.REJECTED, S.QUEUED))
    assert not do(cache, lambda w: w.outbox.transition("nobody", S.REJECTED, S.QUEUED))
    assert not do(cache, lambda w: w.outbox.applied(op_id, {}))
    assert state(cache, op_id) == S.QUEUED


def test_that_an_act_others_are_built_upon_is_not_withdrawn(cache: Cache, make: Maker) -> None:
    visit = make.appointment("Patient/p", 0)
    first = insert(cache, new_act(entry(visit)))
    second = insert(cache, new_act(entry(visit | {"status": "noshow"}, None, first, visit)))
    with pytest.raises(ValueError, match="built upon"):
        do(cache, lambda w: w.outbox.transition(first, S.QUEUED, S.WITHDRAWN))
    move(cache, second, S.WITHDRAWN)
    move(cache, first, S.WITHDRAWN)
    assert get(cache, ref(visit)) is None


def test_that_sending_needs_a_time(cache: Cache, make: Maker) -> None:
    op_id = insert(cache, new_act(entry(make.observation("Patient/p", 0))))
    with pytest.raises(ValueError, match="time"):
        do(cache, lambda w: w.outbox.transition(op_id, S.QUEUED, S.SENDING))


def test_that_an_act_nobody_is_sending_any_more_becomes_unknown(cache: Cache, make: Maker) -> None:
    op_id = insert(cache, new_act(entry(make.observation("Patient/p", 0))))
    move(cache, op_id, S.SENDING)
    assert do(cache, lambda w: w.outbox.reset_stale(DAY)) == 0
    assert do(cache, lambda w: w.outbox.reset_stale(DAY + timedelta(seconds=1))) == 1
    assert state(cache, op_id) == S.UNKNOWN


def test_that_a_draft_is_frozen_only_when_it_is_queued(cache: Cache, make: Maker) -> None:
    op_id = insert(cache, new_act(entry(make.observation("Patient/p", 0))), S.DRAFT)
    assert do(cache, lambda w: w.outbox.bundle(op_id)) is None
    assert ready(cache) == []
    move(cache, op_id, S.QUEUED)
    assert do(cache, lambda w: w.outbox.bundle(op_id))
    base = make.task("Patient/p", 0)
    first = insert(cache, new_act(entry(base)))
    second = insert(cache, new_act(entry(base | {"status": "ready"}, None, first, base)), S.DRAFT)
    move(cache, second, S.QUEUED)
    assert do(cache, lambda w: w.outbox.bundle(second)) is None


def test_that_an_act_writes_something_and_is_put_in_once(cache: Cache, make: Maker) -> None:
    with pytest.raises(ValueError, match="something"):
        do(cache, lambda w: w.outbox.insert(new_act()))
    act = new_act(entry(make.observation("Patient/p", 0)))
    insert(cache, act)
    with pytest.raises(Bug):
        do(cache, lambda w: w.outbox.insert(act))
    with pytest.raises(ValueError, match="no such"):
        do(cache, lambda w: w.outbox._required("nobody"))


def test_that_acts_are_told_by_state_group_aggregate_and_patient(cache: Cache, make: Maker) -> None:
    one = insert(cache, new_act(entry(make.observation("Patient/p", 0)), group="g"))
    two = insert(cache, new_act(entry(make.observation("Patient/q", 0)), patient="Patient/q", group="g"))
    move(cache, two, S.SENDING, S.APPLIED)
    box = lambda **asked: [act.op_id for act in do(cache, lambda w: w.outbox.rows(**asked))]  # noqa: E731
    assert box() == box(group="g") == [one, two]
    assert box(states=PENDING) == box(aggregate="Patient/p") == [one]
    assert box(states=TERMINAL) == box(patient_ref="Patient/q") == [two]
    with cache.reading() as reading:
        assert [act.op_id for act in reading.acts(PENDING)] == [one]
        assert reading.act(two).state == S.APPLIED
        assert reading.act("nobody") is None
        assert [e.version_after for e in reading.entries(two)] == ["2"]


def test_that_a_correction_is_known_by_what_it_takes_back(cache: Cache, make: Maker) -> None:
    one = insert(cache, new_act(entry(make.observation("Patient/p", 0))))
    assert do(cache, lambda w: w.outbox.correction_of(one)) == ""
    two = insert(cache, new_act(entry(make.observation("Patient/p", 0)), corrects=one))
    assert do(cache, lambda w: w.outbox.correction_of(one)) == two
    move(cache, two, S.WITHDRAWN)
    assert do(cache, lambda w: w.outbox.correction_of(one)) == ""


def test_that_labels_are_kept_in_their_source_words_and_shown_in_any_language() -> None:
    label = Text("cache", "{what} at {when}", {"what": L("Visit"), "when": DAY, "n": 3}, "context")
    kept = text_from_json(text_to_json(label))
    assert (kept.domain, kept.msgid, kept.context) == ("cache", label.msgid, "context")
    assert kept.params == {"what": L("Visit"), "when": str(DAY), "n": 3}


def test_that_only_the_records_own_marks_are_left_out_of_what_is_sent() -> None:
    raw = {"resourceType": "Task", "id": "1", "meta": {"versionId": "3", "lastUpdated": "x", "tag": [1]}}
    assert as_sent(raw)["meta"] == {"tag": [1]}
    assert "meta" not in as_sent(raw | {"meta": {"versionId": "3"}})
    assert as_sent({"resourceType": "Task", "id": "1"}) == {"resourceType": "Task", "id": "1"}


# what a person sees


def test_that_a_row_shows_what_has_become_of_the_act_upon_it(cache: Cache, make: Maker) -> None:
    base = make.task("Patient/p", 0)
    put(cache, row(base))
    op_id = insert(cache, new_act(entry(base | {"status": "completed"}, "1", None, base)))
    shown = {S.SENDING: RowState.QUEUED, S.REJECTED: RowState.REFUSED, S.QUEUED: RowState.QUEUED}
    assert get(cache, ref(base)).state == RowState.QUEUED
    for to, wanted in shown.items():
        move(cache, op_id, to)
        assert get(cache, ref(base)).state == wanted
    move(cache, op_id, S.SENDING, S.CONFLICT)
    do(cache, lambda w: w.set_in_force(op_id, False))
    found = get(cache, ref(base))
    assert (found.state, found.raw["status"]) == (RowState.CONFLICT, base["status"])
    other = insert(cache, new_act(entry(base | {"status": "failed"}, "1", None, base)))
    assert get(cache, ref(base)).state == RowState.CONFLICT
    assert do(cache, lambda w: w.outbox.writers_of(ref(base))) == (op_id, other)


def test_that_a_moved_act_is_announced_with_its_rows(
    cache: Cache, make: Maker, changes: list[CacheChanged]
) -> None:
    raw = make.observation("Patient/p", 0)
    op_id = insert(cache, new_act(entry(raw)))
    assert changes[-1].refs == {f"Outbox/{op_id}", ref(raw)}
    move(cache, op_id, S.SENDING)
    assert changes[-1].types == {"Outbox", "Observation"}


def conflict(op_id: str, raw: Any, **rest: Any) -> ConflictRow:
    fields: dict[str, Any] = {
        "op_id": op_id,
        "ref": ref(raw),
        "kind": "overlap",
        "base": raw,
        "mine": raw,
        "theirs": None,
        "theirs_version": "2",
        "theirs_author": "",
        "theirs_when": None,
        "merged": None,
        "noticed": DAY,
    }
    return ConflictRow(**(fields | rest))


def test_that_a_conflict_is_open_until_a_named_person_decides(cache: Cache, make: Maker) -> None:
    raw = make.task("Patient/p", 0)
    do(cache, lambda w: w.conflicts.insert(conflict("a", raw)))
    do(cache, lambda w: w.conflicts.insert(conflict("a", raw, theirs=raw, merged=raw, theirs_when=DAY)))
    with cache.reading() as reading:
        (found,) = reading.conflicts()
        assert (found.theirs, found.theirs_when, found.decision) == (raw, DAY, "")
    assert do(cache, lambda w: w.conflicts.has_open(ref(raw)))
    assert do(cache, lambda w: w.conflicts.decide("a", "mine", "Practitioner/k", DAY)) == 1
    assert do(cache, lambda w: w.conflicts.decide("a", "theirs", "Practitioner/x", DAY)) == 0
    assert not do(cache, lambda w: w.conflicts.has_open(ref(raw)))
    with cache.reading() as reading:
        assert reading.conflicts() == ()
        (decided,) = reading.conflicts("a", open_only=False)
        assert (decided.decision, decided.decided_by, decided.decided) == ("mine", "Practitioner/k", DAY)


# as a machine


class OutboxMachine(RuleBasedStateMachine):
    """Acts on few resources, moved at random; what must hold holds after every step."""

    @initialize(folder=st.builds(lambda: None))
    def begin(self, folder: None) -> None:
        import tempfile
        from pathlib import Path

        self.folder = tempfile.TemporaryDirectory()
        self.cache = open_cache(Path(self.folder.name), KEY, clock=FrozenClock(DAY), events=Events())
        self.make = Maker(3)
        self.base = {ref(raw): raw for raw in (self.make.task(f"Patient/{n}", 0) for n in range(3))}
        put(self.cache, *(row(raw) for raw in self.base.values()))
        self.frozen: dict[str, bytes] = {}
        self.acts: dict[str, str] = {}

    def teardown(self) -> None:
        if hasattr(self, "cache"):
            self.cache.close()
            self.folder.cleanup()

    def acts_in(self, *states: ActState) -> list[Any]:
        return list(do(self.cache, lambda w: w.outbox.rows(states=states)))

    @rule(which=st.integers(0, 2), patient=st.integers(0, 1))
    def act(self, which: int, patient: int) -> None:
        name = sorted(self.base)[which]

        def work(writing: Writing) -> str:
            current = writing.reading.get(name)
            version, op = writing.base_of(name)
            raw = current.raw | {"description": f"{len(self.acts)}"}
            act = new_act(Entry(name, raw, version, op, current.raw), patient=f"Patient/{patient}")
            writing.outbox.insert(act)
            writing.put_overlay(name, act.op_id, raw)
            return act.op_id

        self.acts[do(self.cache, work)] = name

    @rule(pick=st.randoms(use_true_random=False), to=st.sampled_from(list(S)))
    def send_or_settle(self, pick: Any, to: ActState) -> None:
        able = do(self.cache, lambda w: w.outbox.ready(DAY))
        if not able:
            return
        act = pick.choice(able)
        frozen = do(self.cache, lambda w: w.outbox.freeze(act.op_id))
        assert self.frozen.setdefault(act.op_id, frozen) == frozen
        do(self.cache, lambda w: w.outbox.transition(act.op_id, act.state, S.SENDING, sent_at=DAY))
        if to == S.APPLIED:
            name = self.acts[act.op_id]

            def apply(writing: Writing) -> None:
                (one,) = writing.outbox.entries(act.op_id)
                version = str(int(writing.version_of(name) or "0") + 1)
                writing.put_synced([row(one.raw, version)])
                assert writing.outbox.applied(act.op_id, {name: version})

            do(self.cache, apply)
        elif to in MOVES[S.SENDING]:
            do(self.cache, lambda w: w.outbox.transition(act.op_id, S.SENDING, to))

    @rule(pick=st.randoms(use_true_random=False))
    def settle_what_stands(self, pick: Any) -> None:
        standing = self.acts_in(S.REJECTED, S.PARKED, S.UNKNOWN, S.CONFLICT)
        if not standing:
            return
        act = pick.choice(standing)
        to = {S.UNKNOWN: S.REJECTED, S.CONFLICT: S.WITHDRAWN}.get(act.state, S.QUEUED)
        do(self.cache, lambda w: w.outbox.transition(act.op_id, act.state, to))

    @precondition(lambda self: hasattr(self, "cache"))
    @invariant()
    def frozen_bytes_are_the_same_and_overlays_are_those_of_unfinished_acts(self) -> None:
        def look(writing: Writing) -> None:
            pending = {act.op_id for act in writing.outbox.rows(states=PENDING)}
            laid = {op for (op,) in writing._driver.execute("SELECT op_id FROM overlay")}
            assert laid == pending
            for op_id, frozen in self.frozen.items():
                assert writing.outbox.bundle(op_id) == frozen

        do(self.cache, look)

    @precondition(lambda self: hasattr(self, "cache"))
    @invariant()
    def each_row_shows_the_newest_unfinished_act_or_what_the_record_sent(self) -> None:
        def look(writing: Writing) -> None:
            for name in self.base:
                writers = writing.outbox.writers_of(name)
                found = writing.reading.get(name)
                wanted = writing.outbox.entries(writers[-1])[0].raw if writers else writing.synced(name).raw
                assert found.raw == wanted
                assert (found.state == RowState.CONFIRMED) == (not writers)

        do(self.cache, look)

    @precondition(lambda self: hasattr(self, "cache"))
    @invariant()
    def what_is_not_held_by_a_bad_act_can_always_go_on(self) -> None:
        def look(writing: Writing) -> None:
            pending = writing.outbox.rows(states=PENDING)
            moving = [act for act in pending if act.state in (S.QUEUED, S.SENDING, S.UNKNOWN)]
            stands = {act.op_id for act in pending if act not in moving}
            free = [act for act in moving if not stands & set(_beneath(writing, act.op_id))]
            if free and not any(act.state == S.SENDING for act in moving):
                assert writing.outbox.ready(DAY)

        do(self.cache, look)


def _beneath(writing: Writing, op_id: str) -> list[str]:
    found, todo = [], [op_id]
    while todo:
        act = writing.outbox.get(todo.pop())
        found += act.depends_on
        todo += act.depends_on
    return found


TestOutboxMachine = OutboxMachine.TestCase
TestOutboxMachine.settings = settings(max_examples=25, stateful_step_count=25, deadline=None)
