"""History of a resource, a type and everything: RECORD §1 points 5 and 10."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qs, urlsplit

from tests.record.peers import Peer, fresh, patient


def entries(record: Peer, path: str) -> list[dict[str, Any]]:
    answer = record.get(path)
    assert answer.status_code == 200, answer.text
    return list(answer.json().get("entry", []))


def versions(found: list[dict[str, Any]]) -> list[str]:
    return [entry["resource"]["meta"]["versionId"] for entry in found if "resource" in entry]


def test_that_the_history_of_a_resource_is_newest_first_and_whole(record: Peer) -> None:
    raw = patient()
    for gender in ("male", "female", "other"):
        record.put(raw | {"gender": gender})
    record.delete(f"Patient/{raw['id']}")
    found = entries(record, f"Patient/{raw['id']}/_history")
    assert found[0]["request"]["method"] == "DELETE"
    assert "resource" not in found[0]
    assert versions(found) == ["3", "2", "1"]
    assert [entry["resource"]["gender"] for entry in found[1:]] == ["other", "female", "male"]


def test_that_a_history_entry_tells_what_happened(record: Peer) -> None:
    raw = patient()
    record.put(raw)
    (entry,) = entries(record, f"Patient/{raw['id']}/_history")
    assert entry["request"]["method"] in ("PUT", "POST")
    assert entry["request"]["url"].startswith("Patient")
    assert entry["response"]["etag"] == 'W/"1"'
    assert entry["response"]["status"].startswith("201")


def test_that_since_is_inclusive_and_leaves_out_what_is_older(record: Peer) -> None:
    old, new = patient(), patient()
    record.put(old)
    _next_instant(record, old)
    stamp = record.put(new).json()["meta"]["lastUpdated"]
    found = {
        entry["resource"]["id"] for entry in entries(record, f"Patient/_history?_since={stamp}&_count=1000")
    }
    assert new["id"] in found
    assert old["id"] not in found


def _next_instant(record: Peer, raw: dict[str, Any]) -> None:
    """Write until the record's clock has moved past the stamp of `raw`."""
    stamp = record.get(f"Patient/{raw['id']}").json()["meta"]["lastUpdated"]
    while record.put(patient()).json()["meta"]["lastUpdated"] <= stamp:
        pass


def test_that_the_history_of_a_type_shows_deletions(record: Peer) -> None:
    raw = patient()
    stamp = record.put(raw).json()["meta"]["lastUpdated"]
    record.delete(f"Patient/{raw['id']}")
    found = entries(record, f"Patient/_history?_since={stamp}&_count=1000")
    mine = [entry for entry in found if raw["id"] in entry.get("fullUrl", "") + entry["request"]["url"]]
    assert mine[0]["request"]["method"] == "DELETE"


def test_that_the_history_of_everything_holds_every_type(record: Peer) -> None:
    raw = patient()
    stamp = record.put(raw).json()["meta"]["lastUpdated"]
    task = {"resourceType": "Task", "id": fresh(), "status": "ready", "intent": "order"}
    record.put(task)
    found = {entry["resource"]["id"] for entry in entries(record, f"_history?_since={stamp}&_count=1000")}
    assert {raw["id"], task["id"]} <= found


def test_that_the_next_link_of_a_history_keeps_every_parameter(record: Peer) -> None:
    raw = patient()
    stamp = record.put(raw).json()["meta"]["lastUpdated"]
    for gender in ("male", "female", "other", "unknown"):
        record.put(raw | {"gender": gender})
    bundle = record.get(f"Patient/{raw['id']}/_history?_since={stamp}&_count=2").json()
    following = next(link["url"] for link in bundle["link"] if link["relation"] == "next")
    kept = parse_qs(urlsplit(following).query)
    assert kept.get("_since") == [stamp]
    assert kept.get("_count") == ["2"]


def test_that_following_next_links_gives_every_version_once(record: Peer) -> None:
    raw = patient()
    for at in range(7):
        record.put(raw | {"birthDate": f"194{at}-01-01"})
    path: str | None = f"Patient/{raw['id']}/_history?_count=3"
    found: list[str] = []
    while path:
        bundle = record.get(path).json()
        found += versions(bundle["entry"])
        path = next((link["url"] for link in bundle["link"] if link["relation"] == "next"), None)
    assert found == ["7", "6", "5", "4", "3", "2", "1"]


def test_that_the_history_of_what_never_was_is_404(record: Peer) -> None:
    assert record.get(f"Patient/{fresh()}/_history").status_code == 404
