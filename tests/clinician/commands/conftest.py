from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.clinician.commands.desk import Desk


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    held = Desk(tmp_path / "cache")
    yield held
    held.cache.close()
