from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Iterator
from importlib.metadata import entry_points
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from clinician import texts
from clinician.errors import Refused
from clinician.modulekit.registry import GROUP, ModuleState, Registry

SIXTH = Path(__file__).resolve().parents[2] / "sixth_module"


@pytest.fixture(scope="session")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The sixth module built and installed as its own distribution in a folder of its own."""
    room = tmp_path_factory.mktemp("sixth")
    source, target = room / "source", room / "target"
    shutil.copytree(SIXTH, source)
    command = [
        sys.executable,
        "-m",
        "pip",
        "install",
        "--quiet",
        "--no-index",
        "--no-deps",
        "--no-build-isolation",
    ]
    subprocess.run(
        [*command, "--disable-pip-version-check", "--target", str(target), str(source)],
        check=True,
        timeout=240,
    )
    return target


@pytest.fixture
def site(tmp_path: Path, installed: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder on the path with the sixth module in it; whatever a test imports is gone afterwards."""
    target = tmp_path / "site"
    shutil.copytree(installed, target)
    monkeypatch.syspath_prepend(str(target))
    before = set(sys.modules)
    yield target
    for domain in ("walkin", "other"):
        texts.unregister(domain)
    for name in set(sys.modules) - before:
        if name.partition(".")[0] in ("walkin", "other", "clone"):
            del sys.modules[name]


def strangers(registry: Registry) -> dict[str, ModuleState]:
    return {entry.id: entry.state for entry in registry.discover() if entry.distribution != "clinician"}


def edit(site: Path, old: str, new: str) -> None:
    path = site / "walkin" / "manifest.toml"
    text = path.read_text("utf-8")
    assert old in text
    path.write_text(text.replace(old, new), "utf-8")


def add(site: Path, name: str, manifest: str, code: str = "") -> None:
    """Another distribution, written the way an installer would leave it."""
    package = site / name
    package.mkdir()
    (package / "__init__.py").write_text("", "utf-8")
    (package / "manifest.toml").write_text(manifest, "utf-8")
    (package / "views.py").write_text(code, "utf-8")
    info = site / f"{name}_desk-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}-desk\nVersion: 1.0\n", "utf-8")
    (info / "entry_points.txt").write_text(f"[{GROUP}]\n{name} = {name}\n", "utf-8")


def declared(name: str, shortcut: str = "Ctrl+Shift+O") -> str:
    return f"""
    schema = 1
    id = "{name}"
    version = "1.0"
    title = "Other"
    summary = "Another one"
    owner = "Somebody"
    [[views]]
    id = "page"
    title = "Page"
    factory = "{name}.views:make"
    [[actions]]
    id = "open"
    title = "Open"
    view = "page"
    shortcut = "{shortcut}"
    """


def test_that_a_module_of_another_distribution_is_found_by_the_same_door(site: Path) -> None:
    registry = Registry()
    assert strangers(registry) == {"walkin": ModuleState.CHECKED}
    entry = registry.entry("walkin")
    assert entry is not None and entry.manifest is not None
    assert (entry.distribution, entry.manifest.version) == ("walkin-desk", "2.1.0")
    assert "homecare" in {e.id for e in registry.entries()}


def test_that_nothing_of_a_module_is_imported_before_its_first_use(site: Path) -> None:
    registry = Registry()
    registry.discover()
    assert not [name for name in sys.modules if name.startswith("walkin.")]
    registry.resolve("walkin", "walkin.views:make")
    assert "walkin.views" in sys.modules


def test_that_the_module_works_with_what_it_is_handed(site: Path) -> None:
    registry = Registry()
    registry.discover()
    reading = SimpleNamespace(find=lambda type_, *, status: [SimpleNamespace(ref=f"{type_}/a")])
    context: Any = SimpleNamespace(queries=SimpleNamespace(now=lambda query: query(reading)))
    assert registry.resolve("walkin", "walkin.views:make")(context) == ("Appointment/a",)
    entry = registry.entry("walkin")
    assert entry is not None and entry.state is ModuleState.ACTIVE


def test_that_its_texts_come_from_its_own_catalogues(site: Path) -> None:
    registry = Registry()
    registry.discover()
    entry = registry.entry("walkin")
    assert entry is not None and entry.manifest is not None
    title = entry.manifest.title_text(entry.manifest.title)
    assert (title.render("nb"), title.render("nn"), title.render("en")) == (
        "Ventende uten time",
        "Ventande utan time",
        "Walk-in desk",
    )


def test_that_switched_off_it_leaves_nothing_behind(site: Path) -> None:
    registry = Registry()
    registry.discover()
    registry.resolve("walkin", "walkin.views:make")
    entry = registry.entry("walkin")
    assert entry is not None and entry.manifest is not None
    title = entry.manifest.title_text(entry.manifest.title)
    registry.switch("walkin", False)
    assert not [name for name in sys.modules if name.partition(".")[0] == "walkin"]
    assert title.render("nb") == "Walk-in desk"
    assert "walkin" not in {manifest.id for manifest in registry.manifests()}
    assert entry.resolved == {}
    with pytest.raises(Refused):
        registry.resolve("walkin", "walkin.views:make")


