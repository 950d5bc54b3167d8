"""The list of differences names only cases that exist."""

from __future__ import annotations

import ast
from pathlib import Path

from tests.record.conftest import PEERS
from tests.record.differences import DIFFERENCES, UNSTEADY


def test_that_every_listed_difference_names_a_case_and_a_peer_and_gives_a_reason() -> None:
    trees = [ast.parse(path.read_text("utf-8")) for path in Path(__file__).parent.glob("test_*.py")]
    cases = {node.name for tree in trees for node in tree.body if isinstance(node, ast.FunctionDef)}
    for (peer, case), reason in (DIFFERENCES | UNSTEADY).items():
        assert peer in PEERS
        assert case.partition("[")[0] in cases
        assert len(reason) > 10


def test_that_the_embedded_record_differs_in_nothing() -> None:
    assert {peer for peer, _ in DIFFERENCES | UNSTEADY} == {"sekmet"}
