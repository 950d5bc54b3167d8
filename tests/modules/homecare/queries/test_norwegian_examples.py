"""Published Norwegian example observations are read with their value and unit."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from clinician.fhir import read
from modules.homecare.facts import measures
from modules.homecare.queries.measurements import value_text

FOLDER = Path(__file__).resolve().parents[5] / "shared" / "fhir"
WANTED = {
    "no-vitalsigns/Observation-no-blood-pressure-create.json": "123/78 mmHg",
    "no-vitalsigns/Observation-no-body-temperature-create.json": "37,0 °C",
    "no-vitalsigns/Observation-no-respiratory-rate-create.json": "14 /min",
    "no-vkp/Observation-vkp-blood-pressure-profile-create.json": "123/78 mmHg",
    "no-vkp/Observation-vkp-body-weight-create.json": "49,0 kg",
    "no-vkp/Observation-vkp-glucose-create.json": "6,3 mmol/l",
    "no-vkp/Observation-vkp-oxygen-saturation-create.json": "99 %",
    "no-vkp/Observation-respiratory-rate-create.json": "14 /min",
}


@pytest.mark.shared
@pytest.mark.parametrize(("name", "words"), WANTED.items())
def test_that_a_published_example_is_read(name: str, words: str) -> None:
    path = FOLDER / name
    if not path.exists():
        pytest.skip("the examples are not beside the checkout")
    raw = json.loads(path.read_text("utf-8"))
    keys = {coded.key for coded in read.codings(raw, "code")}
    (measure,) = (one for one in measures().values() if keys & set(one.codes))
    assert value_text(raw, measure) == words
