"""What a file is, by its own bytes."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clinician.cache.kinds import HEIC, JPEG, PDF, PNG, TEXT, Kind, kind_of, matches
from clinician.errors import UserProblem

PNG_HEAD = b"\x89PNG\r\n\x1a\n" + bytes(20)


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"\xff\xd8\xff\xe0" + bytes(30), JPEG),
        (PNG_HEAD, PNG),
        (b"%PDF-1.7\n" + bytes(range(256)), PDF),
        (b"\0\0\0\x18ftypheic" + bytes(30), HEIC),
        ("Blåbærgrøt\nå spise".encode(), TEXT),
        (b"a", TEXT),
    ],
)
def test_that_pictures_pdf_and_text_are_known_by_their_bytes(content: bytes, told: str) -> None:
    assert kind_of(content) == told
    by_bytes = Kind()
    for at in range(len(content)):
        by_bytes.feed(content[at : at + 1])
    assert by_bytes.finish() == told


@pytest.mark.parametrize(
    "content",
    [
        b"MZ\x90\0" + bytes(60),
        b"\x7fELF\x02\x01" + bytes(60),
        b"PK\x03\x04" + bytes(60),
        b"GIF89a" + bytes(range(200)),
        b"plain words and then \0 a hole",
        "halv bokstav å".encode()[:-1],
        b"",
    ],
)
def test_that_anything_else_is_refused_in_plain_words(content: bytes) -> None:
    with pytest.raises(UserProblem) as met:
        kind_of(content)
    assert "added" in met.value.text.msgid


@given(st.binary(min_size=1, max_size=200))
def test_that_the_kind_is_the_same_however_the_bytes_are_cut(content: bytes) -> None:
    def told(pieces: list[bytes]) -> str:
        kind = Kind()
        try:
            for piece in pieces:
                kind.feed(piece)
            return kind.finish()
        except UserProblem:
            return "refused"

    assert told([content]) == told([content[at : at + 1] for at in range(len(content))])


def test_that_parameters_do_not_make_another_kind() -> None:
    assert matches("text/plain", TEXT)
    assert not matches("image/png", JPEG)
