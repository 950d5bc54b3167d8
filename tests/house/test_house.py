"""What must be true of every file in the house."""

from __future__ import annotations

import ast
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from installer import catalogues

ROOT = Path(__file__).resolve().parents[2]
TREES = ("clinician", "ui", "modules")
TRACKED = [
    ROOT / name
    for name in subprocess.run(
        ["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.splitlines()
]
PYTHON = [path for path in TRACKED if path.suffix == ".py" and path.relative_to(ROOT).parts[0] in TREES]


def test_that_every_text_exists_in_bokmal_nynorsk_and_english() -> None:
    assert catalogues.missing() == []


def test_that_requirements_carry_hashes_and_no_addresses() -> None:
    for name in ("requirements.txt", "requirements-dev.txt"):
        text = (ROOT / name).read_text("utf-8")
        assert "--hash=sha256:" in text
        assert "://" not in text
    assert (ROOT / "uv.lock") not in TRACKED


def test_that_no_file_is_called_after_nothing() -> None:
    rooms_without_a_name = {"utils", "helpers", "common", "base", "manager"}
    assert [path.name for path in PYTHON if path.stem in rooms_without_a_name] == []


def test_that_every_folder_says_what_lives_there() -> None:
    folders = {path.parent for path in PYTHON if path.name != "__init__.py"}
    assert sorted(str(f.relative_to(ROOT)) for f in folders if not (f / "README.md").exists()) == []


@pytest.mark.parametrize("pattern", [r"type:\s*ignore(?!\[[\w\-, ]+\]\s+#\s*\S)", r"noqa(?!: [A-Z0-9, ]+)"])
def test_that_a_silenced_checker_says_why(pattern: str) -> None:
    found = [
        f"{path.relative_to(ROOT)}:{number}"
        for path in PYTHON
        for number, line in enumerate(path.read_text("utf-8").splitlines(), 1)
        if re.search(pattern, line)
    ]
    assert found == []


def test_that_the_window_is_shown_before_the_engine_is_read() -> None:
    """The shell with its sign-in needs none of these; each costs a tenth of a second and more at every start."""
    heavy = (
        "sqlalchemy",
        "httpx",
        "clinician.sync.engine",
        "reportlab",
        "ortools",
        "pyqtgraph",
        "fhir.resources",
    )
    asked = f"import sys, ui.app, ui.shell.window; print([n for n in {heavy!r} if n in sys.modules])"
    environment = {**os.environ, "QT_QPA_PLATFORM": "offscreen"}
    done = subprocess.run(
        [sys.executable, "-c", asked], cwd=ROOT, env=environment, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"


def test_that_nothing_opens_a_modal_box() -> None:
    """SCREENS: no modal boxes anywhere."""
    found = []
    for path in PYTHON:
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Name) and node.id == "QMessageBox":
                found.append(f"{path.relative_to(ROOT)}:{node.lineno} QMessageBox")
            if (
                isinstance(node, ast.Call)
                and isinstance(node.func, ast.Attribute)
                and node.func.attr == "exec"
                and path.parts[-2:] != ("ui", "app.py")
                and "measure" not in path.parts
            ):
                found.append(f"{path.relative_to(ROOT)}:{node.lineno} exec")
    assert found == []