def test_that_it_can_be_switched_on_again(site: Path) -> None:
    registry = Registry(off=["walkin"])
    assert strangers(registry) == {"walkin": ModuleState.OFF}
    registry.switch("walkin", True)
    assert registry.resolve("walkin", "walkin.views:make") is not None


def test_that_an_uninstalled_module_is_let_go(site: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    registry = Registry()
    registry.discover()
    registry.resolve("walkin", "walkin.views:make")
    shutil.rmtree(site)
    assert strangers(registry) == {}
    assert "walkin.views" not in sys.modules
    with pytest.raises(Refused):
        registry.switch("walkin", True)


def test_that_a_module_not_allowed_here_is_neither_offered_nor_usable(site: Path) -> None:
    registry = Registry(allow=lambda manifest: manifest.id != "walkin")
    registry.discover()
    assert "walkin" not in {manifest.id for manifest in registry.manifests()}
    with pytest.raises(Refused):
        registry.resolve("walkin", "walkin.views:make")


@pytest.mark.parametrize(
    ("old", "new", "word"),
    [
        ('title = "Walk-in desk"\nsummary', 'summary = "twice"\nsummary', "TOML"),
        ("schema = 1", "schema = 9", "version"),
        ('icon = "door"', 'colour = "red"', "colour"),
        ('id = "walkin"', 'id = "another"', "calls itself"),
        ("walkin.views:make", "walkin.views:absent", "absent"),
        ("walkin.views:make", "walkin.absent:make", "absent"),
        ("walkin.views:make", "os:remove", "os:remove"),
        ('type = "Appointment"', 'type = "Visit"', "Visit"),
        ('file = "layouts/desk.toml"', 'file = "layouts/gone.toml"', "gone"),
    ],
)
def test_that_a_broken_module_is_shown_as_broken_with_a_readable_reason(
    site: Path, old: str, new: str, word: str
) -> None:
    edit(site, old, new)
    registry = Registry()
    assert strangers(registry) == {"walkin": ModuleState.BROKEN}
    entry = registry.entry("walkin")
    assert entry is not None and entry.problem is not None
    assert word in entry.problem.render("en")
    with pytest.raises(Refused):
        registry.switch("walkin", True)


def test_that_a_broken_module_stops_no_other(site: Path) -> None:
    edit(site, "schema = 1", "schema = 9")
    add(site, "other", declared("other"), "def make(ctx):\n    return ctx\n")
    registry = Registry()
    assert strangers(registry) == {"other": ModuleState.CHECKED, "walkin": ModuleState.BROKEN}
    assert registry.resolve("other", "other.views:make")("whole") == "whole"


def test_that_a_module_without_manifest_or_with_code_that_does_not_read_is_broken(site: Path) -> None:
    add(site, "other", declared("other"), "def make(:\n")
    (site / "walkin" / "manifest.toml").unlink()
    registry = Registry()
    assert set(strangers(registry).values()) == {ModuleState.BROKEN}


def test_that_a_module_that_fails_at_first_use_is_shown_as_broken_from_then_on(site: Path) -> None:
    add(site, "other", declared("other"), "def make(ctx):\n    return ctx\n\nraise RuntimeError('secret')\n")
    registry = Registry()
    registry.discover()
    with pytest.raises(Refused) as caught:
        registry.resolve("other", "other.views:make")
    assert "secret" not in caught.value.detail
    entry = registry.entry("other")
    assert entry is not None and entry.state is ModuleState.BROKEN
    assert "other.views" not in sys.modules
    assert registry.resolve("walkin", "walkin.views:make")


def test_that_two_modules_cannot_have_the_same_key_until_one_is_off(site: Path) -> None:
    add(site, "other", declared("other", "Ctrl+Shift+W"), "def make(ctx):\n    return ctx\n")
    registry = Registry()
    assert strangers(registry) == {"other": ModuleState.CHECKED, "walkin": ModuleState.BROKEN}
    entry = registry.entry("walkin")
    assert entry is not None and entry.problem is not None and "Ctrl+Shift+W" in str(entry.problem)
    registry.switch("other", False)
    assert registry.entry("walkin") is not None and entry.state is ModuleState.CHECKED
    assert registry.resolve("walkin", "walkin.views:make")


def test_that_a_name_already_taken_goes_to_the_built_in_one(site: Path) -> None:
    add(
        site,
        "clone",
        declared("homecare").replace("homecare.views", "clone.views"),
        "def make(ctx):\n    return ctx\n",
    )
    (site / "clone_desk-1.0.dist-info" / "entry_points.txt").write_text(
        f"[{GROUP}]\nhomecare = clone\n", "utf-8"
    )
    registry = Registry()
    registry.discover()
    entry = registry.entry("homecare")
    assert entry is not None and entry.package == "modules.homecare"


def test_that_an_unknown_module_cannot_be_switched(site: Path) -> None:
    with pytest.raises(Refused):
        Registry().switch("nonsense", False)


def test_that_the_test_itself_left_nothing_behind() -> None:
    assert "walkin" not in {point.name for point in entry_points(group=GROUP)}
    assert texts.catalogue("walkin", "nb").gettext("Walk-in desk") == "Walk-in desk"
