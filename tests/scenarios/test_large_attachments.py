"""A large document from one PC to another through a record over HTTP: held in memory only while shown."""

from __future__ import annotations

import random
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

import orjson
import pytest

from clinician.record.client import RecordClient
from tests.clinician.sync.files import PNG
from tests.clinician.sync.world import first, patient_with_visits, setting
from tests.scenarios.processes import Child, Memory

MEBIBYTE = 1024 * 1024
AT_A_PC = 16 * MEBIBYTE
"""Chunks of 1 MiB in a few hands, the pages of the cache, and what the allocator keeps: not a share of the
document, the same for 20 MiB and for 49."""
AT_THE_RECORD = 48 * MEBIBYTE
"""The embedded record gives each connection to its database 32 MB of pages, whatever lies in them."""

pytestmark = pytest.mark.skipif(
    not Path("/proc/self/clear_refs").exists(), reason="only Linux tells the highest point of a process"
)


@pytest.fixture
def record(tmp_path: Path) -> Iterator[tuple[Child, str]]:
    child = Child(
        "tests.scenarios.record_process", str(tmp_path / "record.sqlite"), "0", log=tmp_path / "log"
    )
    yield child, f"http://127.0.0.1:{child.first['port']}"
    child.end()


def filled(url: str) -> str:
    """The patient there."""
    raws = [*setting(), *patient_with_visits()]
    with RecordClient(url) as client:
        for raw in raws:
            assert client.put(f"{raw['resourceType']}/{raw['id']}", orjson.dumps(raw)).status == 201
    return first(raws, "Patient")


def large_file(path: Path, size: int) -> str:
    """A picture of about so many bytes; its SHA-256."""
    digest, noise = sha256(PNG), random.Random(3)
    with path.open("wb") as out:
        out.write(PNG)
        for _ in range(size // MEBIBYTE):
            piece = noise.randbytes(MEBIBYTE)
            digest.update(piece)
            out.write(piece)
    return digest.hexdigest()


@pytest.mark.parametrize(
    "size", [20 * MEBIBYTE, pytest.param(49 * MEBIBYTE, marks=pytest.mark.soak)], ids=["20 MiB", "49 MiB"]
)
def test_that_memory_does_not_grow_with_the_document(
    tmp_path: Path, record: tuple[Child, str], size: int
) -> None:
    served, url = record
    patient, digest = filled(url), large_file(tmp_path / "picture.png", size)
    grew: dict[str, int] = {}
    sender = Child("tests.scenarios.attachment_process", str(tmp_path / "a"), url, log=tmp_path / "log")
    at_record = Memory(served.pid)
    sent = sender.ask("send", file=str(tmp_path / "picture.png"), patient=patient)
    grew |= {"sender": sent["grew"], "record, taking it": at_record.grew}
    sender.end()
    reader = Child("tests.scenarios.attachment_process", str(tmp_path / "b"), url, log=tmp_path / "log")
    at_record = Memory(served.pid)
    fetched = reader.ask("fetch", document=sent["answer"])
    grew |= {"reader": fetched["grew"], "record, giving it": at_record.grew}
    shown = reader.ask("read", document=sent["answer"])
    reader.end()
    assert (fetched["answer"], shown["answer"]) == (True, digest)
    grew |= {"reader, showing it": shown["grew"]}
    print("\n".join(f"{size >> 20} MiB, {who}: {bytes_ / MEBIBYTE:.1f} MiB" for who, bytes_ in grew.items()))
    assert max(grew["sender"], grew["reader"]) < AT_A_PC
    assert max(grew["record, taking it"], grew["record, giving it"]) < AT_THE_RECORD
    assert grew["reader, showing it"] < size * 1.3 + AT_A_PC
