from __future__ import annotations

from pathlib import Path

from clinician.modulekit.manifest import parse
from clinician.modulekit.module_settings import declare_settings
from clinician.settings import Settings

SIXTH = Path(__file__).resolve().parents[2] / "sixth_module" / "walkin" / "manifest.toml"


def test_that_a_modules_settings_are_declared_and_withdrawn(tmp_path: Path) -> None:
    settings = Settings.load(tmp_path)
    declare_settings(settings, parse(SIXTH.read_text("utf-8")))
    assert settings.of_module("walkin") == {"shown_minutes": 30}
    settings.withdraw("walkin")
    assert settings.of_module("walkin") == {}
