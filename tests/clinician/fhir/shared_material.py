"""Real public FHIR data beside the checkout; tests that need it skip where it is absent."""

from __future__ import annotations

import gzip
import json
import os
from functools import cache
from pathlib import Path
from typing import Any

import pytest

FOLDER = (
    Path(os.environ.get("CLINICIAN_SHARED", str(Path(__file__).resolve().parents[4] / "shared"))) / "fhir"
)
needs_shared = pytest.mark.skipif(not FOLDER.exists(), reason="no material beside the checkout")


@cache
def official_examples() -> tuple[tuple[str, dict[str, Any]], ...]:
    """(file, resource) of HL7's own R4 examples."""
    with gzip.open(FOLDER / "r4-official-examples.ndjson.gz", "rt", encoding="utf-8") as lines:
        rows = [json.loads(line) for line in lines]
    return tuple((row["file"], row["resource"]) for row in rows)


@cache
def norwegian_examples() -> tuple[tuple[str, dict[str, Any]], ...]:
    """(file, resource) of the Norwegian guides' examples, bundles opened too."""
    found = []
    for path in sorted(FOLDER.glob("no-*/*.json")):
        raw = json.loads(path.read_text("utf-8"))
        found.append((path.name, raw))
        found += [(path.name, e["resource"]) for e in raw.get("entry", ()) if "resource" in e]
    return tuple(found)


@cache
def synthea_examples() -> tuple[dict[str, Any], ...]:
    """Every resource of the Synthea bundles."""
    found = []
    for path in sorted(FOLDER.glob("synthea-r4/*.json.gz")):
        bundle = json.loads(gzip.decompress(path.read_bytes()))
        found += [e["resource"] for e in bundle["entry"]]
    return tuple(found)
