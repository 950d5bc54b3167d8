from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

import httpx
import pytest

from clinician.clock import FrozenClock
from clinician.embedded.server import RecordApp


@pytest.fixture
def clock() -> FrozenClock:
    return FrozenClock(datetime(2026, 3, 2, 7, 0, tzinfo=UTC))


@pytest.fixture
def app(clock: FrozenClock) -> Iterator[RecordApp]:
    app = RecordApp(None, clock=clock)
    yield app
    app.close()


@pytest.fixture
def http(app: RecordApp) -> Iterator[httpx.Client]:
    with httpx.Client(transport=httpx.WSGITransport(app), base_url="http://record.test/") as http:
        yield http
