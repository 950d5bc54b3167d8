"""A refusal says which field, what the record said, and what to do; in Norwegian, never in codes alone."""

from __future__ import annotations

from dataclasses import replace

import pytest

from clinician.cache.acts import ActState
from clinician.queries.outbox import outbox_rows
from clinician.queries.refusals import explained, where_and_what
from tests.clinician.cache.samples import DAY
from tests.clinician.commands.desk import WHO, Desk, Make
from tests.clinician.queries.test_shared_queries import ask, desk

__all__ = ["desk"]


@pytest.mark.parametrize(
    ("said", "found"),
    [
        ("Observation.valueQuantity.value: must be positive", ("Verdi", "must be positive")),
        ("Bundle.entry[0].resource.status: unknown code", ("Status", "unknown code")),
        ("Bundle.entry[2].resource.ofType(Observation).code: missing", ("Hva", "missing")),
        ("Appointment.participant[1].actor: not there", ("Hvem", "not there")),
        ("Observation.weird: what", ("weird", "what")),
        ("Observation: not whole", ("", "not whole")),
        ("HAPI-0389: no", ("", "HAPI-0389: no")),
        ("just words", ("", "just words")),
    ],
)
def test_that_the_field_is_named_as_people_name_it(said: str, found: tuple[str, str]) -> None:
    assert where_and_what(said) == found


@pytest.mark.parametrize("status", [400, 403, 404, 412, 413, 422])
def test_that_every_refusal_says_what_happened_that_it_is_kept_and_what_to_do(
    desk: Desk, status: int
) -> None:
    done = desk.bus.run(Make((desk.make.observation("Patient/p", 0),)), WHO)
    desk.send(done.group, settle=ActState.REJECTED)
    act = desk.cache.writer.run(lambda w: w.outbox.get(done.group))
    assert act is not None
    issue = "Observation.status: unknown code; second reason"
    words = explained(replace(act, last_status=status, last_issue=issue))
    assert "Det er tatt vare på her" in words and "Status – journalen sier: unknown code." in words
    assert "Journalen sier: second reason." in words
    assert any(way in words for way in ("Ta det tilbake", "Prøv igjen", "Be superbrukeren"))
    alone = explained(replace(act, last_status=status, last_issue=""))
    assert "journalen sier" not in alone.lower()
    parked = explained(replace(act, state=ActState.PARKED, last_issue="HTTP 500"))
    assert "hindrer ikke noe annet" in parked and "superbrukeren" in parked


def test_that_a_colleagues_conflict_can_be_decided_here_and_ones_own_stands_once(desk: Desk) -> None:
    code = {
        "coding": [{"system": "https://clinician.example/fhir/CodeSystem/task-kind", "code": "sync-conflict"}]
    }
    task = desk.make.task("Patient/p", 0) | {
        "status": "requested",
        "code": code,
        "authoredOn": DAY.isoformat(),
    }
    ref = desk.synced(task)
    [row] = ask(desk, outbox_rows)
    assert (row.key, row.state, row.conflict_ref) == (ref, "conflict", ref)
    assert not (row.can_retry or row.can_withdraw or row.can_export) and row.when_text
    desk.synced(task | {"status": "completed"}, "2")
    assert ask(desk, outbox_rows) == ()
