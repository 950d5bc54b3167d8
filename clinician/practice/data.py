"""The data of resources/practice, read once."""

from __future__ import annotations

import tomllib
from functools import cache
from importlib.resources import files
from typing import Any


@cache
def table(name: str) -> dict[str, Any]:
    """One file of resources/practice by its name without '.toml'. Not to be changed by callers."""
    text = files("resources").joinpath("practice", f"{name}.toml").read_text("utf-8")
    return tomllib.loads(text)


@cache
def vital_codes() -> dict[str, tuple[tuple[str, str], ...]]:
    """Field of a measurement → (system, code) pairs written, from resources/codes/vitals.csv."""
    import csv

    text = files("resources").joinpath("codes", "vitals.csv").read_text("utf-8")
    found: dict[str, tuple[tuple[str, str], ...]] = {}
    for row in csv.DictReader(text.splitlines()):
        found[row["field"]] = _pairs(row["loinc"], row["snomed"])
        if row["panel_loinc"]:
            found[row["kind"]] = _pairs(row["panel_loinc"], row["panel_snomed"])
    return found


def _pairs(loinc: str, snomed: str) -> tuple[tuple[str, str], ...]:
    from clinician.fhir import codes

    return tuple((system, code) for system, code in ((codes.LOINC, loinc), (codes.SNOMED, snomed)) if code)
