"""Which tasks are kept on the PC: the searches of the manifest leave no state of a task out."""

from __future__ import annotations

import tomllib
from pathlib import Path
from urllib.parse import parse_qs

import modules.homecare

STATES = {"draft", "requested", "received", "accepted", "rejected", "ready", "cancelled", "in-progress"}
STATES |= {"on-hold", "failed", "completed", "entered-in-error"}
"""http://hl7.org/fhir/R4/valueset-task-status.html"""


def test_that_every_state_of_a_task_is_either_kept_for_ever_or_for_its_days() -> None:
    manifest = tomllib.loads((Path(modules.homecare.__file__).parent / "manifest.toml").read_text("utf-8"))
    tasks = [parse_qs(rule["search"]) for rule in manifest["sync"] if rule["type"] == "Task"]
    always, dated = set[str](), list[set[str]]()
    for query in tasks:
        states = set(query["status"][0].split(","))
        if "period" in query or "modified" in query:
            dated.append(states)
        else:
            always |= states
    assert len(dated) == 2
    for states in dated:
        assert always | states == STATES and not always & states
