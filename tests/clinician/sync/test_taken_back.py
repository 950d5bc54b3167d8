"""What a person took back does not leave this PC, also where other documents were on their way first."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest

from clinician.cache.acts import ActState
from tests.clinician.sync.files import Clinic, attach, binary_of, picture, row
from tests.clinician.sync.test_attachments import on_binary


@pytest.fixture
def clinic(tmp_path: Path) -> Iterator[Clinic]:
    made = Clinic(tmp_path)
    yield made
    made.world.close()


def test_that_a_document_taken_back_while_another_is_sent_is_not_sent(clinic: Clinic) -> None:
    station = clinic.station()
    attach(station, clinic.patient, picture(seed=2))
    station.world.tick()
    wrong = attach(station, clinic.patient, picture(seed=3))
    ref = binary_of(station, wrong)

    def take_back(request: httpx.Request, inner: Callable[[], httpx.Response]) -> httpx.Response:
        move = (ActState.QUEUED, ActState.WITHDRAWN)
        station.write(lambda writing: writing.outbox.transition(wrong.op_ids[0], *move))
        return inner()

    calls = on_binary(station, take_back)
    station.step()
    assert len(calls) == 1
    assert clinic.stored(ref) is None
    assert row(station, ref) is None
