"""Progress of sync, purge, drafts, PINs and the audit trail."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from clinician.cache.acts import ActState
from clinician.cache.keep import Draft
from clinician.cache.open import Cache
from clinician.cache.synced import AuditRow, Evidence, Member, MemberState, Watermark, Why
from clinician.cache.tables import moment_text
from tests.clinician.cache.samples import DAY, Maker, row
from tests.clinician.cache.test_outbox import conflict, do, entry, insert, move, new_act
from tests.clinician.cache.test_synced_rows import get, put, ref

PURGE = Evidence(Why.PURGED, DAY)


def test_that_watermarks_are_kept_by_key_and_told_by_type(cache: Cache) -> None:
    one = Watermark("Task#a", "Task", DAY, DAY + timedelta(microseconds=1), None)
    two = Watermark("Patient#a", "Patient")
    for mark in (one, two, one):
        do(cache, lambda w, m=mark: w.marks.set_watermark(m))
    assert do(cache, lambda w: w.marks.watermark("Task#a")) == one
    assert do(cache, lambda w: w.marks.watermarks()) == (two, one)
    assert do(cache, lambda w: w.marks.watermarks("Task")) == (one,)
    do(cache, lambda w: w.marks.drop_watermark("Task#a"))
    assert do(cache, lambda w: w.marks.watermark("Task#a")) is None


def test_that_membership_tells_how_a_patient_stands(cache: Cache) -> None:
    member = Member("Patient/p", MemberState.BACKFILL, DAY, "c1")
    do(cache, lambda w: w.marks.set_member(member))
    live = Member("Patient/p", MemberState.LIVE, DAY)
    do(cache, lambda w: w.marks.set_member(live))
    assert do(cache, lambda w: w.marks.members()) == (live,)
    assert do(cache, lambda w: w.marks.members(MemberState.BACKFILL)) == ()
    with cache.reading() as reading:
        assert reading.membership("Patient/p") == live
        assert reading.membership("Patient/q") is None
    do(cache, lambda w: w.marks.drop_member("Patient/p"))
    assert do(cache, lambda w: w.marks.members()) == ()


def test_that_lateness_is_counted_and_the_profile_is_kept(cache: Cache) -> None:
    for seconds in (0.5, 1, 3, 90, 10**6):
        do(cache, lambda w, s=seconds: w.marks.add_lateness("Task", s))
    assert do(cache, lambda w: w.marks.lateness()) == {"Task": {1: 2, 5: 1, 120: 1, 86401: 1}}
    assert do(cache, lambda w: w.marks.profile()) is None
    assert not do(cache, lambda w: w.guards_creates())
    do(cache, lambda w: w.marks.set_profile({"a": 1}))
    do(cache, lambda w: w.marks.set_profile({"put_if_none_match": True}))
    assert do(cache, lambda w: w.marks.profile()) == {"put_if_none_match": True}
    assert do(cache, lambda w: w.guards_creates())


def test_that_naive_times_are_refused(cache: Cache) -> None:
    with pytest.raises(ValueError, match="naive"):
        moment_text(DAY.replace(tzinfo=None))


# purge


def filled(cache: Cache) -> tuple[str, str]:
    maker = Maker(6)
    people = [maker.patient() for _ in range(2)]
    for person in people:
        name = ref(person)
        put(
            cache,
            row(person),
            row(maker.episode(name, "7")),
            row(maker.appointment(name, 0)),
            row(maker.task(name, 0)),
        )
    return ref(people[0]), ref(people[1])


def left(cache: Cache, patient: str) -> int:
    with cache.reading() as reading:
        found = [
            len(list(reading.find(t, patient=patient)))
            for t in ("Patient", "EpisodeOfCare", "Appointment", "Task")
        ]
    return sum(found)


def test_that_a_purge_takes_everything_of_one_patient_and_nothing_of_another(cache: Cache) -> None:
    gone, stays = filled(cache)
    op_id = insert(cache, new_act(entry(Maker(7).observation(gone, 0)), patient=gone))
    move(cache, op_id, ActState.SENDING, ActState.APPLIED)
    assert do(cache, lambda w: w.purge_patient(gone, PURGE)) == 4
    assert left(cache, gone) == 0
    assert left(cache, stays) == 4
    with cache.reading() as reading:
        assert reading.acts() == ()
        assert reading.search_patients(["7"])[0].ref == stays
        assert reading.evidence(gone)[0].why == Why.PURGED
        log = reading._execute("SELECT * FROM purge_log").fetchall()
    assert log == [(1, moment_text(DAY), "purged", 4)]


def test_that_a_purge_touches_nothing_while_anything_is_pending(cache: Cache) -> None:
    patient, _ = filled(cache)

    def purge() -> int:
        return do(cache, lambda w: w.purge_patient(patient, PURGE))

    draft = Draft("Practitioner/k", patient, "note", "half a sentence", DAY)
    do(cache, lambda w: w.keep.set_draft(draft))
    assert purge() == -1
    do(cache, lambda w: w.keep.set_draft(Draft("Practitioner/k", patient, "note", "", DAY)))
    raw = Maker(7).observation(patient, 0)
    op_id = insert(cache, new_act(entry(raw), patient=patient))
    assert purge() == -1
    move(cache, op_id, ActState.SENDING, ActState.APPLIED)
    do(cache, lambda w: w.conflicts.insert(conflict(op_id, raw)))
    assert purge() == -1
    do(cache, lambda w: w.conflicts.decide(op_id, "mine", "Practitioner/k", DAY))
    assert left(cache, patient) == 4
    assert purge() == 4


def test_that_old_finished_acts_go_but_never_what_an_unfinished_one_needs(cache: Cache, make: Maker) -> None:
    base = make.task("Patient/p", 0)
    one = insert(cache, new_act(entry(base)))
    two = insert(cache, new_act(entry(base | {"status": "completed"}, None, one, base)))
    old = insert(cache, new_act(entry(make.observation("Patient/q", 0)), patient="Patient/q"))
    visit = make.appointment("Patient/r", 0)
    made = insert(cache, new_act(entry(visit), patient="Patient/r"))
    pointed = insert(cache, new_act(entry(make.task("Patient/r", 0, ref(visit))), patient="Patient/r"))
    for op_id in (one, old, made):
        move(cache, op_id, ActState.SENDING, ActState.APPLIED)
    assert do(cache, lambda w: w.forget_finished(DAY)) == 0
    assert do(cache, lambda w: w.forget_finished(DAY + timedelta(days=1))) == 1
    assert {act.op_id for act in do(cache, lambda w: w.outbox.rows())} == {one, two, made, pointed}


# what belongs to people


def test_that_a_draft_is_its_users_own_and_empty_forgets_it(cache: Cache) -> None:
    def save(user: str, content: str, minute: int = 0, key: str = "note") -> None:
        draft = Draft(user, "Patient/p", key, content, DAY + timedelta(minutes=minute))
        do(cache, lambda w: w.keep.set_draft(draft))

    save("Practitioner/a", "one")
    save("Practitioner/a", "two", 1)
    save("Practitioner/a", "later", 2, "call")
    save("Practitioner/b", "hers")
    assert do(cache, lambda w: w.keep.draft("Practitioner/a", "Patient/p", "note")) == "two"
    assert [d.content for d in do(cache, lambda w: w.keep.drafts("Practitioner/a"))] == ["later", "two"]
    assert do(cache, lambda w: w.keep.draft("Practitioner/c", "Patient/p", "note")) == ""
    save("Practitioner/a", "")
    assert [d.key for d in do(cache, lambda w: w.keep.drafts("Practitioner/a"))] == ["call"]
    assert len(do(cache, lambda w: w.keep.drafts("Practitioner/b"))) == 1


def test_that_pins_and_settings_are_replaced_and_forgotten(cache: Cache) -> None:
    def both() -> Any:
        return do(cache, lambda w: (w.keep.pin("Practitioner/a"), w.keep.get("k")))

    assert both() == (None, None)
    for value in ("1", "2"):
        do(cache, lambda w, v=value: (w.keep.set_pin("Practitioner/a", v), w.keep.set("k", v)))
    assert both() == ("2", "2")
    do(cache, lambda w: w.keep.drop("k"))
    assert both() == ("2", None)


def test_that_audit_goes_up_oldest_first_and_only_sent_rows_are_ever_dropped(cache: Cache) -> None:
    rows = [AuditRow(f"{n}", DAY + timedelta(days=n), b"{}") for n in range(4)]
    for one in rows:
        do(cache, lambda w, r=one: w.audit.add(r))
    assert do(cache, lambda w: w.audit.waiting(2)) == tuple(rows[:2])
    do(cache, lambda w: w.audit.sent(["0", "2"]))
    assert do(cache, lambda w: w.audit.waiting()) == (rows[1], rows[3])
    assert do(cache, lambda w: w.audit.prune(DAY + timedelta(days=2))) == 1
    assert do(cache, lambda w: w.audit.waiting()) == (rows[1], rows[3])
    assert get(cache, "Patient/none") is None
