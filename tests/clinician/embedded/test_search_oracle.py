"""Every search finds exactly what a plain look through all resources finds."""

from __future__ import annotations

import uuid
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from clinician.embedded.server import RecordApp
from clinician.fhir.times import period_bounds

GENDERS = ("male", "female", "other", "unknown")
FAMILIES = ("Ås", "Aas", "Åsen", "Berg", "bergli", "O'Neill", "Æble")
CODES = ("a", "b", "c")
DAYS = ("2025", "2025-03", "2025-03-01", "2025-03-01T10:00:00+01:00", "2025-03-30T02:30:00Z", "2026-01-01")
SYSTEMS = ("s1", "s2", None)


def person() -> st.SearchStrategy[dict[str, Any]]:
    identifier = st.builds(
        lambda system, value: {"value": value} | ({"system": system} if system else {}),
        st.sampled_from(SYSTEMS),
        st.sampled_from(CODES),
    )
    return st.fixed_dictionaries(
        {"identifier": st.lists(identifier, min_size=1, max_size=2)},
        optional={
            "gender": st.sampled_from(GENDERS),
            "birthDate": st.sampled_from(DAYS[:3] + DAYS[5:]),
            "name": st.lists(
                st.builds(lambda f: {"family": f}, st.sampled_from(FAMILIES)), min_size=1, max_size=2
            ),
        },
    )


def measured(people: int) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries(
        {
            "owner": st.integers(0, people - 1),
            "code": st.sampled_from(CODES),
            "value": st.integers(1, 60).map(lambda n: n / 2),
        },
        optional={"when": st.sampled_from(DAYS)},
    )


def world(people: list[dict[str, Any]], seen: list[dict[str, Any]]) -> tuple[list[Any], list[Any]]:
    patients = [
        {"resourceType": "Patient", "id": str(uuid.UUID(int=at))} | one for at, one in enumerate(people)
    ]
    observations = [
        {
            "resourceType": "Observation",
            "id": str(uuid.UUID(int=1000 + at)),
            "status": "final",
            "code": {"coding": [{"system": "loinc", "code": one["code"]}]},
            "subject": {"reference": f"Patient/{patients[one['owner']]['id']}"},
            "valueQuantity": {"value": one["value"], "unit": "kg"},
        }
        | ({"effectiveDateTime": one["when"]} if "when" in one else {})
        for at, one in enumerate(seen)
    ]
    return patients, observations


@st.composite
def worlds(draw: st.DrawFn) -> tuple[list[Any], list[Any]]:
    people = draw(st.lists(person(), min_size=1, max_size=8))
    return world(people, draw(st.lists(measured(len(people)), max_size=12)))


def folded(text: str) -> str:
    return text.casefold().replace("å", "a")


def dates(found: str | None, prefix: str, text: str) -> bool:
    if found is None:
        return False
    low, high = period_bounds(found)
    start, end = period_bounds(text)
    return {
        "": start <= low and high <= end,
        "eq": start <= low and high <= end,
        "ne": not (start <= low and high <= end),
        "gt": high > end,
        "ge": high > start,
        "lt": low < start,
        "le": low < end,
        "sa": low >= end,
        "eb": high <= start,
    }[prefix]


def numbers(value: float, prefix: str, n: int) -> bool:
    return {
        "": n - 0.5 <= value < n + 0.5,
        "ne": not n - 0.5 <= value < n + 0.5,
        "gt": value > n,
        "ge": value >= n,
        "lt": value < n,
        "le": value <= n,
    }[prefix]


def has_token(raw: Any, system: str | None, code: str | None, *, bare: bool = False) -> bool:
    return any(
        (code is None or one["value"] == code)
        and (system is None or one.get("system") == system)
        and not (bare and "system" in one)
        for one in raw["identifier"]
    )


class Ask:
    """A search as a query and as a plain condition."""

    def __init__(self, query: str, holds: Any) -> None:
        self.query, self.holds = query, holds

    def __repr__(self) -> str:
        return self.query


PATIENT_ASKS = st.one_of(
    st.sampled_from(GENDERS).map(lambda g: Ask(f"gender={g}", lambda r: r.get("gender") == g)),
    st.sampled_from(GENDERS).map(lambda g: Ask(f"gender:not={g}", lambda r: r.get("gender") != g)),
    st.lists(st.sampled_from(GENDERS), min_size=2, max_size=3).map(
        lambda gs: Ask(f"gender={','.join(gs)}", lambda r: r.get("gender") in gs)
    ),
    st.sampled_from(("true", "false")).map(
        lambda w: Ask(f"birthdate:missing={w}", lambda r: ("birthDate" not in r) == (w == "true"))
    ),
    st.sampled_from(CODES).map(lambda c: Ask(f"identifier={c}", lambda r: has_token(r, None, c))),
    st.sampled_from(CODES).map(lambda c: Ask(f"identifier=s1|{c}", lambda r: has_token(r, "s1", c))),
    st.sampled_from(CODES).map(lambda c: Ask(f"identifier=|{c}", lambda r: has_token(r, None, c, bare=True))),
    st.just(Ask("identifier=s2|", lambda r: has_token(r, "s2", None))),
    st.sampled_from(("a", "AS", "aa", "ber", "o'n", "æ", "x")).map(
        lambda t: Ask(
            f"family={t}", lambda r: any(folded(n["family"]).startswith(folded(t)) for n in r.get("name", ()))
        )
    ),
    st.sampled_from(FAMILIES).map(
        lambda t: Ask(f"family:exact={t}", lambda r: any(n["family"] == t for n in r.get("name", ())))
    ),
    st.sampled_from(("s", "er", "EL")).map(
        lambda t: Ask(
            f"family:contains={t}", lambda r: any(folded(t) in folded(n["family"]) for n in r.get("name", ()))
        )
    ),
    st.tuples(
        st.sampled_from(("", "eq", "ne", "gt", "ge", "lt", "le", "sa", "eb")), st.sampled_from(DAYS[:3])
    ).map(lambda p: Ask(f"birthdate={p[0]}{p[1]}", lambda r: dates(r.get("birthDate"), *p))),
)


