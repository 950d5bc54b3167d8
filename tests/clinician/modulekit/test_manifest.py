from __future__ import annotations

from pathlib import Path

import pytest

from clinician.errors import UserProblem
from clinician.modulekit.manifest import parse

ROOT = Path(__file__).resolve().parents[3]
WHOLE = """
schema = 1
id = "ward"
version = "1.0.0"
title = "Ward"
summary = "The ward"
owner = "Somebody"
[needs]
record = ["Task.crsu", "Patient.rs"]
server = ["transaction"]
[[sync]]
type = "Task"
search = "owner={organization}&period=ge{date}"
[[views]]
id = "list"
title = "List"
factory = "ward.views:make"
[[actions]]
id = "done"
title = "Done"
command = "ward.commands:Done"
shortcut = "Space"
places = ["row"]
enabled_when = ["one_row"]
[[actions]]
id = "open"
title = "Open"
view = "list"
shortcut = "Ctrl+Shift+L"
[[columns]]
id = "room"
title = "Room"
field = "room_text"
view = "list"
locked = true
[[jobs]]
id = "plan"
title = "Plan"
function = "ward.jobs:plan"
[[reports]]
id = "paper"
title = "Paper"
function = "ward.reports:paper"
[[settings]]
id = "late_after"
title = "Late after"
kind = "number"
default = 15
"""

FAULTS = [
    ("owner = \"Somebody\"\n", "", "owner", "missing"),
    ("schema = 1", "schema = 2", "schema", "version"),
    ("id = \"ward\"", "id = \"Ward 7\"", "id", "written"),
    ("title = \"Ward\"", "title = 5", "title", "kind"),
    ("title = \"Ward\"", "title = \"\"", "title", "empty"),
    ("title = \"Ward\"", f"title = \"{'x' * 300}\"", "title", "long"),
    ("owner = \"Somebody\"", "owner = \"Somebody\"\ncolour = \"red\"", "colour", "not known"),
    ("\"Task.crsu\"", "\"Task.xy\"", "needs.record.0", "written"),
    ("\"Task.crsu\"", "\"Tusk.crsu\"", "needs", "permission"),
    ("\"Task.crsu\"", "\"Task.rss\"", "needs", "permission"),
    ("\"Task.crsu\"", "\"Task.cu\"", "sync", "permission"),
    ("type = \"Task\"", "type = \"Visit\"", "sync", "Visit"),
    ("{organization}", "{zone}", "sync", "placeholder"),
    ("server = [\"transaction\"]", "server = [\"magic\"]", "needs.server.0", "allowed"),
    ("ward.views:make", "ward.views.make", "views.0.factory", "written"),
    ("view = \"list\"\nshortcut", "view = \"map\"\nshortcut", "open.view", "map"),
    ("view = \"list\"\nshortcut", "view = \"list\"\ncommand = \"ward.c:D\"\nshortcut", "actions.1", "both"),
    ("Ctrl+Shift+L", "control shift l", "actions.1.shortcut", "written"),
    ("[\"one_row\"]", "[\"moonlight\"]", "actions.0.enabled_when.0", "allowed"),
    ("default = 15", "default = \"soon\"", "settings.late_after", "default"),
    ("default = 15", "default = true", "settings.late_after", "default"),
    ("[[jobs]]", "[[views]]\nid = \"list\"\ntitle = \"Twice\"\nfactory = \"a:b\"\n[[jobs]]", "views.list", "twice"),
    ("[[columns]]", "[[actions]]\nid = \"again\"\ntitle = \"Again\"\nview = \"list\"\nshortcut = \"Ctrl+Shift+L\"\n[[columns]]", "actions.shortcut", "two actions"),
    ("schema = 1", "schema = ", "", "TOML"),
]  # fmt: skip


def test_that_a_search_may_name_the_id_of_the_workplace_alone() -> None:
    text = WHOLE.replace("owner={organization}", "owner=HealthcareService/{organization_id}")
    assert parse(text).sync[0].search.startswith("owner=HealthcareService/{organization_id}")


def test_that_a_whole_manifest_reads_with_its_defaults() -> None:
    manifest = parse(WHOLE)
    view = manifest.view("list")
    assert view is not None and (view.kind, view.patient, view.area, view.many) == (
        "page",
        "none",
        "centre",
        False,
    )
    assert manifest.view("map") is None
    assert [where for where, _ in manifest.callables()] == [
        "views.list",
        "actions.done",
        "jobs.plan",
        "reports.paper",
    ]
    assert (manifest.domain, manifest.columns[0].locked, manifest.settings[0].default) == ("ward", True, 15)


@pytest.mark.parametrize(("old", "new", "field", "word"), FAULTS, ids=[f"{f[2]} {f[3]}" for f in FAULTS])
def test_that_every_mistake_is_told_with_its_place(old: str, new: str, field: str, word: str) -> None:
    assert old in WHOLE
    with pytest.raises(UserProblem) as caught:
        parse(WHOLE.replace(old, new, 1))
    assert caught.value.field == field
    assert word in caught.value.text.render("en")


def test_that_several_mistakes_are_told_at_once() -> None:
    with pytest.raises(UserProblem) as caught:
        parse(WHOLE.replace('title = "Ward"', "title = 5").replace('version = "1.0.0"', 'version = "new"'))
    assert "title" in caught.value.text.render("en") and "version" in caught.value.text.render("en")


def test_that_a_choice_must_hold_its_default() -> None:
    choice = (
        '[[settings]]\nid = "face"\ntitle = "Face"\nkind = "choice"\ndefault = "c"\nchoices = ["a", "b"]\n'
    )
    with pytest.raises(UserProblem):
        parse(WHOLE + choice)
    assert parse(WHOLE + choice.replace('"c"', '"a"')).settings[1].choices == ["a", "b"]


@pytest.mark.parametrize(
    "path", sorted((ROOT / "modules").glob("*/manifest.toml")), ids=lambda path: path.parent.name
)
def test_that_every_built_in_manifest_reads(path: Path) -> None:
    assert parse(path.read_text("utf-8")).id == path.parent.name
