"""One municipality of the usual size, made once."""

from __future__ import annotations

from datetime import date

import pytest

from clinician.practice.municipality import municipality
from tests.clinician.practice.reading import TownRead

DAY = date(2026, 3, 3)


@pytest.fixture(scope="session")
def town() -> TownRead:
    return TownRead(list(municipality(1, 720, DAY)), DAY)
