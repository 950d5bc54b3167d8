"""Every screen can be drawn, and no two are the same picture."""

from __future__ import annotations

from pathlib import Path

import pytest

from ui.measure import shots
from ui.measure.stage import build


@pytest.mark.window
def test_that_every_screen_is_drawn_in_its_own_way(tmp_path: Path) -> None:
    template = build(tmp_path / "template", people=300)
    look = shots.LOOKS[0]
    made = list(shots.take(template, look, tmp_path / "shots"))
    assert len(made) == len(shots.SCREENS)
    pictures = {path.read_bytes() for path in made}
    assert len(pictures) == len(made)
