"""Shared by every test: an offscreen Qt, Norwegian texts, no leftovers in the language."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
os.environ.setdefault("PYTHON_KEYRING_BACKEND", "keyring.backends.fail.Keyring")

import pytest
from hypothesis import HealthCheck, settings
from pytestqt.qtbot import QtBot

from clinician import texts

settings.register_profile(
    "ci", deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=False, print_blob=True
)
settings.load_profile("ci")

PATIENCE_MS = 60_000


class PatientBot(QtBot):
    """pytest-qt gives up after five seconds, which a busy machine may need; what comes costs no wait."""

    def waitUntil(self, callback: Callable[[], bool | None], *, timeout: int = PATIENCE_MS) -> None:
        super().waitUntil(callback, timeout=timeout)

    def waitSignal(self, signal: Any, *, timeout: int = PATIENCE_MS, **more: Any) -> Any:
        return super().waitSignal(signal, timeout=timeout, **more)


@pytest.fixture
def qtbot(qapp: Any, request: pytest.FixtureRequest) -> QtBot:
    """The one of pytest-qt, with more patience."""
    return PatientBot(request)


@pytest.fixture(autouse=True)
def _norwegian() -> Iterator[None]:
    texts.set_language("nb")
    yield
    texts.set_language("nb")


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Add up what the long runs of a machine tell of themselves, over all processes (`make soak`)."""
    told: Counter[str] = Counter()
    for reports in terminalreporter.stats.values():
        for report in reports:
            if getattr(report, "when", "") == "call":
                told.update(dict(report.user_properties).get("machine", {}))
    if told:
        first = ("examples", "acts", "acts lost", "acts doubled")
        rest = sorted(told.keys() - set(first))
        terminalreporter.section("machine")
        terminalreporter.write_line(", ".join(f"{name} {told[name]}" for name in [*first, *rest]))
