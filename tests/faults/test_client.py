"""What one exchange comes to, fault by fault: the error that says what is known, and what the record has."""

from __future__ import annotations

import tracemalloc

import orjson
import pytest

from clinician.errors import RecordTrouble
from clinician.record.client import AnswerLost, NotSent
from tests.faults.scene import SHORT, Scene, patience

NOT_THERE, THERE, OVERTAKEN = 0, 1, 2


@pytest.mark.parametrize(
    ("fault", "error", "left"),
    [
        ("drop", AnswerLost, NOT_THERE),
        ("commit and drop", AnswerLost, THERE),
        ("truncate", AnswerLost, THERE),
        ("reset", AnswerLost, THERE),
        ("reorder", AnswerLost, OVERTAKEN),
        ("slow", AnswerLost, THERE),
        ("half-open", AnswerLost, NOT_THERE),
        ("bomb", RecordTrouble, NOT_THERE),
    ],
)
def test_that_a_broken_exchange_says_that_its_end_is_unknown(
    scene: Scene, fault: str, error: type[Exception], left: int
) -> None:
    note = scene.note("once")
    ref = f"Communication/{note['id']}"
    with scene.client(patience(fault)) as client:
        scene.proxy.plan(fault)
        with pytest.raises(error) as caught:
            client.put(ref, orjson.dumps(note))
        assert not isinstance(caught.value, NotSent), "the record may have it"
        assert scene.history(ref) == (left == THERE)
        assert client.read(f"Patient/{scene.patient.partition('/')[2]}").status == 200, (
            "the next one goes through"
        )
        assert scene.history(ref) == (left != NOT_THERE)


@pytest.mark.parametrize(("fault", "status"), [("html 502", 502), ("429", 429), ("401", 401)])
def test_that_what_stands_between_is_told_from_the_record(scene: Scene, fault: str, status: int) -> None:
    note = scene.note("never")
    with scene.client() as client:
        scene.proxy.plan(fault)
        answer = client.put(f"Communication/{note['id']}", orjson.dumps(note))
    assert answer.status == status
    assert answer.is_json == (status != 502)
    assert answer.retry_after == (1.0 if status == 429 else None)
    assert scene.notes() == []


def test_that_a_request_that_arrives_twice_makes_one_thing(scene: Scene) -> None:
    note = scene.note("once")
    with scene.client() as client:
        scene.proxy.plan("duplicate")
        assert client.put(f"Communication/{note['id']}", orjson.dumps(note)).is_ok
    assert scene.notes() == ["once"]


def test_that_a_compressed_bomb_is_met_before_it_has_gone_off(scene: Scene) -> None:
    with scene.client(largest=4 * 1024 * 1024) as client:
        scene.proxy.plan("bomb")
        tracemalloc.start()
        with pytest.raises(RecordTrouble) as caught:
            client.read(scene.patient)
        _, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
    assert "4194304" in caught.value.detail, "it says how large is too large"
    assert most < 32 * 1024 * 1024, "bytes held at once, of 128 MB"


def test_that_a_dripping_answer_does_not_hold_the_line(scene: Scene) -> None:
    """Every read is in time, the exchange as a whole is not."""
    with scene.client(SHORT) as client:
        scene.proxy.plan("slow")
        with pytest.raises(AnswerLost) as caught:
            client.read(scene.patient)
    assert "too long" in caught.value.detail
    assert not scene.proxy.tally["dripped to the end"], "it was given up while the rest was on its way"


@pytest.mark.parametrize(
    ("way", "error", "left"), [("in", AnswerLost, 0), ("out", AnswerLost, 1), ("both", NotSent, 0)]
)
def test_that_a_partition_says_whether_the_record_may_have_it(
    scene: Scene, way: str, error: type[Exception], left: int
) -> None:
    note = scene.note("perhaps")
    ref = f"Communication/{note['id']}"
    with scene.client(patience(way)) as client:
        assert client.read(scene.patient).status == 200
        scene.proxy.cut(way)
        with pytest.raises(error):
            client.put(ref, orjson.dumps(note))
        scene.proxy.cut("")
        assert client.read(scene.patient).status == 200
    assert scene.history(ref) == left
