"""Content as it is, to and from Binary/{id}, in pieces: 50 MB are never in memory at once.

R4 §2.35: what is sent with a content type other than FHIR's is the content itself, and so is what is asked
for with one. A record that answers with the resource all the same (JSON, base64) is understood.
"""

from __future__ import annotations

import base64
import binascii
import re
import uuid
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

import httpx
import orjson

from clinician.record.answer import Answer, answer_from, broken_answer
from clinician.record.bodies import read_bounded
from clinician.record.client import FHIR_JSON, AnswerLost, NotSent, RecordClient, _offline

_STEP: Final = 256 * 1024
_RANGE: Final = re.compile(r"bytes (\d+)-\d+/(?:\d+|\*)")


@dataclass(frozen=True, slots=True)
class Download:
    """An answer that is still coming. start: which byte of the content the first one is.

    pieces: the content when status is 200 or 206; take them inside the `with` block. answer: the whole
    answer when it is anything else.
    """

    status: int
    start: int
    pieces: Iterator[bytes]
    answer: Answer


def put_binary(
    client: RecordClient,
    ref: str,
    pieces: Iterable[bytes],
    *,
    content_type: str,
    size: int,
    only_new: bool = False,
) -> Answer:
    """PUT content as 'Binary/{id}'. only_new: If-None-Match: *, so that no second version is made.

    Any status is an answer. Raises NotSent or AnswerLost, as `RecordClient.request`.
    """
    headers = {"Content-Type": content_type, "Content-Length": str(size), "Accept": FHIR_JSON}
    headers |= {"Prefer": "return=minimal"} | ({"If-None-Match": "*"} if only_new else {})
    with _exchange(client, "PUT", ref, headers, pieces) as response:
        body = read_bounded(response.iter_raw(65536), response.headers.get("content-encoding", ""))
        return answer_from(response.status_code, response.headers, body)


@contextmanager
def get_binary(client: RecordClient, ref: str, *, content_type: str, start: int = 0) -> Iterator[Download]:
    """GET the content of 'Binary/{id}' from byte `start` on where the record can, else from the first.

    Raises NotSent, AnswerLost (also while pieces are taken) or RecordTrouble.
    """
    headers = {"Accept": content_type.partition(";")[0], "Accept-Encoding": "identity"}
    headers |= {"Range": f"bytes={start}-"} if start else {}
    with _exchange(client, "GET", ref, headers, None) as response:
        yield _download(response, start)


def _download(response: httpx.Response, start: int) -> Download:
    said, encoding = response.headers.get("content-type", ""), response.headers.get("content-encoding", "")
    if response.status_code not in (200, 206):
        body = read_bounded(response.iter_raw(65536), encoding)
        return Download(
            response.status_code, 0, iter(()), answer_from(response.status_code, response.headers, body)
        )
    whole = answer_from(response.status_code, response.headers, b"")
    if "fhir+json" in said:
        body = read_bounded(response.iter_raw(65536), encoding)
        return Download(200, 0, iter((_data_of(body),)), whole)
    if encoding not in ("", "identity"):
        raise broken_answer(f"content-encoding {encoding!r} was not asked for")
    first = 0
    if response.status_code == 206:
        found = _RANGE.match(response.headers.get("content-range", ""))
        if found is None or int(found[1]) != start:
            raise broken_answer("206 with another range than was asked for")
        first = start
    return Download(response.status_code, first, response.iter_raw(_STEP), whole)


def _data_of(body: bytes) -> bytes:
    """The content inside a Binary that came as JSON."""
    try:
        raw = orjson.loads(body)
        return base64.b64decode(raw.get("data", ""), validate=True)
    except (orjson.JSONDecodeError, AttributeError, binascii.Error, TypeError) as fault:
        raise broken_answer(f"Binary does not read: {type(fault).__name__}") from fault


@contextmanager
def _exchange(
    client: RecordClient, method: str, ref: str, headers: dict[str, str], content: Iterable[bytes] | None
) -> Iterator[httpx.Response]:
    number = str(uuid.uuid4())
    try:
        with client.stream(
            method, ref, content=content, headers={"X-Request-Id": number, **headers}
        ) as response:
            yield response
    except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.UnsupportedProtocol) as fault:
        raise NotSent(_offline(), detail=f"{type(fault).__name__} {number}") from fault
    except (httpx.TransportError, httpx.StreamError) as fault:
        raise AnswerLost(_offline(), detail=f"{type(fault).__name__} {number}") from fault
