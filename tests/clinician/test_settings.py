from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from clinician.errors import UserProblem
from clinician.settings import Settings


def write(folder: Path, name: str, text: str) -> None:
    (folder / "settings").mkdir(exist_ok=True)
    (folder / "settings" / f"{name}.toml").write_text(text, "utf-8")


def test_that_the_level_nearest_the_person_holds(tmp_path: Path) -> None:
    write(tmp_path, "machine", '[values]\n"ui.theme" = "light"\n"ui.language" = "nn"\n')
    write(tmp_path, "workplace", '[values]\n"ui.theme" = "dark"\n')
    found = Settings.load(tmp_path)
    assert found.get("ui.theme") == "dark"
    assert found.get("ui.language") == "nn"
    found.set("ui.theme", "contrast")
    assert Settings.load(tmp_path).get("ui.theme") == "contrast"


def test_that_a_locked_key_cannot_be_set_above_the_lock(tmp_path: Path) -> None:
    write(tmp_path, "municipality", 'locked = ["ui.language"]\n[values]\n"ui.language" = "nn"\n')
    write(tmp_path, "workplace", '[values]\n"ui.language" = "nb"\n')
    found = Settings.load(tmp_path)
    assert found.get("ui.language") == "nn"
    with pytest.raises(UserProblem):
        found.set("ui.language", "nb")


@pytest.mark.parametrize("text", ["[values", "values = 3", "[values]\nx = [1]\n", "stranger = 1\n"])
def test_that_a_mistaken_file_is_told_kept_and_passed_over(tmp_path: Path, text: str) -> None:
    write(tmp_path, "machine", text)
    found = Settings.load(tmp_path)
    assert found.get("ui.theme", "light") == "light"
    assert "machine.toml" in str(found.problems[0].text)
    assert (tmp_path / "settings" / "machine.toml").read_text("utf-8") == text


def test_that_each_person_has_a_level_of_their_own(tmp_path: Path) -> None:
    found = Settings.load(tmp_path)
    found.of_user("kari")
    found.set("ui.density", "glove")
    found.of_user("per")
    assert found.get("ui.density", "normal") == "normal"
    found.of_user("kari")
    assert found.get("ui.density", "normal") == "glove"


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
@given(value=st.one_of(st.text(), st.booleans(), st.integers(-(10**9), 10**9)))
def test_that_what_is_kept_comes_back(tmp_path: Path, value: str | int | bool) -> None:
    Settings.load(tmp_path).set("homecare.x", value)
    assert Settings.load(tmp_path).of_module("homecare")["x"] == value
