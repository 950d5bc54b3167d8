"""What the record sent: newer wins, nothing goes backwards, nothing is lost."""

from __future__ import annotations

from datetime import timedelta

import orjson
import pytest

from clinician.cache.open import Cache
from clinician.cache.reading import RowState
from clinician.cache.synced import Evidence, SyncedRow, Why
from clinician.events import CacheChanged
from tests.clinician.cache.samples import DAY, Maker, row

EVIDENCE = Evidence(Why.DELETED, DAY, version="9", status=410)


def put(cache: Cache, *rows: SyncedRow):
    return cache.writer.run(lambda w: w.put_synced(rows))


def get(cache: Cache, ref: str):
    with cache.reading() as reading:
        return reading.get(ref)


def ref(raw) -> str:
    return f"{raw['resourceType']}/{raw['id']}"


def test_that_a_resource_comes_back_byte_for_byte_equal(cache: Cache, make: Maker) -> None:
    for raw in (make.patient(), make.task("Patient/x", 0), make.note("Patient/x", 0)):
        put(cache, row(raw))
        found = get(cache, ref(raw))
        assert found is not None
        assert found.raw == raw
        assert (found.ref, found.type, found.id) == (ref(raw), raw["resourceType"], raw["id"])
        assert (found.version_id, found.state) == ("1", RowState.CONFIRMED)


def test_that_an_older_version_never_replaces_a_newer(cache: Cache, make: Maker) -> None:
    raw = make.patient()
    put(cache, row(raw, "10"))
    report = put(cache, row({**raw, "gender": "other"}, "9", DAY + timedelta(days=9)))
    assert report.older == {ref(raw)}
    assert not report.changed
    assert get(cache, ref(raw)).version_id == "10"


def test_that_numbers_compare_as_numbers_and_opaque_versions_by_stamp(cache: Cache, make: Maker) -> None:
    raw = make.patient()
    put(cache, row(raw, "a", DAY))
    assert put(cache, row(raw, "b", DAY - timedelta(seconds=1))).older == {ref(raw)}
    assert put(cache, row(raw, "b", DAY + timedelta(seconds=1))).changed == {ref(raw)}
    assert put(cache, row(raw, "b", DAY + timedelta(seconds=1.4))).kept == {ref(raw)}


def test_that_a_version_given_again_with_another_stamp_is_told_as_a_record_that_went_back(
    cache: Cache, make: Maker
) -> None:
    raw = make.patient()
    put(cache, row(raw, "7", DAY))
    assert put(cache, row(raw, "7", DAY + timedelta(minutes=9))).older == {ref(raw)}
    other = make.patient()
    put(cache, row(other, "9"))
    assert put(cache, row(other, "10")).changed == {ref(other)}


def test_that_a_declared_restore_lets_versions_go_down_until_it_ends(cache: Cache, make: Maker) -> None:
    raw = make.patient()
    put(cache, row(raw, "10"))
    cache.writer.run(lambda w: w.begin_restored("epoch changed"))
    assert put(cache, row(raw, "3")).changed == {ref(raw)}
    cache.writer.run(lambda w: w.end_restored())
    assert put(cache, row(raw, "2")).older == {ref(raw)}


def test_that_the_same_resource_twice_in_a_page_ends_at_the_newest(cache: Cache, make: Maker) -> None:
    raw = make.patient()
    report = put(cache, row(raw, "2"), row({**raw, "gender": "other"}, "3"), row(raw, "1"))
    assert report.first_seen == {ref(raw)}
    assert get(cache, ref(raw)).raw["gender"] == "other"


def test_that_one_bad_resource_stops_no_page_and_is_kept_as_it_came(cache: Cache, make: Maker) -> None:
    good, bad = make.patient(), make.patient()
    broken = row(bad)._replace(body=b'{"resourceType":"Patient","id":')
    lying = row(make.patient())._replace(id="someone-else")
    odd = row(make.patient())._replace(type="Nonsense")
    report = put(cache, broken, lying, odd, row(good))
    assert report.changed == {ref(good)}
    assert report.quarantined == {ref(bad), "Patient/someone-else", f"Nonsense/{odd.id}"}
    kept = cache.writer.run(lambda w: w.trail.quarantined())
    assert {one.ref: one.body for one in kept}[ref(bad)] == broken.body
    assert cache.writer.run(lambda w: w.trail.release(ref(bad)))
    assert not cache.writer.run(lambda w: w.trail.release(ref(bad)))


@pytest.mark.parametrize(
    "wrong",
    [
        {
            "subject": "nonsense",
            "status": 5,
            "code": [],
            "effectiveDateTime": {"a": 1},
            "performer": {"reference": 3},
        },
        {
            "subject": [[{"reference": "Patient/x"}]],
            "code": {"coding": "x"},
            "identifier": "x",
            "extension": {},
        },
        {
            "subject": None,
            "performer": [None, 1, {"reference": None}],
            "component": 4,
            "identifier": [1, {"value": 2}],
        },
    ],
)
def test_that_a_wrongly_built_resource_is_stored_with_what_reads(cache: Cache, make: Maker, wrong) -> None:
    raw = make.observation("Patient/x", 0) | wrong
    assert put(cache, row(raw)).changed == {ref(raw)}
    assert get(cache, ref(raw)).raw == raw