@pytest.fixture(scope="module")
def shared() -> Any:
    app = RecordApp(None)
    with httpx.Client(transport=httpx.WSGITransport(app), base_url="http://record.test/") as http:
        yield app, http
    app.close()


def fill(shared: Any, resources: list[Any]) -> httpx.Client:
    """Make the record hold exactly `resources`; what was there before is deleted through the front door."""
    app, http = shared
    with app.store.reading() as connection:
        rows = connection.execute("SELECT type, id FROM resource WHERE deleted=0").fetchall()
    with app.store.writing() as writing:
        for type_, id_ in rows:
            writing.delete(type_, id_)
    app.store.load(resources)
    client: httpx.Client = http
    return client


def all_ids(http: httpx.Client, query: str) -> list[str]:
    found: list[str] = []
    path: str | None = query
    while path:
        bundle = http.get(path, headers={"Prefer": "handling=strict"}).raise_for_status().json()
        found += [e["resource"]["id"] for e in bundle.get("entry", []) if e["search"]["mode"] == "match"]
        path = next((link["url"] for link in bundle["link"] if link["relation"] == "next"), None)
    return found


MODEST = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@MODEST
@given(worlds(), st.lists(PATIENT_ASKS, min_size=1, max_size=3), st.integers(1, 5))
def test_that_a_search_of_people_finds_what_looking_through_them_finds(
    shared: Any, made: tuple[list[Any], list[Any]], asks: list[Ask], count: int
) -> None:
    patients, observations = made
    http = fill(shared, patients + observations)
    query = "&".join(ask.query for ask in asks)
    expected = sorted(raw["id"] for raw in patients if all(ask.holds(raw) for ask in asks))
    found = all_ids(http, f"Patient?{query}&_count={count}")
    assert sorted(found) == expected
    assert http.get(f"Patient?{query}&_summary=count").json()["total"] == len(expected)


@MODEST
@given(
    worlds(),
    st.sampled_from(CODES),
    st.tuples(st.sampled_from(("", "ne", "gt", "ge", "lt", "le")), st.integers(1, 30)),
    st.tuples(st.sampled_from(("", "gt", "ge", "lt", "le", "sa", "eb", "ne")), st.sampled_from(DAYS)),
)
def test_that_a_search_of_measurements_finds_what_looking_through_them_finds(
    shared: Any, made: tuple[list[Any], list[Any]], code: str, amount: Any, when: Any
) -> None:
    patients, observations = made
    http = fill(shared, patients + observations)

    def code_of(raw: Any) -> str:
        return str(raw["code"]["coding"][0]["code"])

    cases = {
        f"code=loinc|{code}": lambda r: code_of(r) == code,
        f"code:not={code}": lambda r: code_of(r) != code,
        f"value-quantity={amount[0]}{amount[1]}": lambda r: numbers(r["valueQuantity"]["value"], *amount),
        f"date={when[0]}{when[1].replace('+', '%2B')}": lambda r: dates(r.get("effectiveDateTime"), *when),
        f"patient.gender={GENDERS[0]}": lambda r: _owner(patients, r).get("gender") == GENDERS[0],
        f"subject:Patient.identifier={code}": lambda r: has_token(_owner(patients, r), None, code),
        f"patient={patients[0]['id']}": lambda r: r["subject"]["reference"].endswith(patients[0]["id"]),
        f"patient={patients[0]['id']}&code={code}&_sort=_lastUpdated": lambda r: (
            r["subject"]["reference"].endswith(patients[0]["id"]) and code_of(r) == code
        ),
    }
    for query, holds in cases.items():
        expected = sorted(raw["id"] for raw in observations if holds(raw))
        assert sorted(all_ids(http, f"Observation?{query}&_count=3")) == expected, query
    having = {raw["subject"]["reference"] for raw in observations if code_of(raw) == code}
    expected = sorted(raw["id"] for raw in patients if f"Patient/{raw['id']}" in having)
    assert sorted(all_ids(http, f"Patient?_has:Observation:patient:code={code}")) == expected


def _owner(patients: list[Any], raw: Any) -> Any:
    return next(one for one in patients if raw["subject"]["reference"].endswith(one["id"]))


@MODEST
@given(
    worlds(),
    st.sampled_from(("birthdate", "-birthdate", "family", "-gender", "gender,-birthdate")),
    st.integers(1, 4),
)
def test_that_sorted_pages_hold_everything_once_and_in_order(
    shared: Any, made: tuple[list[Any], list[Any]], sort: str, count: int
) -> None:
    patients, _ = made
    http = fill(shared, patients)
    whole = all_ids(http, f"Patient?_sort={sort}&_count=1000")
    assert sorted(whole) == sorted(raw["id"] for raw in patients)
    assert all_ids(http, f"Patient?_sort={sort}&_count={count}") == whole
    first = sort.split(",")[0]
    if first.lstrip("-") == "gender":
        by_id = {raw["id"]: raw.get("gender") for raw in patients}
        known = [by_id[id_] for id_ in whole if by_id[id_]]
        assert known == sorted(known, reverse=first.startswith("-"))
        assert all(by_id[id_] is None for id_ in whole[len(known) :])
