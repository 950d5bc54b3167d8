from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from clinician.cache.open import Cache, open_cache
from clinician.clock import FrozenClock
from clinician.events import CacheChanged, Events
from tests.clinician.cache.samples import DAY, Maker

KEY = bytes(range(32))


@pytest.fixture
def clock() -> FrozenClock:
    return FrozenClock(DAY)


@pytest.fixture
def events() -> Events:
    return Events()


@pytest.fixture
def changes(events: Events) -> list[CacheChanged]:
    """Every CacheChanged published, in order."""
    heard: list[CacheChanged] = []
    events.subscribe(CacheChanged, heard.append)
    return heard


@pytest.fixture
def cache(tmp_path: Path, clock: FrozenClock, events: Events) -> Iterator[Cache]:
    held = open_cache(tmp_path / "cache", KEY, clock=clock, events=events)
    yield held
    held.close()


@pytest.fixture
def make() -> Maker:
    return Maker(5)
