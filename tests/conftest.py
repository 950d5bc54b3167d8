"""Shared by every test: an offscreen Qt, Norwegian texts, no leftovers in the language."""

from __future__ import annotations

import os
from collections.abc import Iterator

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
os.environ.setdefault("PYTHON_KEYRING_BACKEND", "keyring.backends.fail.Keyring")

import pytest
from hypothesis import HealthCheck, settings

from clinician import texts

settings.register_profile(
    "ci", deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=False, print_blob=True
)
settings.load_profile("ci")


@pytest.fixture(autouse=True)
def _norwegian() -> Iterator[None]:
    texts.set_language("nb")
    yield
    texts.set_language("nb")
