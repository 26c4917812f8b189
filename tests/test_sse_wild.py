"""Bodies as providers and proxies make them: what is seen through, and what is not."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator

import pytest
from test_sse import cuts, lines, lines_with_ends

from provider_events.decoders import iter_sse

PAGE = "<html>\n<head><title>502 Bad Gateway</title></head>\n<body>\n{}\n</body>\n</html>"

# Bodies, and the payloads in them.
BODIES: dict[str, tuple[str, list[str]]] = {
    # The end
    "the end mark without a blank line": ('data: {"a": 1}\n\ndata: [DONE]', ['{"a": 1}', "[DONE]"]),
    "a last event that is cut off": ('data: {"a": 1}\n\ndata: {"b": "x', ['{"a": 1}']),
    "a last event that is cut off behind a bracket": ('data: {"a": 1}\n\ndata: {"b": {}', ['{"a": 1}']),
    "an end mark that is cut off": ('data: {"a": 1}\n\ndata: [DON', ['{"a": 1}']),
    "a field that is cut off": ('data: {"a": 1}\n\ndat', ['{"a": 1}']),
    "a cut event with its blank line is a payload": ('data: {"a": "x\n\ndata: [DONE]\n\n', ['{"a": "x', "[DONE]"]),
    "a cut event and nothing else is shown": ('data: {"error": "over', ['data: {"error": "over']),
    # Events without blank lines between them
    "single newlines": ('data: {"a": 1}\ndata: {"b": "}"}\ndata: [DONE]\n', ['{"a": 1}', '{"b": "}"}', "[DONE]"]),
    "single newlines with names": (
        'event: a\ndata: {"a": 1}\nevent: b\ndata: {"b": 1}\n',
        ['{"a": 1}', '{"b": 1}'],
    ),
    "single newlines among blank lines": (
        'data: {"a": 1}\ndata: {"b": 1}\n\ndata: {"c": 1}\n\n',
        ['{"a": 1}', '{"b": 1}', '{"c": 1}'],
    ),
    "null between events": ('data: {"a": 1}\ndata: null\ndata: {"b": 1}\n', ['{"a": 1}', "null", '{"b": 1}']),
    "text, then JSON": ('data: hello\ndata: {"a": 1}\n\n', ["hello", '{"a": 1}']),
    "text stays together": ("data: one\ndata: two\n\n", ["one\ntwo"]),
    # JSON over several lines
    "JSON over several data lines": ('data: {"a":\ndata:  [1,\ndata: 2]}\n\n', ['{"a":\n [1,\n2]}']),
    "JSON with objects on lines of their own": (
        'data: {"a": [\ndata: {"b": 1},\ndata: {"c": 2}\ndata: ]}\n\n',
        ['{"a": [\n{"b": 1},\n{"c": 2}\n]}'],
    ),
    "brackets in strings do not count": (
        'data: {"a": "}\\"}",\ndata: "b": "{"}\ndata: [DONE]\n',
        ['{"a": "}\\"}",\n"b": "{"}', "[DONE]"],
    ),
    "JSON whose later lines have no field name": (
        'data: {\n  "a": [\n    1\n  ]\n}\n\ndata: [DONE]\n\n',
        ['{\n  "a": [\n    1\n  ]\n}', "[DONE]"],
    ),
    "within JSON a colon is no comment": ('data: {"a"\ndata: : "data: x"}\n\n', ['{"a"\n: "data: x"}']),
    "comments and ids within an event": ('data: {"a":\n: hello\nid: 7\ndata: 1}\n\n', ['{"a":\n1}']),
    "JSON over several lines that is cut": (
        '{"z": 1}\ndata: {"a":\ndata: "x\n\ndata: {"b": 1}\n\n',
        ['{"z": 1}', '{"a":\n"x', '{"b": 1}'],
    ),
    "an object, and one that goes on": ('data: {"a": 1}{"b":\ndata: 1}\n\n', ['{"a": 1}', '{"b":\n1}']),
    "an array over several data lines": ('data: [[{"a": 1}],\ndata: [{"b": 1}]]\n\n', ['{"a": 1}', '{"b": 1}']),
    # Lines of an event stream as data
    "a doubled prefix": ('data: data: {"a": 1}\n\ndata:data:data: [DONE]\n\n', ['{"a": 1}', "[DONE]"]),
    "comments as data": ('data: : OPENROUTER PROCESSING\n\ndata: :\n\ndata: {"a": 1}\n\n', ['{"a": 1}']),
    "whole frames as data": ('data: event: x\ndata: data: {"a": 1}\ndata: \n\n', ['{"a": 1}', ""]),
    "an error field as data": ("data: error: overloaded\n\n", ['{"error": "overloaded"}']),
    # Several payloads on one line
    "glued events": (
        'data: {"a": "}data: {"}data: {"b": 1}data: [DONE]\n\n',
        ['{"a": "}data: {"}', '{"b": 1}', "[DONE]"],
    ),
    "plain text that looks glued": ('data: no }{ {"a": 1}\n\n', ['no }{ {"a": 1}']),
    "glued objects": ('data: {"a": 1}{"b": {}}\n\n', ['{"a": 1}', '{"b": {}}']),
    "what looks glued in a string is not": ('data: {"a": "}{ }data: {"}\n\n', ['{"a": "}{ }data: {"}']),
    # Fields
    "no space behind the colon": ('event:x\ndata:{"a":1}\n\n', ['{"a":1}']),
    "retry, ids and names carry nothing": (
        'retry: 3000\n\nid: 1\nevent: hermes.tool.progress\n\ndata: {"a": 1}\nid: 2\nretry: 1\n\n',
        ['{"a": 1}'],
    ),
    "blank lines keep the connection alive": (
        '\n\n\ndata: {"a": 1}\n\n\n\n\ndata: {"b": 1}\n\n\n',
        ['{"a": 1}', '{"b": 1}'],
    ),
    "an unknown field": ('data: {"a": 1}\nfoo: bar\n\n', ['{"a": 1}']),
    # Errors
    "an error field with an object": (
        'error: {"code": 400, "message": "no"}\n\ndata: [DONE]\n\n',
        ['{"error": {"code": 400, "message": "no"}}', "[DONE]"],
    ),
    "an error field that names its error": ('error: {"error": {"message": "no"}}\n', ['{"error": {"message": "no"}}']),
    "an error field over several lines": ('error: {\n  "message": "no"\n}\n\n', ['{"error": {"message": "no"}}']),
    "an error field between events": (
        'data: {"a": 1}\nerror: no\ndata: {"b": 1}\n',
        ['{"a": 1}', '{"error": "no"}', '{"b": 1}'],
    ),
    "an error field right behind plain text": ("data: one\nerror: no\n\n", ["one", '{"error": "no"}']),
    "an error field in other letters": ('error: {"message": "grüße"}\n\n', ['{"error": {"message": "grüße"}}']),
    "an error event with an array": ("event: error\ndata: [1]\n\n", ["[1]"]),
    "an error event of plain text": ("event: error\ndata: grüße\n\n", ['{"error": "grüße"}']),
    "an error event of plain text, its name last": ("data: no\nevent: error\n\n", ['{"error": "no"}']),
    "an error event with a bare object": (
        'event: error\ndata: {"code": "x", "message": "no"}\n\n',
        ['{"error": {"code": "x", "message": "no"}}'],
    ),
    "an error event whose type says so": (
        'event: error\ndata: {"type": "error", "message": "no"}\n\n',
        ['{"type": "error", "message": "no"}'],
    ),
    "an error event with a response": ('event: error\ndata: {"response": {}}\n\n', ['{"response": {}}']),
    "an error event cut off": ('event: error\ndata: {"message": "no\n\n', ['{"message": "no']),
    "a name ends with its event": ("event: error\n\ndata: fine\n\n", ["fine"]),
    "a failure of another name": (
        'event: failed\ndata: no\n\nevent: response.failed\ndata: {"a": 1}\n\n',
        ['{"error": "no"}', '{"type": "response.failed", "a": 1}'],
    ),
    "a type that is in the name of the event alone": (
        'event: message_stop\ndata: {}\n\nevent: content_block_stop\ndata: {"index": 0}\n\n',
        ['{"type": "message_stop"}', '{"type": "content_block_stop", "index": 0}'],
    ),
    "a name that is no type": (
        'event: chunk\ndata: {"a": 1}\n\nevent: message_chunk\ndata: {"type": "x"}\n\nevent: message_x\ndata: [1]\n\n',
        ['{"a": 1}', '{"type": "x"}', "[1]"],
    ),
    "plain text of a ping": (
        'event: ping\ndata: 12:00\n\nevent: keep-alive\ndata: ok\n\ndata: {"a": 1}\n\n',
        ['{"a": 1}'],
    ),
    "plain text of an end": (
        'data: {"a": 1}\n\nevent: close\ndata: bye\n\nevent: done\ndata: [DONE]\n\n',
        ['{"a": 1}', "[DONE]"],
    ),
    "JSON of a ping": ('event: ping\ndata: {"type": "ping"}\n\n', ['{"type": "ping"}']),
    "plain text of any other event": ("event: shipping\ndata: one\n\ndata: two\n\n", ["one", "two"]),
    # JSON without frames
    "a JSON body": ('{"error": {"message": "no"}}', ['{"error": {"message": "no"}}']),
    "a JSON body over many lines": (
        '\n{\n  "error": {\n\n    "message": "data: {"\n  }\n}\n',
        ['{\n  "error": {\n    "message": "data: {"\n  }\n}'],
    ),
    "JSON lines": ('{"a": 1}\n{"b": "\\"}"}\r\n\r\n {"c": 1}', ['{"a": 1}', '{"b": "\\"}"}', '{"c": 1}']),
    "JSON lines, the last one cut off": ('{"a": 1}\n{"b": ', ['{"a": 1}']),
    "JSON lines with an end mark": ('{"a": 1}\n[DONE]\n', ['{"a": 1}', "[DONE]"]),
    "a JSON body with an end mark glued to it": ('{"a": 1}data: [DONE]\n\n', ['{"a": 1}', "[DONE]"]),
    "JSON text sequences": ('\x1e{"a": 1}\n\x1e{"b": 1}\n', ['{"a": 1}', '{"b": 1}']),
    "objects in a row": ('{"a": 1}{"b": 1}', ['{"a": 1}', '{"b": 1}']),
    "an array": ('[{"a": [1]},{"b": 1}]', ['{"a": [1]}', '{"b": 1}']),
    "an array over many lines": (
        '[{\n  "a": [{}]\n}\n,\n{\n  "b": 1\n}, {\n"c": 1}\n]\n',
        ['{\n  "a": [{}]\n}', '{\n  "b": 1\n}', '{\n"c": 1}'],
    ),
    "an array that is cut off": ('[{"a": 1},\n{"b"', ['{"a": 1}']),
    "an array of arrays": ('[[{"a": 1}], [{"b": 1}]]\n{"c": 1}', ['{"a": 1}', '{"b": 1}', '{"c": 1}']),
    "a JSON line between events": (
        'data: {"a": 1}\n\n{"error": 1}\n\ndata: {"b": 1}\n\n',
        ['{"a": 1}', '{"error": 1}', '{"b": 1}'],
    ),
    "a JSON line right behind an event": ('data: {"a": 1}\n{"error": 1}\n', ['{"a": 1}', '{"error": 1}']),
    "a JSON line right behind plain text": ('data: a\n{"error": 1}\n', ["a", '{"error": 1}']),
    "a JSON line that breaks off before an event": ('{"error": {"mess\ndata: {"b": 1}\n\n', ['{"b": 1}']),
    "a JSON line that breaks off before a doubled prefix": ('{"a": {"b\ndata: data: {"b": 1}\n\n', ['{"b": 1}']),
    "a bracket too many": ('{"a": 1}}]\n{"b": 1}\n', ['{"a": 1}', '{"b": 1}']),
    # Neither
    "a page": (PAGE, [PAGE]),
    "a page behind events": ('data: {"a": 1}\n\n' + PAGE, ['{"a": 1}', PAGE]),
    "a page between events": (f'data: {{"a": 1}}\n\n{PAGE}\ndata: {{"b": 1}}\n\n', ['{"a": 1}', '{"b": 1}']),
    "plain text": ("upstream connect error: reset", ["upstream connect error: reset"]),
    "plain text of several lines": ("Bad Request\r\n\r\nno such model\n", ["Bad Request\n\nno such model"]),
    "plain text behind events": ('data: {"a": 1}\n\nupstream request timeout', ['{"a": 1}']),
    "a JSON string": ('"Unauthorized"', ['"Unauthorized"']),
    "an array without objects": ("[1, 2]", ["[1, 2]"]),
    "JSON that is cut off": ('{"error": {"mess', ['{"error": {"mess']),
    "comments only": (": OPENROUTER PROCESSING\n\n: hello\n", []),
    "fields without data": ("retry: 10\nid: 1\nevent: error\n\n", []),
    "blank lines only": ("\n\r\n\n", []),
}
every_body = pytest.mark.parametrize(("body", "payloads"), BODIES.values(), ids=BODIES.keys())


@every_body
def test_a_body_cut_anywhere(body: str, payloads: list[str]) -> None:
    for pieces in cuts(body.encode()):
        assert list(iter_sse(pieces)) == payloads, pieces


@every_body
def test_a_body_cut_into_lines_with_ends(body: str, payloads: list[str]) -> None:
    assert list(iter_sse(lines_with_ends(body.encode()))) == payloads


@every_body
def test_a_body_cut_into_lines_without_ends(body: str, payloads: list[str]) -> None:
    """Without any blank line nothing tells lines from pieces, unless they are JSON or fields."""
    found = list(iter_sse(lines(body.encode())))
    if body == BODIES["a JSON line right behind plain text"][0]:
        assert found == ['a{"error": 1}']
    elif found != payloads:  # where lines are joined, white space between them is lost
        assert found == [payload.replace("\n", "") for payload in payloads]


def test_random_bodies_give_the_same_payloads_however_they_are_cut() -> None:
    """Behind a first line end, that is: before it lines and pieces cannot always be told apart."""
    rng = random.Random(2)
    words = [*'{}[]",\\ \n\n\n\ré\ufeff', "data: ", "data:", "event: error", "event: ping", "id: 1", ": c", "error: "]
    words += ['{"a": 1}', '{"a":', "1}", "[DONE]", "<html>", "null", "text", "\n\n", "\r\n", 'data: {"b": "}data: {"}']
    for _ in range(3000):
        body = "\n" + "".join(rng.choices(words, k=rng.randrange(16)))
        raw = body.encode()
        places = sorted(rng.choices(range(1, len(raw) + 1), k=4))
        pieces = [piece for i, j in zip([0, *places], [*places, len(raw)]) if (piece := raw[i:j])]
        assert list(iter_sse(pieces)) == list(iter_sse([body])), pieces


def lines_taken(body: list[str]) -> list[int]:
    """For each payload, how many pieces were read before it was there."""
    taken = 0

    def pieces() -> Iterator[str]:
        nonlocal taken
        for piece in body:
            taken += 1
            yield piece

    return [taken for _ in iter_sse(pieces())]


@pytest.mark.parametrize("end", ["", "\n", "\r\n"])
def test_payloads_come_as_soon_as_they_are_sure(end: str) -> None:
    assert lines_taken(['{"a": 1}' + end, '{"b": 1}' + end, '{"c": 1}' + end]) == [1, 2, 3], "JSON lines"
    assert lines_taken(['data: {"a": 1}' + end, 'data: {"b": 1}' + end, "data: [DONE]" + end]) == [2, 3, 3], (
        "no blank lines"
    )
    named = ["event: a" + end, 'data: {"a": 1}' + end, "event: b" + end, 'data: {"b": 1}' + end]
    assert lines_taken(named) == [3, 4], "no blank lines, named"


def test_elements_of_an_array_come_as_they_are_complete() -> None:
    assert lines_taken(["[{\n", '"a": 1}\n', ",\n", '{"b": 1}\n', "]\n"]) == [2, 4]


def test_json_over_several_data_lines_comes_with_its_last() -> None:
    assert lines_taken(['data: {"a":\n', "data: 1}\n", "\n"]) == [2]


def test_a_body_that_is_no_event_stream_is_shown_up_to_2000_characters() -> None:
    for body in (["x" * 1500, "y" * 1500], ["line\n"] * 1000, ["\n"] * 3000 + ["late"], [f"<{'p' * 3000}>"]):
        shown = list(iter_sse(body))
        assert [len(text) in (4, 1999, 2000) for text in shown] == [True], shown
    long = json.dumps({"error": {"message": "x" * 5000}}, indent=1)
    assert list(iter_sse([long])) == [long], "but JSON is whole"


def test_bytes_that_are_no_text_are_shown_with_replacements() -> None:
    (shown,) = iter_sse([b"\x1f\x8b\x08\x00\xff\xfe" * 1000])
    assert len(shown) == 2000 and "\ufffd" in shown


def test_an_end_mark_may_be_glued_to_an_event() -> None:
    for pieces in (
        ['data: {"a": 1}data: [DONE]\n\n'],
        ['data: {"a": 1}', "data: [DONE]\n\n"],
        ['data: {"a": 1}data: [DONE]'],
    ):
        assert list(iter_sse(pieces)) == ['{"a": 1}', "[DONE]"]


def test_whole_lines_are_told_from_pieces_only_when_it_is_certain() -> None:
    assert list(iter_sse(['data: {"a": "', 'data: "}', "\n\n"])) == ['{"a": "data: "}']
    assert list(iter_sse(["event:", " a", "\n", 'data: {"a": 1}'])) == ['{"a": 1}']
    assert list(iter_sse(["data: ", "data: x", "\n\n"])) == ["x"]
    assert list(iter_sse(["id:", 'data: {"a": 1}', "data: [DONE]"])) == ['{"a": 1}', "[DONE]"]
    assert list(iter_sse(['{"a": 1}', "data", ": x"])) == ['{"a": 1}', "x"]
    assert list(iter_sse([": hello", 'data: {"a": 1}', 'data: {"b": 1}'])) == ['{"a": 1}', '{"b": 1}']
    assert list(iter_sse(["", "da", "ta: a", "\n\n"])) == ["a"], "an empty piece before anything"


@pytest.mark.parametrize(
    "name", ["ping", "Heartbeat", "keep-alive", "keep_alive", "keepalive", "done", "END", "close", "complete"]
)
def test_the_plain_text_of_an_event_that_only_signals_is_no_payload(name: str) -> None:
    assert list(iter_sse([f'event: {name}\ndata: now\n\ndata: {{"a": 1}}\n\n'])) == ['{"a": 1}']
