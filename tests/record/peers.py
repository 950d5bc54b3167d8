"""The records the suite runs against, each started once and stopped at the end."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from clinician.embedded.serve import serve
from clinician.embedded.server import RecordApp
from tests.ports import free_port

FHIR_JSON = {"Accept": "application/fhir+json", "Content-Type": "application/fhir+json"}
STRICT = {"Prefer": "handling=strict"}


class UnavailableError(Exception):
    """This peer cannot be started here; the message says why."""


@dataclass(slots=True)
class Peer:
    """A running record. `http` speaks to its FHIR base."""

    name: str
    http: httpx.Client
    base: str

    def put(self, raw: dict[str, Any], **headers: str) -> httpx.Response:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        path = f"{raw['resourceType']}/{raw['id']}"
        return self.http.put(path, content=json.dumps(raw), headers=FHIR_JSON | named)

    def post(self, path: str, raw: Any, **headers: str) -> httpx.Response:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        body = raw if isinstance(raw, bytes | str) else json.dumps(raw)
        return self.http.post(path, content=body, headers=FHIR_JSON | named)

    def get(self, path: str, **headers: str) -> httpx.Response:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.http.get(path, headers={"Accept": "application/fhir+json"} | named)

    def delete(self, path: str, **headers: str) -> httpx.Response:
        return self.http.delete(path, headers={name.replace("_", "-"): v for name, v in headers.items()})

    def ids(self, query: str) -> list[str]:
        """Ids of the matches of a search, all pages, in order."""
        answer = self.get(query)
        assert answer.status_code == 200, answer.text
        found: list[str] = []
        while True:
            bundle = answer.json()
            for entry in bundle.get("entry", []):
                if entry.get("search", {}).get("mode", "match") == "match":
                    found.append(entry["resource"]["id"])
            following = next((link["url"] for link in bundle["link"] if link["relation"] == "next"), None)
            if following is None:
                return found
            answer = self.get(following)
            assert answer.status_code == 200, answer.text

    def send(self, *entries: dict[str, Any], kind: str = "transaction") -> httpx.Response:
        return self.post("", {"resourceType": "Bundle", "type": kind, "entry": list(entries)})


def fresh() -> str:
    """A lower-case UUID."""
    return str(uuid.uuid4())


def patient(family: str = "", **more: Any) -> dict[str, Any]:
    return {"resourceType": "Patient", "id": fresh(), "name": [{"family": family or "Prøve"}]} | more


def observation(patient_ref: str, code: str = "8867-4", value: float = 72, **more: Any) -> dict[str, Any]:
    return {
        "resourceType": "Observation",
        "id": fresh(),
        "status": "final",
        "code": {"coding": [{"system": "http://loinc.org", "code": code}]},
        "subject": {"reference": patient_ref},
        "effectiveDateTime": "2025-03-01T10:00:00+01:00",
        "valueQuantity": {
            "value": value,
            "unit": "/min",
            "system": "http://unitsofmeasure.org",
            "code": "/min",
        },
    } | more


@contextlib.contextmanager
def embedded() -> Iterator[Peer]:
    """The embedded record without a port."""
    app = RecordApp(None)
    base = "http://record.test/"
    with httpx.Client(transport=httpx.WSGITransport(app), base_url=base) as http:
        yield Peer("embedded", http, base)
    app.close()


@contextlib.contextmanager
def embedded_http() -> Iterator[Peer]:
    """The embedded record on loopback."""
    app = RecordApp(None)
    server = serve(app, "127.0.0.1", 0)
    base = f"http://127.0.0.1:{server.port}/"
    with httpx.Client(base_url=base, timeout=120) as http:
        yield Peer("embedded-http", http, base)
    server.stop()
    app.close()


def sekmet_settings(folder: Path, port: int, peer: str = "") -> Path:
    """A settings file for sekmet. peer: the base of the record its scenarios are sent to."""
    lines = [
        f"base_url: http://127.0.0.1:{port}/fhir",
        "host: 127.0.0.1",
        f"port: {port}",
        f"data_dir: {folder / 'data'}",
        f"own_private_key_path: {folder / 'key.pem'}",
        "simulator: {enabled: false}",
        "log_inbound: false",
    ]
    if peer:
        lines += ["peers:", f'  ours: {{base_url: "{peer}"}}']
    path = folder / "settings.yaml"
    path.write_text("\n".join(lines) + "\n", "utf-8")
    return path


def sekmet_command() -> Path:
    """The installed `sekmet`; UnavailableError when this environment has none."""
    command = Path(sys.executable).with_name("sekmet")
    if not command.exists():
        raise UnavailableError("sekmet-fhir is not installed here")
    return command


@contextlib.contextmanager
def sekmet(folder: Path) -> Iterator[Peer]:
    """sekmet-fhir on loopback, its data in `folder`."""
    port = free_port()
    settings = sekmet_settings(folder, port)
    with (folder / "serve.log").open("wb") as log:
        process = subprocess.Popen(
            [sekmet_command(), "serve", "--config", settings],
            stdout=log,
            stderr=log,
            cwd=folder,
            env={**os.environ, "PYTHONWARNINGS": "ignore"},
        )
    base = f"http://127.0.0.1:{port}/fhir/"
    try:
        _await(base, process)
        with httpx.Client(base_url=base, timeout=120) as http:
            yield Peer("sekmet", http, base)
    finally:
        process.terminate()
        process.wait(timeout=120)


def _await(base: str, process: subprocess.Popen[bytes]) -> None:
    until = time.monotonic() + 180
    while time.monotonic() < until:
        if process.poll() is not None:
            raise UnavailableError(f"sekmet-fhir ended with {process.returncode} at its start")
        with contextlib.suppress(httpx.TransportError):
            if httpx.get(f"{base}metadata", timeout=20).status_code == 200:
                return
        time.sleep(0.1)
    raise UnavailableError("sekmet-fhir did not answer within three minutes")
