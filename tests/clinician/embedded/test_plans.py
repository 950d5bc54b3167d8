"""The questions asked all day are answered from an index, in the order of change, without sorting all."""

from __future__ import annotations

import uuid

import httpx

from clinician.embedded.conditions import Translator
from clinician.embedded.query import read_query
from clinician.embedded.search import Search
from clinician.embedded.server import RecordApp

FIFTY = ",".join(str(uuid.UUID(int=n)) for n in range(50))


def plan(app: RecordApp, type_: str, *pairs: tuple[str, str]) -> str:
    query = read_query(type_, list(pairs), strict=True)
    with app.store.reading() as connection:
        search = Search(connection, Translator(app.store.clock.now()), query)
        return " | ".join(search.explain())


def test_that_the_chart_of_fifty_patients_is_read_from_its_own_index(app: RecordApp) -> None:
    told = plan(
        app, "Observation", ("patient", FIFTY), ("_lastUpdated", "ge2026-01-01"), ("_sort", "_lastUpdated")
    )
    assert "SEARCH x USING PRIMARY KEY (pid=? AND target=? AND seq>?)" in told
    assert "SCAN x" not in told


def test_that_members_of_a_workplace_are_found_by_the_reference(app: RecordApp) -> None:
    told = plan(app, "EpisodeOfCare", ("organization", "Organization/x"), ("status", "active"))
    assert "SEARCH ref USING PRIMARY KEY (pid=? AND target=?)" in told


def test_that_a_whole_type_is_read_in_the_order_of_change(app: RecordApp) -> None:
    told = plan(app, "Task", ("_sort", "_lastUpdated"), ("_lastUpdated", "ge2026-01-01"))
    assert "resource_type (type=? AND deleted=? AND seq>?)" in told
    assert "TEMP B-TREE FOR ORDER BY" not in told


def test_that_a_batch_of_quiet_questions_is_answered(http: httpx.Client) -> None:
    url = f"Observation?patient={FIFTY}&_lastUpdated=ge2026-01-01&_sort=_lastUpdated&_count=500&_total=none"
    entries = [{"request": {"method": "GET", "url": url}}] * 20
    answer = http.post("", json={"resourceType": "Bundle", "type": "batch", "entry": entries})
    assert all("entry" not in entry["resource"] for entry in answer.json()["entry"])
    assert len(answer.content) < 8 * 1024
