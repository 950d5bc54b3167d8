"""What the record answers when it cannot do as asked: always an OperationOutcome."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from clinician.errors import ClinicianError
from clinician.texts import Text


class RequestError(ClinicianError):
    """A refused request: `status` (HTTP), `code` (IssueType), diagnostics without personal data."""

    def __init__(self, status: int, code: str, diagnostics: str, *, paths: Sequence[str] = ()) -> None:
        super().__init__(Text("embedded", diagnostics), detail=f"{status} {code}")
        self.status = status
        self.code = code
        self.diagnostics = diagnostics
        self.paths = tuple(paths)
        self.headers: dict[str, str] = {}

    def outcome(self) -> dict[str, Any]:
        """The OperationOutcome to send."""
        return outcome(self.code, self.diagnostics, paths=self.paths)


def outcome(
    code: str, diagnostics: str, *, severity: str = "error", paths: Sequence[str] = ()
) -> dict[str, Any]:
    """An OperationOutcome of one issue. code: IssueType."""
    issue: dict[str, Any] = {"severity": severity, "code": code, "diagnostics": diagnostics}
    if paths:
        issue["expression"] = list(paths)
    return {"resourceType": "OperationOutcome", "issue": [issue]}


def bad(diagnostics: str, code: str = "invalid") -> RequestError:
    """400: the request itself is wrong."""
    return RequestError(400, code, diagnostics)


def absent(ref: str) -> RequestError:
    """404."""
    return RequestError(404, "not-found", f"{ref} is not known")


def gone(ref: str) -> RequestError:
    """410."""
    return RequestError(410, "deleted", f"{ref} is deleted")


def stale(ref: str, holds: int | None) -> RequestError:
    """412 for If-Match."""
    now = f"version {holds}" if holds is not None else "no living version"
    return RequestError(412, "conflict", f"{ref} has {now} here")
