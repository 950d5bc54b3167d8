"""The dated tables home care uses, read once from resources/codes."""

from __future__ import annotations

import csv
import io
import json
from functools import lru_cache
from importlib.resources import files

from modules.homecare.rules import news2
from modules.homecare.rules.measures import Measure, measures_from


def _text(name: str) -> str:
    return files("resources").joinpath("codes", name).read_text("utf-8")


@lru_cache(maxsize=1)
def measures() -> dict[str, Measure]:
    """Kinds of measurement by key, in the order they are offered."""
    rows = csv.DictReader(io.StringIO(_text("vitals.csv")))
    choices = csv.DictReader(io.StringIO(_text("acvpu.csv")))
    return measures_from(rows, choices)


@lru_cache(maxsize=1)
def news2_table() -> news2.Table:
    """The NEWS2 table."""
    return news2.table_from(json.loads(_text("news2.json")))
