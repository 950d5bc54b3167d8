"""Speed of the embedded record in process: `python -m tests.clinician.embedded.measure`.

Processor time of this process, so that other work on the machine disturbs little. Synthetic
blood pressures of about 0.9 kB; numbers are for comparing with one another, not promises.
"""

from __future__ import annotations

import io
import json
import sys
import time
import uuid
from collections.abc import Callable
from typing import Any

from clinician.embedded.server import RecordApp

PEOPLE = [str(uuid.UUID(int=n)) for n in range(1000)]
JSON, FORM = "application/fhir+json", "application/x-www-form-urlencoded"


def pressure(n: int) -> dict[str, Any]:
    """A blood pressure of person n."""

    def part(code: str, value: int) -> dict[str, Any]:
        unit = {"unit": "mmHg", "system": "http://unitsofmeasure.org", "code": "mm[Hg]"}
        return {
            "code": {"coding": [{"system": "http://loinc.org", "code": code}]},
            "valueQuantity": {"value": value, **unit},
        }

    return {
        "resourceType": "Observation",
        "id": str(uuid.uuid4()),
        "status": "final",
        "category": [
            {
                "coding": [
                    {
                        "system": "http://terminology.hl7.org/CodeSystem/observation-category",
                        "code": "vital-signs",
                    }
                ]
            }
        ],
        "code": {"coding": [{"system": "http://loinc.org", "code": "85354-9"}], "text": "Blodtrykk"},
        "subject": {"reference": f"Patient/{PEOPLE[n % 1000]}"},
        "effectiveDateTime": "2026-03-01T10:00:00+01:00",
        "performer": [{"reference": f"Practitioner/{PEOPLE[0]}"}],
        "component": [part("8480-6", 120 + n % 40), part("8462-4", 80)],
    }


def call(
    app: RecordApp, method: str, path: str, body: bytes = b"", kind: str = JSON, query: str = ""
) -> bytes:
    """One request without any HTTP client in between."""
    environ = {
        "REQUEST_METHOD": method,
        "PATH_INFO": path,
        "QUERY_STRING": query,
        "SCRIPT_NAME": "",
        "CONTENT_LENGTH": str(len(body)),
        "CONTENT_TYPE": kind,
        "wsgi.input": io.BytesIO(body),
        "wsgi.url_scheme": "http",
        "HTTP_HOST": "record",
        "SERVER_NAME": "record",
        "SERVER_PORT": "80",
        "wsgi.errors": sys.stderr,
        "wsgi.version": (1, 0),
    }
    statuses: list[str] = []
    answer = b"".join(app(environ, lambda status, _: statuses.append(status)))
    assert statuses[0][0] == "2", answer
    return answer


def rate(name: str, count: int, work: Callable[[], object]) -> None:
    """Run `work`, print how many a second."""
    started = time.process_time()
    work()
    print(f"{name:44} {count / (time.process_time() - started):10,.0f} /s")


def main() -> None:
    """Print the table."""
    app = RecordApp(None)
    call(app, "PUT", f"/Observation/{PEOPLE[0]}", json.dumps(pressure(0) | {"id": PEOPLE[0]}).encode())
    made = [pressure(n) for n in range(2000)]
    bodies = [(f"/Observation/{raw['id']}", json.dumps(raw).encode()) for raw in made]
    rate("creates (PUT)", 2000, lambda: [call(app, "PUT", path, body) for path, body in bodies])
    entries = [
        {"resource": pressure(n), "request": {"method": "POST", "url": "Observation"}} for n in range(100)
    ]
    bundle = json.dumps({"resourceType": "Bundle", "type": "transaction", "entry": entries}).encode()
    rate(
        "transaction entries (bundles of 100)",
        2000,
        lambda: [call(app, "POST", "/", bundle) for _ in range(20)],
    )
    rate("bulk load", 50_000, lambda: app.store.load(pressure(n) for n in range(50_000)))
    chart = (
        f"patient={','.join(PEOPLE[:50])}&_lastUpdated=ge2020-01-01&_sort=_lastUpdated&_count=500&_total=none"
    )
    rate(
        "pages of 500 (50 patients, by change)",
        50,
        lambda: [call(app, "POST", "/Observation/_search", chart.encode(), FORM) for _ in range(50)],
    )
    manifest = f"patient={','.join(PEOPLE[:50])}&_elements=id,meta&_count=1000&_total=none"
    rate(
        "manifest pages of 1000",
        50,
        lambda: [call(app, "POST", "/Observation/_search", manifest.encode(), FORM) for _ in range(50)],
    )
    quiet = chart.replace("ge2020-01-01", "ge2100-01-01")
    batch = {
        "resourceType": "Bundle",
        "type": "batch",
        "entry": [{"request": {"method": "GET", "url": f"Observation?{quiet}"}}] * 20,
    }
    rate(
        "quiet delta (batch of 20 keys)",
        50,
        lambda: [call(app, "POST", "/", json.dumps(batch).encode()) for _ in range(50)],
    )
    rate("reads", 2000, lambda: [call(app, "GET", path) for path, _ in bodies])
    rate(
        "searches (patient and code, 20 hits)",
        500,
        lambda: [
            call(app, "GET", "/Observation", query=f"patient={PEOPLE[n]}&code=85354-9&_count=20")
            for n in range(500)
        ],
    )
    changed = [(path, body.replace(b'"final"', b'"amended"')) for path, body in bodies]
    rate("updates", 2000, lambda: [call(app, "PUT", path, body) for path, body in changed])
    print(f"{'bytes a resource in the file':44} {app.store.path.stat().st_size / 56_000:10,.0f}")
    app.close()


if __name__ == "__main__":
    main()
