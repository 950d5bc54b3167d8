from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clinician.errors import UserProblem
from clinician.layouts.check import parse
from clinician.layouts.layout import LEVELS, Layer, ListColumn, Pane
from clinician.layouts.load import SHIPPED, Place, load, publish, take_back
from clinician.layouts.merge import merge

VIEWS = ("homecare.my-day", "homecare.zone", "homecare.user", "homecare.ledger")
COLUMNS = (
    ListColumn("homecare.zone", "name", is_locked=True),
    ListColumn("homecare.zone", "start"),
    ListColumn("homecare.zone", "title"),
)
NORD = """
schema = 1
id = "nord"
title = "Sone Nord"
[[pages]]
module = "homecare"
[[pages.panes]]
view = "homecare.my-day"
[[pages.panes]]
view = "homecare.ledger"
area = "right"
share = 30
[[lists]]
view = "homecare.zone"
columns = ["name", "title"]
"""


def read(folder: Path, place: Place | None = None) -> tuple[list[str], list[str]]:
    found = load(folder, place or Place("w", "HF", "k"), views=VIEWS, columns=COLUMNS)
    panes = [f"{p.view}@{p.area}" for p in found.layout.pages["homecare"]]
    return panes, [problem.text.render("en") for problem in found.problems]


def test_that_the_shipped_layout_stands_where_nobody_has_said_otherwise(tmp_path: Path) -> None:
    panes, problems = read(tmp_path)
    assert panes == [
        "homecare.my-day@centre",
        "homecare.zone@centre",
        "homecare.user@centre",
        "homecare.ledger@centre",
    ]
    assert problems == []


def test_that_each_level_lies_over_the_ones_beneath(tmp_path: Path) -> None:
    names = ("municipality.toml", "workplace-w.toml", "role-HF.toml", "user-k.toml")
    for count in range(1, 5):
        (tmp_path / names[count - 1]).write_text(NORD.replace("share = 30", f"share = {count}"), "utf-8")
        found = load(tmp_path, Place("w", "HF", "k"), views=VIEWS, columns=COLUMNS)
        assert found.layout.pages["homecare"][1].share == count
        assert found.layout.origin["homecare"] == LEVELS[count]
        assert found.layout.lists["homecare.zone"] == ("name", "title")
    other = load(tmp_path, Place("other"), views=VIEWS, columns=COLUMNS)
    assert other.layout.pages["homecare"][1].share == 1


def test_that_an_unknown_view_becomes_a_named_placeholder(tmp_path: Path) -> None:
    (tmp_path / "user-k.toml").write_text(NORD.replace("homecare.ledger", "gone.board"), "utf-8")
    found = load(tmp_path, Place(user_id="k"), views=VIEWS)
    assert found.layout.pages["homecare"] == (
        Pane("homecare.my-day"),
        Pane("gone.board", "right", 30, is_placeholder=True),
    )
    assert found.problems == ()


@pytest.mark.parametrize(
    ("old", "new", "word"),
    [
        ("schema = 1", "schema = ", "TOML"),
        ("schema = 1", "schema = 7", "version"),
        ('id = "nord"\n', "", "id"),
        ('title = "Sone Nord"', 'title = "Sone Nord"\ncolour = "red"', "colour"),
        ('area = "right"', 'area = "ceiling"', "place"),
        ("share = 30", "share = 300", "percent"),
        ("share = 30", "share = true", "percent"),
        ("share = 30", 'colour = "red"', "place"),
        ('view = "homecare.ledger"', "view = 5", "view"),
        ('view = "homecare.my-day"', 'view = "homecare.my-day"\narea = "left"', "centre"),
        ('module = "homecare"', 'module = "homecare"\nextra = 1', "nothing else"),
        ("[[lists]]", '[[pages]]\nmodule = "homecare"\n[[pages.panes]]\nview = "a.b"\n[[lists]]', "twice"),
        ('columns = ["name", "title"]', 'columns = ["name", "name"]', "twice"),
        ('columns = ["name", "title"]', "columns = []", "columns"),
        ('[[lists]]\nview = "homecare.zone"\ncolumns = ["name", "title"]', 'lists = "x"', "percent"),
    ],
)
def test_that_a_file_with_a_mistake_is_told_and_the_shipped_layout_stands(
    tmp_path: Path, old: str, new: str, word: str
) -> None:
    assert old in NORD
    (tmp_path / "workplace-w.toml").write_text(NORD.replace(old, new), "utf-8")
    panes, problems = read(tmp_path)
    assert len(panes) == 4
    assert len(problems) == 1 and "workplace-w.toml" in problems[0]
    assert word in problems[0] or word == "percent"
    assert (tmp_path / "workplace-w.toml").exists()


