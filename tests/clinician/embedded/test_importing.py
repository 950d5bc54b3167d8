"""The import: takes what is sound, tells what is not, and can be run again."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import httpx
import pytest

from clinician import texts
from clinician.embedded.importing import ImportReport, import_paths
from clinician.embedded.relink import IMPORTED_ID, derived_id
from clinician.embedded.server import RecordApp
from clinician.fhir.codes import CODE_UNIT

SHARED = Path(__file__).resolve().parents[4] / "shared" / "fhir"
LINK = "urn:uuid:11111111-2222-4333-8444-555555555555"


def save(folder: Path, name: str, content: Any) -> Path:
    body = content if isinstance(content, bytes) else json.dumps(content).encode()
    path = folder / name
    path.write_bytes(
        gzip.compress(body) if name.endswith(".gz") and not body.startswith(b"\x1f\x8b") else body
    )
    return path


def seen(subject: str, **more: Any) -> dict[str, Any]:
    return {
        "resourceType": "Observation",
        "id": "vekt-1",
        "status": "final",
        "code": {"text": "vekt"},
        "subject": {"reference": subject},
    } | more


def bundle(
    *resources: dict[str, Any], kind: str = "collection", urls: tuple[str, ...] = ()
) -> dict[str, Any]:
    entries: list[dict[str, Any]] = [{"resource": raw} for raw in resources]
    for entry, url in zip(entries, urls, strict=False):
        entry["fullUrl"] = url
    return {"resourceType": "Bundle", "type": kind, "entry": entries}


def reasons(report: ImportReport) -> list[str]:
    return [refusal.reason.render("en") for refusal in report.refused]


def test_that_links_meet_across_files_under_new_ids(
    app: RecordApp, http: httpx.Client, tmp_path: Path
) -> None:
    save(tmp_path, "b.json", seen("Patient/kari"))
    save(tmp_path, "a.json", {"resourceType": "Patient", "id": "kari", "gender": "female"})
    report = import_paths(app, [tmp_path])
    assert report.created == 2
    assert not report.refused
    (entry,) = http.get("Observation?patient.gender=female").json()["entry"]
    person = http.get(entry["resource"]["subject"]["reference"]).json()
    assert person["id"] == derived_id("Patient/kari")
    assert {"system": IMPORTED_ID, "value": "Patient/kari"} in person["identifier"]


def test_that_a_resource_without_identifier_element_keeps_its_old_id_as_source(
    app: RecordApp, http: httpx.Client, tmp_path: Path
) -> None:
    raw = {"resourceType": "Binary", "id": "bilde", "contentType": "text/plain"}
    import_paths(app, [save(tmp_path, "x.json", raw)])
    stored = http.get(f"Binary/{derived_id('Binary/bilde')}?_format=json").json()
    assert stored["meta"]["source"] == f"{IMPORTED_ID}#Binary/bilde"


def test_that_a_lower_case_uuid_is_kept(app: RecordApp, http: httpx.Client, tmp_path: Path) -> None:
    id_ = LINK.removeprefix("urn:uuid:")
    import_paths(app, [save(tmp_path, "x.json", {"resourceType": "Patient", "id": id_})])
    assert "identifier" not in http.get(f"Patient/{id_}").json()


def test_that_urn_uuid_links_of_a_transaction_bundle_are_followed(
    app: RecordApp, http: httpx.Client, tmp_path: Path
) -> None:
    made = bundle({"resourceType": "Patient", "gender": "male"}, seen(LINK), kind="transaction", urls=(LINK,))
    report = import_paths(app, [save(tmp_path, "x.json.gz", made)])
    assert report.created == 2
    assert http.get(f"Observation?patient={LINK.removeprefix('urn:uuid:')}").json()["total"] == 1


def test_that_importing_twice_changes_nothing(app: RecordApp, http: httpx.Client, tmp_path: Path) -> None:
    made = bundle({"resourceType": "Patient", "gender": "male"}, seen(LINK), urls=(LINK,))
    save(tmp_path, "x.json", made)
    save(tmp_path, "y.ndjson", json.dumps({"resourceType": "Patient", "id": "ola"}).encode())
    first = import_paths(app, [tmp_path])
    position = app.store.position()
    second = import_paths(app, [tmp_path])
    assert (second.created, second.changed, second.unchanged) == (0, 0, first.created)
    assert second.episodes == 0
    assert app.store.position() == position


def test_that_lines_with_the_resource_inside_are_read(app: RecordApp, tmp_path: Path) -> None:
    lines = [
        json.dumps({"file": "a.json", "module": "core", "resource": {"resourceType": "Patient", "id": "a"}}),
        json.dumps({"resourceType": "Patient", "id": "b"}),
        "",
        json.dumps(bundle({"resourceType": "Patient", "id": "c"}, kind="searchset")),
    ]
    report = import_paths(app, [save(tmp_path, "x.ndjson.gz", "\n".join(lines).encode())])
    assert report.created == 3
    assert not report.refused


def test_that_each_refused_resource_is_told_with_its_reason_and_the_rest_is_taken(
    app: RecordApp, tmp_path: Path
) -> None:
    deep = b'{"resourceType":"Patient","extension":' + b"[" * 5000 + b"]" * 5000 + b"}"
    huge = json.dumps({"resourceType": "Binary", "contentType": "image/png", "data": "QUJD" * (13 * 2**19)})
    torn = gzip.compress(json.dumps({"resourceType": "Patient", "id": "torn"}).encode() * 50)[:-20]
    save(tmp_path, "a-good.json", {"resourceType": "Patient", "id": "god"})
    save(tmp_path, "b-broken.json", b'{"resourceType":')
    save(tmp_path, "c-deep.json", deep)
    save(tmp_path, "d-huge.json", huge.encode())
    save(tmp_path, "e-torn.json.gz", torn)
    save(tmp_path, "f-type.json", {"resourceType": "Pasient", "id": "x"})
    save(tmp_path, "g-wrong.json", {"resourceType": "Patient", "id": "feil", "gender": 7})
    save(tmp_path, "h-twice.json", b'{"resourceType":"Patient","id":"x","id":"y"}')
    save(tmp_path, "i-list.json", b"[1,2]")
    save(tmp_path, "j-empty.json", bundle(kind="batch-response"))
    deletion = {
        "resourceType": "Bundle",
        "type": "transaction",
        "entry": [{"request": {"method": "DELETE", "url": "Patient/god"}}],
    }
    save(tmp_path, "k-delete.json", deletion)
    save(tmp_path, "l-text.txt", b"not looked at")
    save(tmp_path, "z-good.json", {"resourceType": "Patient", "id": "også"[:3]})
    told: list[str] = []
    report = import_paths(app, [tmp_path, tmp_path / "missing"], report=told.append)
    assert report.created == 2
    where = [refusal.where.partition("-")[0] for refusal in report.refused]
    assert where == [*"bcdefghijk", "missing"]
    assert all(reasons(report))
    for refusal in report.refused:
        assert any(refusal.where in line for line in told)


def test_that_the_same_id_with_other_content_is_refused_the_second_time(
    app: RecordApp, http: httpx.Client, tmp_path: Path
) -> None:
    save(tmp_path, "a.json", {"resourceType": "Patient", "id": "x", "gender": "male"})
    save(tmp_path, "b.json", {"resourceType": "Patient", "id": "x", "gender": "female"})
    report = import_paths(app, [tmp_path])
    assert [refusal.where for refusal in report.refused] == ["b.json"]
    assert http.get(f"Patient/{derived_id('Patient/x')}").json()["gender"] == "male"


def test_that_a_torn_ndjson_gives_the_lines_before_the_tear(app: RecordApp, tmp_path: Path) -> None:
    lines = [
        json.dumps({"resourceType": "Patient", "id": f"p{n}", "language": str(n) * 30}) for n in range(3000)
    ]
    whole = gzip.compress("\n".join(lines).encode())
    report = import_paths(app, [save(tmp_path, "x.ndjson.gz", whole[: len(whole) // 2])])
    assert 0 < report.created < 3000
    assert len(report.refused) >= 1


def test_that_decimals_keep_their_digits(app: RecordApp, http: httpx.Client, tmp_path: Path) -> None:
    body = b'{"resourceType":"Observation","id":"v","status":"final","code":{"text":"x"},"valueQuantity":{"value":72.50}}'
    import_paths(app, [save(tmp_path, "x.json", body)])
    assert '"value":72.50' in http.get(f"Observation/{derived_id('Observation/v')}").text


def test_that_a_person_nobody_owns_is_given_to_the_first_home_care_zone(
    app: RecordApp, http: httpx.Client, tmp_path: Path
) -> None:
    zone_type = [{"coding": [{"system": CODE_UNIT, "code": "homecare-zone"}]}]
    zones = [
        {"resourceType": "Organization", "id": derived_id(n), "name": n, "type": zone_type} for n in "AB"
    ]
    app.store.load(zones)
    owned = {"resourceType": "Patient", "id": "eid"}
    episode = {
        "resourceType": "EpisodeOfCare",
        "id": "e",
        "status": "active",
        "patient": {"reference": "Patient/eid"},
        "managingOrganization": {"reference": f"Organization/{zones[1]['id']}"},
    }
    free, dead = (
        {"resourceType": "Patient", "id": "fri"},
        {"resourceType": "Patient", "id": "d", "deceasedBoolean": True},
    )
    report = import_paths(app, [save(tmp_path, "x.json", bundle(owned, episode, free, dead))])
    assert report.workplace_ref == f"Organization/{zones[0]['id']}"
    assert report.episodes == 2
    found = http.get(f"EpisodeOfCare?organization={report.workplace_ref}&status=active").json()["entry"]
    assert [one["resource"]["patient"]["reference"] for one in found] == [
        f"Patient/{derived_id('Patient/fri')}"
    ]


def test_that_a_workplace_can_be_named(app: RecordApp, http: httpx.Client, tmp_path: Path) -> None:
    place = f"Organization/{derived_id('sted')}"
    path = save(tmp_path, "x.json", {"resourceType": "Patient", "id": "a"})
    assert import_paths(app, [path], workplace_ref=place).workplace_ref == place
    assert http.get(f"EpisodeOfCare?organization={place}").json()["total"] == 1


def test_that_without_any_zone_one_is_made_so_that_nobody_is_lost(
    app: RecordApp, http: httpx.Client, tmp_path: Path
) -> None:
    report = import_paths(app, [save(tmp_path, "x.json", {"resourceType": "Patient", "id": "a"})])
    assert http.get(report.workplace_ref).json()["type"][0]["coding"][0]["code"] == "homecare-zone"


@pytest.mark.parametrize("language", texts.LANGUAGES)
def test_that_the_report_can_be_read_in_every_language(language: str) -> None:
    before = texts.language()
    texts.set_language(language)
    try:
        lines = list(ImportReport(files=2, created=3, episodes=2, workplace_ref="Organization/x").lines())
    finally:
        texts.set_language(before)
    assert len(lines) == 3
    assert all("{" not in line for line in lines)


@pytest.mark.shared
@pytest.mark.skipif(not SHARED.exists(), reason="the shared folder is not here")
def test_that_the_public_sets_come_in_and_only_their_own_slips_are_refused(
    app: RecordApp, http: httpx.Client
) -> None:
    names = ("synthea-r4", "no-lmdi", "no-vkp", "no-vitalsigns")
    report = import_paths(app, [SHARED / name for name in names])
    assert report.created > 2200
    assert len(report.refused) <= 5
    assert all(reasons(report))
    assert http.get("Patient?_summary=count").json()["total"] == 14
    assert http.get("EpisodeOfCare?status=active&_summary=count").json()["total"] == 14
    assert http.get("Observation?patient:missing=false&_summary=count").json()["total"] > 1200
