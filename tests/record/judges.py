"""Outside judges of the embedded record: `python -m tests.record.judges` prints what they say.

sekmet-fhir plays its 14 hospital scenarios against the record on a port; pyrofile runs its read-only pack
base-r4. What is skipped names an ability the record does not claim in /metadata.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from clinician.embedded.serve import serve
from clinician.embedded.server import RecordApp
from tests.ports import free_port
from tests.record.peers import fresh, sekmet_command, sekmet_settings

EXPLAINED = {
    "billing_claim": "three steps need a payer that answers claims by itself",
    "conformance_smoke": "one step asks for XML, which is not promised",
    "bulk_export_group": "no bulk export: the workstation never needs a whole population as files",
    "lab_order_peer_fills": "needs a laboratory that answers orders by itself",
    "messaging_adt_orders": "no FHIR messaging: everything goes by REST",
    "subscription_backport_roundtrip": "no Subscription: long poll tells of changes (RECORD §1.10)",
    "subscription_roundtrip": "no Subscription: long poll tells of changes (RECORD §1.10)",
}
"""Scenarios of which something is skipped, each with its reason."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """One scenario: passed, failed or skipped, with how many of its steps did what."""

    judge: str
    scenario: str
    status: str
    passed: int
    failed: int
    skipped: int
    detail: str = ""


@contextmanager
def served() -> Iterator[str]:
    """A fresh embedded record on a port; yields its base."""
    app = RecordApp(None)
    server = serve(app, "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{server.port}"
    finally:
        server.stop()
        app.close()


def ask_sekmet(base: str) -> list[Verdict]:
    """All scenarios of sekmet-fhir with the record at `base` as peer."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        settings = sekmet_settings(folder, free_port(), peer=base)
        subprocess.run(
            [
                sekmet_command(),
                "scenario",
                "run",
                "all",
                "--peer",
                "ours",
                "--no-serve",
                "--config",
                settings,
                "--report-dir",
                folder / "reports",
            ],
            cwd=folder,
            capture_output=True,
            timeout=240,
            check=False,
        )
        reports = sorted((folder / "reports").rglob("results.json"))
        return [verdict for path in reports for verdict in _sekmet_verdicts(json.loads(path.read_text()))]


def _sekmet_verdicts(report: Any) -> Iterator[Verdict]:
    for run in report:
        steps = [step["status"] for step in run["steps"]]
        yield Verdict(
            "sekmet",
            Path(run["file"]).stem,
            run["status"],
            steps.count("passed"),
            steps.count("failed") + steps.count("error"),
            steps.count("skipped"),
            "; ".join(str(step.get("message") or "") for step in run["steps"] if step["status"] == "failed")[
                :120
            ],
        )


def ask_pyrofile(base: str) -> list[Verdict]:
    """pyrofile's pack base-r4 with one Patient of ours as test data."""
    from pyrofile_validator.api_testing import ApiTestOptions, load_builtin_api_test_plan, run_api_tests

    id_ = fresh()
    raw = {"resourceType": "Patient", "id": id_, "gender": "female", "birthDate": "1940-05-17"}
    httpx.put(f"{base}/Patient/{id_}", json=raw).raise_for_status()
    inputs = {"resourceType": "Patient", "resourceId": id_, "versionId": "1"}
    report = run_api_tests(base, load_builtin_api_test_plan("base-r4"), options=ApiTestOptions(inputs=inputs))
    return [_pyrofile_verdict(result) for result in report.scenarios]


def _pyrofile_verdict(result: Any) -> Verdict:
    states = [assertion.status.value for assertion in result.assertions]
    failed = [str(a.message) for a in result.assertions if a.status.value == "FAIL"]
    return Verdict(
        "pyrofile",
        result.id,
        {"PASS": "passed", "FAIL": "failed", "SKIP": "skipped"}[result.status.value],
        states.count("PASS"),
        states.count("FAIL"),
        states.count("SKIP"),
        "; ".join(failed) or (result.skip_reason or ""),
    )


def table(verdicts: list[Verdict]) -> str:
    """The verdicts as text, with the reason of each that is not a plain pass."""
    lines = [f"{'judge':9} {'scenario':34} {'verdict':8} {'ok':>3} {'bad':>3} {'skip':>4}"]
    for v in verdicts:
        why = "" if v.status == "passed" and not v.skipped else EXPLAINED.get(v.scenario, v.detail)
        counts = f"{v.passed:3} {v.failed:3} {v.skipped:4}"
        lines.append(f"{v.judge:9} {v.scenario:34} {v.status:8} {counts}  {why}".rstrip())
    return "\n".join(lines)


def main() -> int:
    """Print the table; 1 when a judge found a fault that is not explained."""
    with served() as base:
        verdicts = [*ask_sekmet(base), *ask_pyrofile(base)]
    print(table(verdicts))
    return int(any(v.status == "failed" and v.scenario not in EXPLAINED for v in verdicts))


if __name__ == "__main__":
    sys.exit(main())
