"""Server-sent events by the standard's rules, however an HTTP client cuts the body."""

from __future__ import annotations

import asyncio
import random
import re
from collections.abc import AsyncIterator, Callable, Iterator

import pytest

from provider_events.decoders import aiter_sse, iter_sse

# Bodies, and the payloads in them.
BODIES: dict[str, tuple[bytes, list[str]]] = {
    "two events": (b"data: one\n\ndata: two\n\n", ["one", "two"]),
    "CRLF": (b"data: one\r\n\r\ndata: two\r\n\r\n", ["one", "two"]),
    "CR": (b"data: one\r\rdata: two\r\r", ["one", "two"]),
    "line ends of all kinds": (b"data: a\r\ndata: b\rdata: c\n\r\ndata: d\n\n", ["a\nb\nc", "d"]),
    "LF, then CR, are two line ends": (b"data: a\n\rdata: b\n\n", ["a", "b"]),
    "many blank lines": (b"\n\n\ndata: a\n\n\n\n\r\n\r\ndata: b\n\n", ["a", "b"]),
    "a comment": (b": hello\n\n:\n\ndata: a\n: in between\ndata: b\n\n:data: c\n\n", ["a\nb"]),
    "data of several lines": (b"data: a\ndata: b\ndata:\ndata: c\n\n", ["a\nb\n\nc"]),
    "a byte order mark": (b"\xef\xbb\xbfdata: a\n\n", ["a"]),
    "a byte order mark before a comment": (b"\xef\xbb\xbf: hi\ndata: a\n\n", ["a"]),
    "only the first byte order mark goes": (b"\xef\xbb\xbf\xef\xbb\xbfdata: a\n\ndata: \xef\xbb\xbfb\n\n", ["\ufeffb"]),
    "a field without a colon": (b"data\n\n", [""]),
    "empty data": (b"data:\n\ndata: \n\n", ["", ""]),
    "two empty lines of data": (b"data\ndata\n\n", ["\n"]),
    "one leading space goes, no more": (b"data:a\n\ndata: b\n\ndata:  c \n\ndata:\td\n\n", ["a", "b", " c ", "\td"]),
    "colons in the data": (b'data: {"a": "b:c"}\n\n', ['{"a": "b:c"}']),
    "other fields": (b"event: greeting\nid: 7\nretry: 10\nfoo: bar\ndata: a\n\n", ["a"]),
    "an event without data": (b"event: ping\n\nid\n\ndata: a\n\n", ["a"]),
    "names of fields are exact": (b"Data: a\n data: b\ndata : c\ndatas: d\ndata: e\n\n", ["e"]),
    "the last event has no blank line": (b"data: a\n\ndata: b\n", ["a", "b"]),
    "the last line has no end": (b"data: a\n\ndata: b", ["a", "b"]),
    "nothing": (b"", []),
    "text of several bytes": ("data: grüße, 世界 🎉\n\n".encode(), ["grüße, 世界 🎉"]),
    "line separators of Unicode are text": (
        "data: a\u2028b\u0085c\x0bd\x0ce\n\n".encode(),
        ["a\u2028b\u0085c\x0bd\x0ce"],
    ),
    "bytes that are no UTF-8": (b"data: a\xffb\n\ndata: c\n\n", ["a\ufffdb", "c"]),
    "a character cut off in the middle of a line": (b"data: a\xe4\xb8b\n\ndata: c\n\n", ["a\ufffdb", "c"]),
    "a character cut off by the end of its line": (b"data: a\xe4\xb8\ndata: b\n\ndata: c\n\n", ["a\ufffd\nb", "c"]),
    "a surrogate as bytes": (b"data: \xed\xa0\xbd\n\n", ["\ufffd\ufffd\ufffd"]),
}
every_body = pytest.mark.parametrize(("body", "payloads"), BODIES.values(), ids=BODIES.keys())


async def agathered(pieces: list[bytes] | list[str]) -> list[str]:
    async def later() -> AsyncIterator[bytes | str]:
        for piece in pieces:
            await asyncio.sleep(0)
            yield piece

    return [payload async for payload in aiter_sse(later())]


def assert_payloads(pieces: list[bytes] | list[str], payloads: list[str]) -> None:
    assert list(iter_sse(pieces)) == payloads, pieces
    assert asyncio.run(agathered(pieces)) == payloads, pieces


def cuts(body: bytes) -> Iterator[list[bytes]]:
    yield [body[i : i + 1] for i in range(len(body))]
    for place in range(len(body) + 1):
        yield [piece for piece in (body[:place], body[place:]) if piece]
    rng = random.Random(body)
    for _ in range(30):
        places = sorted(rng.choices(range(len(body) + 1), k=rng.randrange(1, 6)))
        yield [piece for i, j in zip([0, *places], [*places, len(body)]) if (piece := body[i:j])]


