"""Finding people as they are typed: prefixes, any order, any spelling."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clinician.cache.folding import fold, typed_words
from clinician.cache.open import Cache
from clinician.fhir import codes
from tests.clinician.cache.samples import Maker, row
from tests.clinician.cache.test_synced_rows import put, ref


def person(make: Maker, given_: str, family: str, **rest: Any) -> dict[str, Any]:
    return make.patient() | {"name": [{"use": "official", "family": family, "given": [given_]}]} | rest


def search(cache: Cache, typed: str, limit: int = 50) -> list[str]:
    with cache.reading() as reading:
        return [one.ref for one in reading.search_patients(typed.split(), limit=limit)]


@pytest.mark.parametrize(
    ("stored", "typed"),
    [
        ("Åse Aasen", "ase asen"),
        ("Åse Aasen", "Aase Åsen"),
        ("Ase Asen", "åse aas"),
        ("Bjørn Sæther", "bjorn saether"),
        ("Bjørn Sæther", "sæ bjø"),
        ("Øyvind Ødegård", "oyvind odegaard"),
        ("Áile Hætta", "aile haetta"),
        ("Máret Čáppa", "maret cap"),
        ("Ŋiillas Đoarri", "niil doa"),
        ("André Müller", "andre mul"),
        ("Anne-Grethe O'Brien", "anne grethe obr"),
        ("Anne-Grethe Li", "li anne-gr"),
    ],
)
def test_that_a_name_is_found_however_it_is_spelled(
    cache: Cache, make: Maker, stored: str, typed: str
) -> None:
    given_, family = stored.split()
    raw = person(make, given_, family)
    put(cache, row(raw), row(person(make, "Zz", "Zz")))
    assert search(cache, typed) == [ref(raw)]


def test_that_number_birth_date_phone_address_and_room_are_found(cache: Cache, make: Maker) -> None:
    raw = person(make, "Astrid", "Moen", birthDate="1942-03-12")
    raw["identifier"][0]["value"] = "12834212345"
    raw["telecom"][0]["value"] = "912 34 567"
    raw["address"][0]["line"] = ["Kongens gate 4, 2. etg"]
    put(cache, row(raw), row(make.episode(ref(raw), "214 B")))
    typed_forms = ("12834212345", "128342 ast", "12.03.1942", "12.3.1942", "120342", "1942-03-12", "1942")
    for typed in (*typed_forms, "91234567", "kongens 4", "214", "moen 214", "b 214 ast"):
        assert search(cache, typed) == [ref(raw)], typed
    for typed in ("", " ", "13.03.1942", "215", "moen 215", "...", "*", '"', "AND", "moen OR x"):
        assert search(cache, typed) == [], typed


def test_that_a_room_is_found_whichever_comes_first_and_forgotten_when_the_stay_ends(
    cache: Cache, make: Maker
) -> None:
    raw = person(make, "Ola", "Berg")
    stay = make.episode(ref(raw), "301")
    put(cache, row(stay))
    put(cache, row(raw))
    assert search(cache, "301 ola") == [ref(raw)]
    put(cache, row(make.episode(ref(raw)) | {"id": stay["id"]}, "2"))
    assert search(cache, "301") == []
    put(cache, row(stay | {"status": "finished"}, "3"))
    assert search(cache, "301") == []
    other = person(make, "Kari", "Berg")
    put(cache, row(other), row(stay | {"patient": {"reference": ref(other)}}, "4"))
    assert search(cache, "301") == [ref(other)]


def test_that_hits_come_by_name_and_stop_at_the_limit(cache: Cache, make: Maker) -> None:
    people = [person(make, given_, "Vik") for given_ in ("Ø", "B", "A", "C")]
    put(cache, *map(row, people))
    wanted = [ref(people[n]) for n in (2, 1, 3, 0)]
    assert search(cache, "vik") == wanted
    assert search(cache, "vik", limit=2) == wanted[:2]


def test_that_what_was_changed_on_this_pc_is_found_at_once(cache: Cache, make: Maker) -> None:
    raw = person(make, "Kari", "Lund")
    stay = make.episode(ref(raw), "101")
    put(cache, row(raw), row(stay))
    new = person(make, "Nils", "Lund")
    cache.writer.run(
        lambda w: w.put_overlay(ref(raw), "a", raw | {"name": [{"family": "Dahl", "given": ["Kari"]}]})
    )
    cache.writer.run(lambda w: w.put_overlay(ref(new), "b", new))
    assert search(cache, "lund") == [ref(new)]
    assert search(cache, "dahl 101") == [ref(raw)]
    moved = stay | {"extension": [{"url": codes.EXT_ROOM, "valueString": "202"}]}
    cache.writer.run(lambda w: w.put_overlay(ref(stay), "c", moved))
    assert search(cache, "dahl 101") == []
    assert search(cache, "dahl 202") == [ref(raw)]
    cache.writer.run(lambda w: w.drop_overlay("a"))
    assert search(cache, "lund 202") == [ref(raw)]
    cache.writer.run(lambda w: w.put_overlay("EpisodeOfCare/e", "d", make.episode("Patient/nobody", "303")))
    assert search(cache, "303") == []


@settings(max_examples=200, deadline=None)
@given(text=st.text(max_size=20))
def test_that_folding_is_whole_and_never_leaves_an_upper_case_letter(text: str) -> None:
    folded = fold(text)
    assert fold(folded.replace("aa", "a")) is not None
    assert folded == folded.casefold() or not folded.isascii()


def test_that_any_typed_text_is_searched_without_an_error(cache: Cache, make: Maker) -> None:
    put(cache, row(make.patient()))

    @settings(max_examples=150, deadline=None)
    @given(text=st.text(max_size=15))
    def run(text: str) -> None:
        search(cache, text)

    run()


def test_that_days_typed_in_parts_are_read_as_prefixes_of_the_number() -> None:
    assert typed_words(["3.3"]) == ["0303"]
    assert typed_words(["3/12/42"]) == ["031242"]
