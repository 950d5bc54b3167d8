"""Overlays lie over synced rows; find answers as a plain filter over the effective resources would."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from clinician.cache.filters import make_filter
from clinician.cache.indexer import columns_of
from clinician.cache.open import Cache, open_cache
from clinician.cache.reading import Freshness, RowState
from clinician.cache.synced import Evidence, Watermark, Why
from clinician.clock import FrozenClock
from clinician.events import Events
from clinician.fhir import codes
from tests.clinician.cache.conftest import KEY
from tests.clinician.cache.samples import DAY, Maker, row
from tests.clinician.cache.test_synced_rows import get, put, ref

PATIENTS = [f"Patient/0000000{n}-0000-4000-8000-000000000000" for n in range(3)]
STAFF = [f"Practitioner/0000000{n}-0000-4000-8000-00000000000a" for n in range(3)]
IDS = [f"1000000{n}-0000-4000-8000-000000000000" for n in range(4)] + ["x1", "x2"]
ROUTES = ["Schedule/r1", "Schedule/22222222-2222-4222-8222-222222222222"]


@st.composite
def resources(draw: st.DrawFn) -> dict[str, Any]:
    """A Task or an Appointment with few values, so that questions have answers."""
    patient, staff = (
        draw(st.sampled_from(PATIENTS)),
        draw(st.lists(st.sampled_from(STAFF), max_size=2, unique=True)),
    )
    start = draw(st.none() | st.integers(0, 5))
    when = (DAY + timedelta(hours=start * 12)).isoformat() if start is not None else None
    raw: dict[str, Any] = {
        "id": draw(st.sampled_from(IDS)),
        "status": draw(st.sampled_from(["ready", "booked"])),
    }
    if draw(st.booleans()):
        raw |= {"resourceType": "Task", "intent": "order", "for": {"reference": patient}}
        raw["code"] = {
            "coding": draw(
                st.lists(
                    st.sampled_from(
                        [
                            {"system": codes.CODE_MEASURE, "code": "insulin"},
                            {"system": codes.CODE_TASK, "code": "measure"},
                            {"system": codes.CODE_TASK, "code": "follow-up"},
                        ]
                    ),
                    max_size=2,
                )
            )
        }
        raw["focus"] = {"reference": f"Appointment/{draw(st.sampled_from(IDS))}"}
        if staff:
            raw["owner"] = {"reference": staff[0]}
        if when:
            raw["executionPeriod"] = {"start": when}
    else:
        raw |= {"resourceType": "Appointment"}
        raw["participant"] = [{"actor": {"reference": actor}} for actor in [patient, *staff]]
        routes = draw(st.lists(st.sampled_from(ROUTES), max_size=2))
        raw["extension"] = [{"url": codes.EXT_ROUTE, "valueReference": {"reference": r}} for r in routes]
        if when:
            raw["start"] = when
    return raw


operations = st.lists(
    st.one_of(
        st.tuples(st.just("sync"), resources()),
        st.tuples(st.just("overlay"), resources()),
        st.tuples(st.just("drop"), st.integers(0, 5)),
        st.tuples(st.just("aside"), st.integers(0, 5)),
        st.tuples(
            st.just("remove"), st.tuples(st.sampled_from(["Task", "Appointment"]), st.sampled_from(IDS))
        ),
    ),
    max_size=14,
)


class Model:
    """What the cache should hold, in plain dictionaries."""

    def __init__(self) -> None:
        self.synced: dict[str, Any] = {}
        self.overlays: list[tuple[str, str, Any, bool]] = []
        self.version = 0

    def apply(self, writing: Any, step: str, value: Any) -> None:
        if step == "sync":
            self.version += 1
            writing.put_synced([row({**value, "meta": {"lastUpdated": DAY.isoformat()}}, str(self.version))])
            self.synced[ref(value)] = value
        elif step == "overlay":
            op_id = f"op{len(self.overlays)}-{self.version}-{id(value)}"
            writing.put_overlay(ref(value), op_id, value)
            self.overlays.append((ref(value), op_id, value, True))
        elif step == "drop" and value < len(self.overlays):
            writing.drop_overlay(self.overlays.pop(value)[1])
        elif step == "aside" and value < len(self.overlays):
            name, op_id, raw, _ = self.overlays[value]
            writing.set_in_force(op_id, False)
            self.overlays[value] = (name, op_id, raw, False)
        elif step == "remove":
            name = "/".join(value)
            writing.remove_synced(name, Evidence(Why.OUT_OF_SCOPE, DAY))
            self.synced.pop(name, None)

    def effective(self) -> dict[str, Any]:
        return self.synced | {name: raw for name, _, raw, in_force in self.overlays if in_force}


def questions(type_: str) -> list[dict[str, Any]]:
    asked: list[dict[str, Any]] = [
        {},
        {"patient": PATIENTS[0]},
        {"patient": PATIENTS[:2], "status": "ready"},
        {"status": ["ready", "booked"], "order": "id"},
        {"owner": STAFF[0]},
        {"owner": STAFF[:2], "order": "id", "descending": True},
        {"start_from": DAY, "start_before": DAY + timedelta(hours=30)},
        {"start_from": date(2026, 3, 4), "limit": 2},
        {"descending": True, "limit": 3},
        {"order": "id", "limit": 1},
        {"patient": []},
    ]
    if type_ == "Task":
        asked += [
            {"code": "measure"},
            {"code": f"{codes.CODE_MEASURE}|insulin", "owner": STAFF[1]},
            {"code": ["follow-up", "insulin"]},
            {"token": ("focus", f"Appointment/{IDS[0]}")},
        ]
    else:
        asked += [{"token": ("route", ROUTES[0])}, {"token": ("route", ROUTES[1]), "owner": STAFF[2]}]
    return asked


def naive(effective: dict[str, Any], type_: str, question: dict[str, Any]) -> list[str]:
    rest = dict(question)
    order, descending, limit = (
        rest.pop("order", "start"),
        rest.pop("descending", False),
        rest.pop("limit", None),
    )
    full = dict.fromkeys(["patient", "status", "owner", "code", "start_from", "start_before", "token"]) | rest
    asked = make_filter(type_, **full)
    found = [
        raw for raw in effective.values() if raw["resourceType"] == type_ and asked.admits(columns_of(raw))
    ]

    def key(raw: Any) -> tuple[Any, ...]:
        id_ = (len(raw["id"]) == 36, raw["id"])
        value = columns_of(raw).start
        return id_ if order == "id" else (value is not None, value or 0, id_)

    found.sort(key=key, reverse=descending)
    return [ref(raw) for raw in found][:limit]


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=operations)
def test_that_find_answers_as_a_filter_over_what_is_effective(tmp_path_factory: Any, steps: Any) -> None:
    folder: Path = tmp_path_factory.mktemp("cache")
    cache = open_cache(folder, KEY, clock=FrozenClock(DAY), events=Events())
    try:
        model = Model()
        for step, value in steps:
            cache.writer.run(lambda w, step=step, value=value: model.apply(w, step, value))
        effective = model.effective()
        with cache.reading() as reading:
            for type_ in ("Task", "Appointment"):
                for question in questions(type_):
                    found = [one.ref for one in reading.find(type_, **question)]
                    assert found == naive(effective, type_, question), question
                for status in (None, "ready", ["ready", "booked"]):
                    wanted = {"status": status} if status else {}
                    assert reading.count(type_, status=status) == len(naive(effective, type_, wanted))
            every = [f"{type_}/{id_}" for type_ in ("Task", "Appointment") for id_ in IDS]
            got = reading.get_many(every)
            assert {name: without_meta(one.raw) for name, one in got.items()} == effective
            rows = reading._execute("SELECT count(*) FROM effective").fetchone()
            assert rows[0] == len(effective)
        before = dump(cache)
        cache.writer.run(lambda w: w.rebuild_index())
        assert dump(cache) == before
    finally:
        cache.close()


def without_meta(raw: Any) -> Any:
    return {key: value for key, value in raw.items() if key != "meta"}


def dump(cache: Cache) -> list[Any]:
    """Columns, tokens and search words; numbers of codings by what they mean."""
    with cache.reading() as reading:
        run = reading._execute
        columns = run(
            'SELECT r.rid, type, id, patient, status, start, "end", c.key, owner, link, ident, sort_key '
            "FROM resource r LEFT JOIN coding c ON c.number = r.code ORDER BY rid"
        ).fetchall()
        tokens = run(
            "SELECT rid, param, CASE param WHEN 'code' THEN (SELECT key FROM coding WHERE number = value) "
            "ELSE value END AS value FROM token ORDER BY 1, 2, 3"
        ).fetchall()
        words = run("SELECT rowid FROM fts ORDER BY 1").fetchall()
        return [columns, tokens, words]


def test_that_an_index_built_anew_equals_the_one_kept_from_the_start(cache: Cache) -> None:
    maker = Maker(11)
    raws = list(maker.workplace(6, 2))
    maker.random.shuffle(raws)
    for at in range(0, len(raws), 17):
        put(cache, *map(row, raws[at : at + 17]))
    for raw in raws[::3]:
        changed = {**raw, "status": "entered-in-error"} if "status" in raw else raw
        if raw["resourceType"] == "EpisodeOfCare":
            changed = {**raw, "extension": [{"url": codes.EXT_ROOM, "valueString": "99"}], "status": "active"}
        put(cache, row(changed, "2"))
    for raw in raws[::7]:
        cache.writer.run(lambda w, raw=raw: w.remove_synced(ref(raw), Evidence(Why.AGED_OUT, DAY)))
    searches = ["a", "99", "moen", "solvik", "9", "ås", "0", "per", "201", "204"]

    def hits() -> list[Any]:
        with cache.reading() as reading:
            return [[one.ref for one in reading.search_patients([word])] for word in searches]

    before, found = dump(cache), hits()
    assert any(found)
    cache.writer.run(lambda w: w.rebuild_index())
    assert dump(cache) == before
    assert hits() == found


def test_that_an_overlay_hides_the_synced_row_and_dropping_it_brings_it_back(
    cache: Cache, make: Maker
) -> None:
    raw = make.appointment(PATIENTS[0], 0)
    put(cache, row(raw, "4"))
    cache.writer.run(lambda w: w.put_overlay(ref(raw), "op", raw | {"status": "fulfilled"}))
    found = get(cache, ref(raw))
    assert (found.raw["status"], found.version_id) == ("fulfilled", "4")
    with cache.reading() as reading:
        assert reading.synced(ref(raw)).raw == {**raw, "meta": raw["meta"] | {"versionId": "4"}}
        assert reading.synced("Nonsense/1") is None
        assert reading.synced("Task/none") is None
    cache.writer.run(lambda w: w.drop_overlay("op"))
    assert get(cache, ref(raw)).raw["status"] == raw["status"]


def test_that_a_new_resource_has_no_version_before_the_record_has_it(cache: Cache, make: Maker) -> None:
    raw = make.appointment(PATIENTS[0], 0)
    cache.writer.run(lambda w: w.put_overlay(ref(raw), "op", raw))
    assert get(cache, ref(raw)).version_id is None
    with cache.reading() as reading:
        assert [one.version_id for one in reading.find("Appointment")] == [None]


def test_that_the_newest_overlay_wins_and_taking_it_back_shows_the_one_beneath(
    cache: Cache, make: Maker
) -> None:
    raw = make.appointment(PATIENTS[0], 0)
    put(cache, row(raw))
    for op_id, status in (("a", "arrived"), ("b", "fulfilled")):
        cache.writer.run(lambda w, o=op_id, s=status: w.put_overlay(ref(raw), o, raw | {"status": s}))
    assert get(cache, ref(raw)).raw["status"] == "fulfilled"
    assert cache.writer.run(lambda w: w.base_of(ref(raw))) == (None, "b")
    cache.writer.run(lambda w: w.drop_overlay("b"))
    assert get(cache, ref(raw)).raw["status"] == "arrived"


def test_that_an_act_made_anew_lies_where_the_old_one_lay(cache: Cache, make: Maker) -> None:
    raw, other = make.appointment(PATIENTS[0], 0), make.appointment(PATIENTS[1], 3)
    put(cache, row(raw))

    def lay(writing: Any) -> None:
        for op_id in ("a", "b", "c"):
            writing.put_overlay(ref(raw), op_id, raw | {"comment": op_id})
        writing.set_in_force("c", False)
        writing.put_overlay_beneath(ref(raw), "a2", raw | {"comment": "a2"}, in_place_of="a")
        writing.put_overlay_beneath(ref(other), "a2", other, in_place_of="a")
        writing.drop_overlay("a")

    cache.writer.run(lay)
    seen = []
    for op_id in ("b", "a2"):
        seen.append(get(cache, ref(raw)).raw["comment"])
        cache.writer.run(lambda w, o=op_id: w.drop_overlay(o))
    assert seen == ["b", "a2"], "what was written later is what is shown; a proposal still is none"


def test_that_a_rolled_back_overlay_never_shows_in_a_later_one_with_its_number(
    cache: Cache, make: Maker
) -> None:
    one, two = make.appointment(PATIENTS[0], 0), make.appointment(PATIENTS[1], 3)

    def fail(writing: Any) -> None:
        writing.put_overlay(ref(one), "op", one)
        assert [c.ref for c in writing.reading.find("Appointment", patient=PATIENTS[0])] == [ref(one)]
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        cache.writer.run(fail)
    cache.writer.run(lambda w: w.put_overlay(ref(two), "op", two))
    with cache.reading() as reading:
        assert [c.ref for c in reading.find("Appointment", patient=PATIENTS[1])] == [ref(two)]


def test_that_references_of_any_form_are_understood_and_nonsense_finds_nothing(
    cache: Cache, make: Maker
) -> None:
    raw = make.patient()
    put(cache, row(raw))
    asked = f"https://record.example/fhir/{ref(raw)}/_history/3"
    with cache.reading() as reading:
        assert reading.get(asked) is not None
        assert reading.get_many(["", "Patient/", "Nonsense/1", "Patient/none", "#c", "urn:uuid:x"]) == {}


def test_that_a_mistaken_question_is_refused_with_what_may_be_asked(cache: Cache) -> None:
    with cache.reading() as reading:
        with pytest.raises(ValueError, match="declared: identifier, focus"):
            reading.find("Task", token=("nonsense", "x"))
        with pytest.raises(ValueError, match="R4 type"):
            reading.find("Nonsense")
        with pytest.raises(ValueError, match="order"):
            reading.find("Task", order="body; DROP TABLE outbox")
        with pytest.raises(ValueError, match="naive"):
            reading.find("Task", start_from=datetime(2026, 3, 3))  # noqa: DTZ001
        with pytest.raises(ValueError, match="type"):
            columns_of({})


def test_that_a_person_is_found_by_number_with_or_without_its_system(cache: Cache, make: Maker) -> None:
    raw = make.patient()
    raw["identifier"].insert(0, {"system": "urn:local", "value": "L-7"})
    number = raw["identifier"][1]["value"]
    put(cache, row(raw))
    with cache.reading() as reading:
        for value in (number, f"{codes.FNR}|{number}", "L-7", "urn:local|L-7"):
            assert [one.ref for one in reading.find("Patient", token=("identifier", value))] == [ref(raw)]
        assert list(reading.find("Patient", token=("identifier", "L-8"))) == []


def test_that_names_sort_as_the_norwegian_alphabet(cache: Cache, make: Maker) -> None:
    families = ["Ås", "Zakariassen", "Aasen", "Ærlig", "Østby", "Berg", "ås"]
    for family in families:
        put(cache, row(make.patient() | {"name": [{"family": family, "given": ["A"]}]}))
    put(cache, row(make.patient() | {"name": []}))
    with cache.reading() as reading:
        found = [
            (one.raw["name"] or [{"family": ""}])[0]["family"]
            for one in reading.find("Patient", order="sort_key")
        ]
    assert found[:5] == ["", "Berg", "Zakariassen", "Ærlig", "Østby"]
    assert {*found[5:]} == {"Ås", "ås", "Aasen"}


def test_that_freshness_is_the_oldest_mark_and_complete_only_when_every_key_is(cache: Cache) -> None:
    def fresh(*types: str) -> Freshness:
        with cache.reading() as reading:
            return reading.freshness(types)

    assert fresh("Task") == Freshness(None, False)
    assert fresh() == Freshness(None, False)
    cache.writer.run(lambda w: w.marks.set_watermark(Watermark("Task#1", "Task", DAY)))
    assert fresh("Task") == Freshness(DAY, True)
    cache.writer.run(lambda w: w.marks.set_watermark(Watermark("Task#2", "Task", None, DAY, DAY)))
    assert fresh("Task") == Freshness(DAY, False)
    older = DAY - timedelta(hours=1)
    cache.writer.run(lambda w: w.marks.set_watermark(Watermark("Task#2", "Task", older)))
    assert fresh("Task") == Freshness(older, True)
    assert fresh("Task", "Patient") == Freshness(older, False)


def test_that_the_view_for_support_shows_what_a_person_sees(cache: Cache, make: Maker) -> None:
    raw = make.appointment(PATIENTS[0], 0)
    put(cache, row(raw))
    cache.writer.run(lambda w: w.put_overlay(ref(raw), "op", raw | {"status": "fulfilled"}))
    with cache.reading() as reading:
        ((body, op_id),) = reading._execute("SELECT body, op_id FROM effective").fetchall()
        assert (orjson.loads(reading.press.unpack(body))["status"], op_id) == ("fulfilled", "op")


def test_that_a_row_tells_the_gravest_state_of_the_acts_upon_it(cache: Cache) -> None:
    with cache.reading() as reading:
        assert reading.states == {}
    assert RowState.CONFIRMED.value == "confirmed"
