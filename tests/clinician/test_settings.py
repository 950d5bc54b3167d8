from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from clinician.errors import UserProblem
from clinician.settings import Declared, Settings


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


LATE = Declared("homecare.late_after", "number", 15, minimum=5, maximum=120, level="workplace")
FACE = Declared("homecare.face", "choice", "list", choices=("list", "grid"))


def test_that_a_declared_setting_has_its_default_and_its_kind(tmp_path: Path) -> None:
    found = Settings.load(tmp_path)
    found.declare(LATE)
    found.declare(FACE)
    assert found.get("homecare.late_after") == 15
    assert found.of_module("homecare") == {"face": "list", "late_after": 15}
    found.set("homecare.face", "grid")
    assert found.get("homecare.face") == "grid"
    with pytest.raises(UserProblem):
        found.set("homecare.face", "globe")
    found.withdraw("homecare")
    assert found.get("homecare.late_after", "unknown") == "unknown"


@pytest.mark.parametrize("value", ["true", '"15"', "1", "500"])
def test_that_an_unfit_value_is_told_and_the_level_beneath_holds(tmp_path: Path, value: str) -> None:
    write(tmp_path, "municipality", '[values]\n"homecare.late_after" = 20\n')
    write(tmp_path, "workplace", f'[values]\n"homecare.late_after" = {value}\n')
    found = Settings.load(tmp_path)
    found.declare(LATE)
    assert found.get("homecare.late_after") == 20
    assert [problem.field for problem in found.problems] == ["homecare.late_after"]


def test_that_a_person_cannot_set_what_belongs_to_the_workplace(tmp_path: Path) -> None:
    write(tmp_path, "user", '[values]\n"homecare.late_after" = 30\n')
    found = Settings.load(tmp_path)
    found.declare(LATE)
    assert found.get("homecare.late_after") == 15
    with pytest.raises(UserProblem):
        found.set("homecare.late_after", 30)


def test_that_yes_no_and_text_hold_their_kind() -> None:
    assert Declared("a.b", "yes_no", True).fits(False) and not Declared("a.b", "yes_no", True).fits("no")
    assert Declared("a.b", "text", "").fits("x") and not Declared("a.b", "text", "").fits(5)