@every_body
def test_a_body_cut_anywhere(body: bytes, payloads: list[str]) -> None:
    for pieces in cuts(body):
        assert list(iter_sse(pieces)) == payloads, pieces


@every_body
def test_a_text_cut_anywhere(body: bytes, payloads: list[str]) -> None:
    text = body.decode(errors="replace")
    for place in range(len(text) + 1):
        pieces = [piece for piece in (text[:place], text[place:]) if piece]
        assert list(iter_sse(pieces)) == payloads, pieces
    assert list(iter_sse(list(text))) == payloads


@every_body
def test_whole_and_asynchronously(body: bytes, payloads: list[str]) -> None:
    assert_payloads([body], payloads)
    assert_payloads([body[i : i + 3] for i in range(0, len(body), 3)], payloads)


def lines(body: bytes) -> list[bytes]:
    return body.splitlines()


def lines_with_ends(body: bytes) -> list[bytes]:
    return body.splitlines(keepends=True)


@every_body
@pytest.mark.parametrize("cut", [lines, lines_with_ends])
def test_a_body_cut_into_lines(body: bytes, payloads: list[str], cut: Callable[[bytes], list[bytes]]) -> None:
    assert_payloads(cut(body), payloads)


@every_body
def test_a_text_cut_into_lines_without_ends(body: bytes, payloads: list[str]) -> None:
    assert_payloads([line.decode(errors="replace") for line in body.splitlines()], payloads)


def by_the_standard(body: bytes) -> list[str]:
    """The payloads of a body, read in the standard's own words, its last event complete."""
    payloads: list[str] = []
    data: list[str] = []
    for line in re.split("\r\n|\n|\r", body.decode(errors="replace").removeprefix("\ufeff") + "\n\n"):
        field, _, value = line.partition(":")
        if not line and data:
            payloads.append("\n".join(data))
            data = []
        elif field == "data":
            data.append(value.removeprefix(" "))
    return payloads


def test_random_bodies_cut_at_random() -> None:
    rng = random.Random(1)
    words = (b"data", b"data:", b"data: x", b"x", b" ", b"\n", b"\n", b"\n\n", b"\r", b"\r\n", b"\xef\xbb\xbf", b"\xe4")
    compared = 0
    for _ in range(6000):
        body = b"".join(rng.choices(words, k=rng.randrange(20)))
        payloads = by_the_standard(body)
        if not payloads or any(re.search("^data", payload, re.MULTILINE) for payload in payloads):
            continue  # no events, or data that is itself a line: other tests have them
        compared += 1
        places = sorted(rng.choices(range(len(body) + 1), k=rng.randrange(6)))
        pieces = [piece for i, j in zip([0, *places], [*places, len(body)]) if (piece := body[i:j])]
        assert list(iter_sse(pieces)) == payloads, pieces
    assert compared > 2000


def test_an_event_is_given_as_soon_as_its_blank_line_is_there() -> None:
    taken = 0

    def pieces() -> Iterator[bytes]:
        nonlocal taken
        for piece in (b"data: a\n", b"\n", b"data: b\r\n", b"\r\n", b"data: c\n\n"):
            taken += 1
            yield piece

    payloads = iter_sse(pieces())
    assert (next(payloads), taken) == ("a", 2)
    assert (next(payloads), taken) == ("b", 4)
    assert (next(payloads), taken) == ("c", 5)


def test_an_event_in_lines_without_ends_is_given_at_its_blank_line() -> None:
    taken: list[str] = []

    def pieces() -> Iterator[str]:
        for piece in ("event: x", "data: a", "", "data: b", ""):
            taken.append(piece)
            yield piece

    payloads = iter_sse(pieces())
    assert (next(payloads), len(taken)) == ("a", 3)
    assert (next(payloads), len(taken)) == ("b", 5)


def test_crlf_split_between_pieces_is_one_line_end() -> None:
    assert_payloads([b"data: a\r", b"\ndata: b\r", b"\n\r", b"\ndata: c\r\n\r\n"], ["a\nb", "c"])
    assert_payloads(["data: a\r", "\n", "\r", "\n", "data: b\r", "\r"], ["a", "b"])


def test_empty_pieces_among_those_with_line_ends_mean_nothing() -> None:
    assert_payloads([b"data: a\n", b"", b"data: b", b"", b"\n", b"", b"\n", b""], ["a\nb"])
    assert_payloads([b"data: a\r", b"", b"\ndata: b\n\n"], ["a\nb"])


def test_an_exception_of_the_client_passes_through() -> None:
    def broken() -> Iterator[bytes]:
        yield b"data: a\n\n"
        raise OSError("connection reset")

    payloads = iter_sse(broken())
    assert next(payloads) == "a"
    with pytest.raises(OSError, match="connection reset"):
        next(payloads)