def test_that_no_row_is_removed_without_evidence_and_the_evidence_can_be_shown(
    cache: Cache, make: Maker
) -> None:
    raw = make.task("Patient/p", 0)
    put(cache, row(raw))
    assert cache.writer.run(lambda w: w.remove_synced(ref(raw), EVIDENCE))
    assert not cache.writer.run(lambda w: w.remove_synced(ref(raw), EVIDENCE))
    with cache.reading() as reading:
        assert reading.get(ref(raw)) is None
        assert list(reading.find("Task")) == []
        (kept,) = reading.evidence("Patient/p")
    assert (kept.ref, kept.why, kept.status, kept.version) == (ref(raw), Why.DELETED, 410, "9")


def test_that_a_deleted_resource_is_not_revived_by_an_old_page_but_by_a_new_version(
    cache: Cache, make: Maker
) -> None:
    raw = make.task("Patient/p", 0)
    put(cache, row(raw, "8"))
    cache.writer.run(lambda w: w.remove_synced(ref(raw), EVIDENCE))
    assert put(cache, row(raw, "8")).kept == {ref(raw)}
    assert get(cache, ref(raw)) is None
    assert cache.writer.run(lambda w: w.trail.tombstoned(ref(raw)))
    assert put(cache, row(raw, "10")).changed == {ref(raw)}
    assert not cache.writer.run(lambda w: w.trail.tombstoned(ref(raw)))


def test_that_a_row_out_of_scope_leaves_no_tombstone(cache: Cache, make: Maker) -> None:
    raw = make.task("Patient/p", 0)
    put(cache, row(raw))
    cache.writer.run(lambda w: w.remove_synced(ref(raw), Evidence(Why.OUT_OF_SCOPE, DAY)))
    assert put(cache, row(raw)).changed == {ref(raw)}


def test_that_one_commit_is_announced_once_with_every_row(
    cache: Cache, make: Maker, changes: list[CacheChanged]
) -> None:
    raws = [make.patient(), make.task("Patient/p", 0)]
    put(cache, *map(row, raws))
    put(cache, *map(row, raws))
    (heard,) = changes
    assert heard.refs == {ref(raw) for raw in raws}
    assert heard.types == {"Patient", "Task"}
    assert heard.origin == ""


def test_that_a_failed_function_writes_and_announces_nothing(
    cache: Cache, make: Maker, changes: list[CacheChanged]
) -> None:
    raw = make.observation("Patient/p", 0)

    def fail(writing) -> None:
        writing.put_synced([row(raw)])
        writing.keep.set("a", "b")
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        cache.writer.run(fail)
    assert changes == []
    assert get(cache, ref(raw)) is None
    assert cache.writer.run(lambda w: w.keep.get("a")) is None
    put(cache, row(raw))
    with cache.reading() as reading:
        assert [one.ref for one in reading.find("Observation", code="85354-9")] == [ref(raw)]


def test_that_a_snapshot_does_not_move_while_it_is_read(cache: Cache, make: Maker) -> None:
    raw = make.patient()
    with cache.reading() as reading:
        put(cache, row(raw))
        assert reading.get(ref(raw)) is None
    assert get(cache, ref(raw)) is not None


def test_that_versions_for_the_manifest_are_told_by_type_and_patient(cache: Cache, make: Maker) -> None:
    one, two = make.task("Patient/a", 0), make.task("Patient/b", 0)
    put(cache, row(one, "3"), row(two, "5"))
    versions = cache.writer.run(lambda w: w.versions("Task"))
    assert versions == {one["id"]: "3", two["id"]: "5"}
    assert cache.writer.run(lambda w: w.versions("Task", patients=["Patient/b"])) == {two["id"]: "5"}


def test_that_ids_of_any_fhir_form_are_kept_apart_and_come_back(cache: Cache, make: Maker) -> None:
    ids = [
        "1",
        "A-1.b",
        "11111111-1111-4111-8111-11111111111a",
        "11111111-1111-4111-8111-11111111111A",
        "1111111-11111-4111-8111-111111111111",
        "g1111111-1111-4111-8111-111111111111",
    ]
    for id_ in ids:
        put(
            cache,
            row({**make.task(f"Patient/{id_}", 0), "id": id_, "owner": {"reference": f"Practitioner/{id_}"}}),
        )
    with cache.reading() as reading:
        assert sorted(one.id for one in reading.find("Task", order="id")) == sorted(ids)
        for id_ in ids:
            assert [one.id for one in reading.find("Task", patient=f"Patient/{id_}")] == [id_]
            assert [one.id for one in reading.find("Task", owner=f"Practitioner/{id_}")] == [id_]


def test_that_a_number_keeps_its_decimals_in_the_stored_bytes(cache: Cache, make: Maker) -> None:
    raw = make.observation("Patient/p", 0)
    body = orjson.dumps(raw).replace(b'"mmHg"', b'"mmHg","x":72.50', 1)
    put(cache, row(raw)._replace(body=body))
    with cache.reading() as reading:
        ((stored,),) = reading._execute("SELECT body FROM resource").fetchall()
        assert reading.press.unpack(stored) == body
