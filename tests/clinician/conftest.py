"""A practice municipality, made once a process and copied for each test that works in it."""

from __future__ import annotations

import shutil
from datetime import date
from pathlib import Path

import pytest

from clinician.practice.create import create
from clinician.workstation import Options, Workstation

DAY = date(2026, 11, 18)
"""A Wednesday outside every holiday."""


@pytest.fixture(scope="session")
def untouched_town(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """300 inhabitants, and no cache yet."""
    folder = tmp_path_factory.mktemp("town")
    create(folder, seed=1, people=300, day=DAY)
    return folder


@pytest.fixture(scope="session")
def town(untouched_town: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same, with a cache that has seen all of it."""
    folder = tmp_path_factory.mktemp("seen") / "town"
    shutil.copytree(untouched_town, folder)
    with Workstation.open(Options(folder)) as station:
        station.sync_once()
    return folder


@pytest.fixture
def folder(town: Path, tmp_path: Path) -> Path:
    """A PC of that town, for one test."""
    return Path(shutil.copytree(town, tmp_path / "pc"))
