"""What the docs claim is kept by a test is kept by a test that exists."""

from __future__ import annotations

import ast
import re
import tomllib
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
HAZARDS = tomllib.loads((ROOT / "docs" / "hazards.toml").read_text("utf-8"))
SYNC_PAGE = ROOT / "docs" / "sync.md"
_CLAIM = re.compile(r"`(tests/[\w/]+\.py)(?:::(test_\w+))?`")
KINDS = {"impossible", "noticed"}


@cache
def named_in(path: Path) -> frozenset[str]:
    """Functions and hypothesis machines of a test file that pytest would run."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
            found.add(node.name)
    return frozenset(found)


def broken(claim: str) -> str:
    """'' where `path::name` is there to be run, else what is missing."""
    path, _, name = claim.partition("::")
    if not (ROOT / path).is_file():
        return f"{claim}: no such file"
    return "" if not name or name in named_in(ROOT / path) else f"{claim}: no such test"


@pytest.mark.parametrize("hazard", HAZARDS["hazard"], ids=lambda hazard: hazard["id"])
def test_that_every_hazard_has_a_source_a_control_and_tests_that_exist(hazard: dict[str, object]) -> None:
    assert set(hazard) == {"id", "harm", "source", "control", "kind", "tests", "left"}
    assert hazard["kind"] in KINDS
    tests = hazard["tests"]
    assert isinstance(tests, list) and tests
    assert [problem for problem in map(broken, tests) if problem] == []
    assert all(str(hazard[key]).strip() for key in ("harm", "source", "control"))


def test_that_no_hazard_is_told_twice() -> None:
    ids = [hazard["id"] for hazard in HAZARDS["hazard"]]
    assert sorted(set(ids)) == sorted(ids)


def test_that_every_rule_of_the_sync_page_names_a_test_that_exists() -> None:
    page = SYNC_PAGE.read_text("utf-8")
    claims = ["::".join(part for part in found if part) for found in _CLAIM.findall(page)]
    assert [problem for problem in map(broken, claims) if problem] == []
    rules = [line for line in page.splitlines() if re.match(r"\d+\. ", line)]
    assert rules
    bare = [rule for rule in _rules(page) if not _CLAIM.search(rule)]
    assert not bare


def _rules(page: str) -> list[str]:
    """Each numbered rule with the lines that belong to it."""
    return re.split(r"\n(?=\d+\. )", page)[1:]


def test_that_the_sync_page_stays_two_pages() -> None:
    lines = SYNC_PAGE.read_text("utf-8").splitlines()
    assert len(lines) <= 130, "a newcomer reads two pages; move reasons to docs/decisions/sync.md"
