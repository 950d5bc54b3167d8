from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.clinician.sync.world import World, setting


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    made = World(tmp_path)
    made.load(setting())
    yield made
    made.close()