@pytest.mark.parametrize(
    "raw", ["pages = 5", "lists = 5", 'pages = ["x"]', '[[pages]]\nmodule = "m"\npanes = 5']
)
def test_that_sections_of_the_wrong_kind_are_told(raw: str) -> None:
    with pytest.raises(UserProblem):
        parse(f'schema = 1\nid = "a"\ntitle = "b"\n{raw}\n')


def test_that_a_file_that_is_no_text_is_told(tmp_path: Path) -> None:
    (tmp_path / "user-k.toml").write_bytes(b"\xff\xfe\x00")
    assert len(read(tmp_path)[1]) == 1


def test_that_a_safety_column_is_put_back_and_an_unknown_one_left_out() -> None:
    layer = Layer("x", "X", lists={"homecare.zone": ("title", "gone")})
    assert merge({"user": layer}, views=VIEWS, columns=COLUMNS).lists["homecare.zone"] == ("name", "title")


def test_that_a_superuser_publishes_and_takes_back(tmp_path: Path) -> None:
    file = tmp_path / "layouts" / "workplace-w.toml"
    publish(file, NORD, views=VIEWS, columns=COLUMNS)
    publish(file, NORD.replace("share = 30", "share = 40"), views=VIEWS, columns=COLUMNS)
    take_back(file)
    assert "share = 30" in file.read_text("utf-8")
    with pytest.raises(UserProblem):
        take_back(file)


def test_that_taking_back_the_first_layout_leaves_none(tmp_path: Path) -> None:
    file = tmp_path / "workplace-w.toml"
    publish(file, NORD, views=VIEWS, columns=COLUMNS)
    take_back(file)
    assert not file.exists()


@pytest.mark.parametrize(
    ("old", "new", "word"),
    [
        ("homecare.ledger", "gone.board", "gone.board"),
        ('["name", "title"]', '["title"]', "safety"),
        ('["name", "title"]', '["name", "moon"]', "moon"),
        ("share = 30", "share = 300", "percent"),
    ],
)
def test_that_an_invalid_layout_is_not_published_and_changes_nothing(
    tmp_path: Path, old: str, new: str, word: str
) -> None:
    file = tmp_path / "workplace-w.toml"
    publish(file, NORD, views=VIEWS, columns=COLUMNS)
    with pytest.raises(UserProblem) as caught:
        publish(file, NORD.replace(old, new), views=VIEWS, columns=COLUMNS)
    assert word in caught.value.text.render("en")
    assert file.read_text("utf-8") == NORD


@pytest.mark.parametrize("path", sorted(SHIPPED.glob("*.toml")), ids=lambda path: path.stem)
def test_that_every_shipped_layout_reads(path: Path) -> None:
    assert parse(path.read_text("utf-8")).pages


PANES = st.lists(st.builds(Pane, st.sampled_from([*VIEWS, "gone.view"])), min_size=1, max_size=4).map(tuple)
LAYERS = st.builds(
    Layer,
    st.just("x"),
    st.just("X"),
    st.dictionaries(st.sampled_from(["homecare", "physio"]), PANES),
    st.dictionaries(
        st.just("homecare.zone"),
        st.lists(st.sampled_from(["name", "start", "title", "gone"]), min_size=1, unique=True).map(tuple),
    ),
)


@given(st.dictionaries(st.sampled_from(LEVELS), LAYERS))
@settings(max_examples=150)
def test_that_the_highest_level_that_speaks_decides_and_safety_columns_stay(layers: dict[str, Layer]) -> None:
    made = merge(layers, views=VIEWS, columns=COLUMNS)
    for module, panes in made.pages.items():
        speaking = [level for level in LEVELS if level in layers and module in layers[level].pages]
        assert made.origin[module] == speaking[-1]
        assert [p.view for p in panes] == [p.view for p in layers[speaking[-1]].pages[module]]
        assert all(p.is_placeholder == (p.view not in VIEWS) for p in panes)
    assert all("name" in columns and "gone" not in columns for columns in made.lists.values())
