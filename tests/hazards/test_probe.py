"""The probe against records whose abilities are known: the table is the contract, any difference fails."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from clinician import texts
from clinician.embedded.server import RecordApp
from clinician.record.client import RecordClient, in_process
from clinician.record.probe import probe
from clinician.record.profile import ServerProfile, from_raw
from clinician.sync.together import side_by_side
from clinician.upkeep import Finding, profile_of
from tests.hazards.hazards import HAPI, Hazards
from tests.hazards.record import HazardRecord
from tests.hazards.ways import Straight, serve
from tests.record.peers import UnavailableError, sekmet

_ = texts.translator("core")
ABLE: dict[str, Any] = {
    "update_as_create": True,
    "unchanged_put_keeps_version": True,
    "if_match_alone": True,
    "if_match_in_transaction": True,
    "transaction_atomic": True,
    "if_none_match_star": True,
    "put_if_none_match": True,
    "missing_put_refused": True,
    "if_match_zero": False,
    "conditional_create": True,
    "ge_inclusive": True,
    "milliseconds": True,
    "no_cache": True,
    "no_cache_in_batch": True,
    "history": True,
    "history_deletes": True,
    "deleted_is_gone": True,
    "numeric_versions": True,
    "gzip_requests": True,
    "largest_count": 1000,
    "node_skew": 0.0,
    "websocket": False,
    "pull": "delta",
    "claim": "if-none-match",
}
"""The embedded record; the others are told by how they differ."""
PLAIN = {
    "unchanged_put_keeps_version": False,
    "if_none_match_star": False,
    "put_if_none_match": False,
    "gzip_requests": False,
    "claim": "conditional-create",
}
"""A well-behaved R4 record: If-None-Match on PUT is younger than R4 (FHIR-28495)."""
SETTINGS: dict[str, tuple[Hazards, dict[str, Any]]] = {
    "plain": (Hazards(), PLAIN),
    "409 for 412": (Hazards(conflict_status=409), PLAIN),
    "as HAPI": (
        HAPI,
        {
            "if_none_match_star": False,
            "put_if_none_match": False,
            "missing_put_refused": False,
            "if_match_zero": True,
            "conditional_create": False,
            "history_deletes": True,
            "claim": "if-match-0",
        },
    ),
    "If-None-Match": (
        Hazards(ignores_if_none_match=False),
        {"unchanged_put_keeps_version": False, "gzip_requests": False, "claim": "if-none-match"},
    ),
    "If-Match ignored": (
        Hazards(ignores_if_match=True),
        {**PLAIN, "if_match_alone": False, "missing_put_refused": False, "claim": ""},
    ),
    "If-Match ignored in transactions": (
        Hazards(ignores_if_match_in_transactions=True),
        {**PLAIN, "if_match_in_transaction": False, "transaction_atomic": False, "claim": ""},
    ),
    "half transactions": (
        Hazards(breaks_transactions=True),
        {**PLAIN, "transaction_atomic": False, "claim": ""},
    ),
    "conditional-create race": (
        Hazards(conditional_create_race=True),
        {**PLAIN, "conditional_create": False, "claim": "cas-row"},
    ),
    "opaque versions": (Hazards(opaque_versions=True), {**PLAIN, "numeric_versions": False}),
    "reuse in spite of no-cache": (
        Hazards(reuse_searches=60, ignores_no_cache=True),
        {**PLAIN, "no_cache": False, "no_cache_in_batch": False},
    ),
    "reuse in batches": (
        Hazards(reuse_searches=60, batch_ignores_no_cache=True),
        {**PLAIN, "no_cache_in_batch": False},
    ),
    "whole seconds": (Hazards(whole_seconds=True), {**PLAIN, "milliseconds": False}),
    "ge is gt": (Hazards(exclusive_ge=True), {**PLAIN, "ge_inclusive": False, "milliseconds": False}),
    "no history, no tombstones": (
        Hazards(no_history=True, no_tombstones=True),
        {**PLAIN, "history": False, "history_deletes": False, "deleted_is_gone": False},
    ),
    "two nodes": (Hazards(node_skew=(-1.5, 1.5)), {**PLAIN, "node_skew": 3.0}),
    "pages of 20": (Hazards(largest_count=20), {**PLAIN, "largest_count": 20}),
}
SEKMET = {
    "unchanged_put_keeps_version": False,
    "if_none_match_star": False,
    "put_if_none_match": False,
    "gzip_requests": False,
}
"""Its race of conditional creates stands apart: under load two of its writers can collide in its database
(tests/record/test_preconditions.py), so it differs from run to run. The claim must follow from what was found."""


def judged(profile: ServerProfile) -> dict[str, Any]:
    raw = profile.as_raw()
    raw["node_skew"] = float(round(raw["node_skew"]))  # a busy machine adds its own tenths
    return {name: raw[name] for name in ABLE}


def asked(client: RecordClient) -> ServerProfile:
    return probe(client, together=side_by_side)


def assert_clean(client: RecordClient) -> None:
    """Nothing of the probe is left that a search could find."""
    found = client.search("Basic", "_count=500").raw().get("entry", [])
    codes = [coding for one in found for coding in one["resource"].get("code", {}).get("coding", [])]
    assert not any(coding.get("code") == "probe" for coding in codes)


@contextmanager
def hazardous(hazards: Hazards) -> Iterator[RecordClient]:
    with RecordClient("http://record.local", transport=Straight(HazardRecord(hazards))) as client:
        yield client


def test_that_the_embedded_record_is_found_as_it_is() -> None:
    app = RecordApp(None)
    with in_process(app) as client:
        profile = asked(client)
        assert judged(profile) == ABLE | {"pull": "changes"}
        assert profile.may_write
        assert_clean(client)
    app.close()


@pytest.mark.parametrize("name", SETTINGS)
def test_that_each_hazard_is_found_and_nothing_else(name: str) -> None:
    hazards, differs = SETTINGS[name]
    with hazardous(hazards) as client:
        profile = asked(client)
        assert judged(profile) == ABLE | differs
        assert profile.may_write is bool(profile.claim)
        assert from_raw(profile.as_raw()) == profile
        assert_clean(client)


def test_that_sekmet_is_found_as_recorded(tmp_path: Path) -> None:
    try:
        with sekmet(tmp_path) as peer, RecordClient(peer.base) as client:
            profile = asked(client)
            found = judged(profile)
            assert found.pop("claim") == (
                "conditional-create" if found.pop("conditional_create") else "cas-row"
            )
            assert {name: value for name, value in found.items() if value != ABLE[name]} == SEKMET
            assert_clean(client)
    except UnavailableError as why:
        pytest.skip(str(why))


def lines(hazards: Hazards) -> dict[str, Finding]:
    with serve(HazardRecord(hazards)) as url:
        return {row.title: row for row in profile_of(url)}


def test_that_the_doctor_says_in_plain_words_why_medication_is_not_recorded() -> None:
    told = lines(Hazards(ignores_if_match_in_transactions=True))
    assert told[_("Medication may be recorded")].serious
    assert told[_("How two people are kept from the same dose")].detail == _("not possible with this record")
    assert told[_("Refuses to overwrite a newer version in a transaction")].serious


def test_that_the_doctor_finds_nothing_serious_with_a_plain_record() -> None:
    told = lines(Hazards())
    assert not any(row.serious for row in told.values())
    assert told[_("How changes are fetched")].detail == _("by asking often")
    assert len(told) >= 27
