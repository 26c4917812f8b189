"""Reading a JSON object while its text is still coming."""

from __future__ import annotations

import json
import re
import sys
from random import Random
from typing import Any

import pytest

from provider_events._json import MAX_NESTING, FrozenDict, FrozenList, parse_object
from provider_events._partial_json import PartialObject

# The definition: one plain pass over the whole text so far, slow and recursive, that shares no code with the reader.

STRING = re.compile(r'"((?:[^"\\\x00-\x1f]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*)("?)')
HALF_PAIR = re.compile(r"(?<!\\)((?:\\\\)*)\\u[dD][89abAB][0-9a-fA-F]{2}\Z")
NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][-+]?[0-9]+)?")
WORD = re.compile(r"[a-z]+")


class Broken(Exception):
    """The text breaks off or goes wrong; `value` is what could be read of the value, if anything."""

    def __init__(self, *value: Any) -> None:
        self.value = value


class Definition:
    def __init__(self, text: str) -> None:
        self.text, self.at = text, 0

    def mark(self, *marks: str) -> str:
        while self.text[self.at : self.at + 1] in (" ", "\t", "\n", "\r"):
            self.at += 1
        found = self.text[self.at : self.at + 1]
        if not found or found not in marks:
            raise Broken()
        self.at += 1
        return found

    def string(self) -> str:
        found = STRING.match(self.text, self.at - 1)
        assert found
        self.at = found.end()
        if not found[2]:
            raise Broken(json.loads(f'"{HALF_PAIR.sub(chr(92) + "1", found[1])}"'))
        return str(json.loads(found[0]))

    def value(self, nesting: int, *closing: str) -> Any:
        match self.mark('"', "{", "[", "-", *"0123456789", *"tfn", *closing):
            case '"':
                return self.string()
            case "{" | "[" if nesting == MAX_NESTING:
                raise Broken()
            case "{":
                return self.members(nesting + 1)
            case "[":
                return self.elements(nesting + 1)
            case "]":
                return Broken
        self.at -= 1
        if word := WORD.match(self.text, self.at):
            self.at = word.end()
            for literal, value in {"true": True, "false": False, "null": None}.items():
                if literal.startswith(word[0]):
                    if literal == word[0]:
                        return value
                    raise Broken(value)
            raise Broken()
        number = NUMBER.match(self.text, self.at)
        if not number:
            raise Broken()
        self.at = number.end()
        try:
            value = json.loads(number[0])
        except ValueError:
            raise Broken() from None
        if value in (float("inf"), float("-inf")):
            raise Broken()
        return value

    def members(self, nesting: int) -> dict[str, Any]:
        members: dict[str, Any] = {}
        try:
            mark = self.mark('"', "}")
            while mark != "}":
                try:
                    key = self.string()
                except Broken:
                    raise Broken() from None
                self.mark(":")
                try:
                    members[key] = self.value(nesting)
                except Broken as broken:
                    members.update({key: value for value in broken.value})
                    raise
                if (mark := self.mark(",", "}")) == ",":
                    self.mark('"')
        except Broken:
            raise Broken(members) from None
        return members

    def elements(self, nesting: int) -> list[Any]:
        elements: list[Any] = []
        try:
            element, mark = self.value(nesting, "]"), ","
            while element is not Broken:
                elements.append(element)
                if self.mark(",", "]") == "]":
                    break
                element = self.value(nesting)
        except Broken as broken:
            raise Broken([*elements, *broken.value]) from None
        return elements


def readable(text: str) -> Any:
    """What can be read of `text`."""
    definition = Definition(text)
    try:
        definition.mark("{")
        return definition.members(1)
    except Broken as broken:
        return broken.value[0] if broken.value else {}


def same(one: Any, other: Any) -> bool:
    """Whether two JSON values are equal in type, order and content."""
    return repr(one) == repr(other)


def read_in_pieces(text: str, cuts: list[int]) -> None:
    """Read `text` cut at `cuts`, and compare with the definition at each cut."""
    reader = PartialObject()
    for start, end in zip([0, *cuts], [*cuts, len(text)], strict=True):
        reader.feed(text[start:end])
        assert same(reader.value(), readable(text[:end])), (text[:end], cuts)
        closed = any(parse_object(text[:length]) is not None for length in range(end + 1)) if end < 40 else None
        assert closed is None or reader.is_complete == closed, (text[:end], cuts)
    if (whole := parse_object(text)) is not None:
        assert same(reader.value(), whole) and reader.is_complete, text


# Random texts

CHARACTERS = ["a", "é", "😀", '"', "\\", "\\ud83d", "/", "\n", "\x00", " ", "{", "]", ",", "\ud83d", "\ude00", "u"]
RAW = [
    *'{}[]:,"\\',
    *"u09-.eE+tfn \x00\n\xa0x",
    "\\u00e9",
    "\\ud83d",
    "\\ude00",
    "\\uD8",
    "\\n",
    "\\\\",
    "true",
    "null",
    "1e999",
    "\ud83d",
]


def random_json(random: Random, depth: int) -> Any:
    match random.choice(["text", "text", "number", "literal", "array", "object"] if depth else ["text", "number"]):
        case "text":
            return "".join(random.choices(CHARACTERS, k=random.randrange(6)))
        case "number":
            return random.choice([0, -1, 12, 3.25, -0.5, 1e-7, 2.5e30, 123456789012345678901234567890])
        case "literal":
            return random.choice([True, False, None])
        case "array":
            return [random_json(random, depth - 1) for _ in range(random.randrange(4))]
        case _:
            return random_object(random, depth)


def random_object(random: Random, depth: int) -> dict[str, Any]:
    return {str(random_json(random, 0)): random_json(random, depth - 1) for _ in range(random.randrange(4))}


def random_text(random: Random) -> str:
    """The text of an object; every second one damaged, or with something behind it."""
    value = random_object(random, 4)
    text = json.dumps(value, ensure_ascii=random.random() < 0.5, indent=random.choice([None, None, 1]))
    if random.random() < 0.5:
        for _ in range(random.randrange(1, 4)):
            at = random.randrange(len(text) + 1)
            text = text[:at] + "".join(random.choices(RAW, k=random.randrange(3))) + text[at + random.randrange(3) :]
    return text


@pytest.mark.parametrize("seed", range(40))
def test_each_prefix_of_a_text_in_single_characters_reads_as_a_plain_parse_of_it(seed: int) -> None:
    random = Random(seed)
    for _ in range(15):
        text = random_text(random)
        read_in_pieces(text, list(range(1, len(text))))


@pytest.mark.parametrize("seed", range(40))
def test_a_text_cut_at_random_reads_as_a_plain_parse_of_it(seed: int) -> None:
    random = Random(1_000 + seed)
    for _ in range(40):
        text = random_text(random)
        read_in_pieces(text, sorted(random.choices(range(len(text) + 1), k=random.randrange(8))))


@pytest.mark.parametrize("seed", range(20))
def test_strings_of_escapes_cut_anywhere_read_as_a_plain_parse(seed: int) -> None:
    random = Random(2_000 + seed)
    for _ in range(40):
        text = (
            '{"'
            + "".join(random.choices(RAW, k=random.randrange(3)))
            + '":"'
            + "".join(random.choices(RAW, k=8))
            + '"}'
        )
        read_in_pieces(text, sorted(random.choices(range(len(text) + 1), k=random.randrange(len(text)))))


@pytest.mark.parametrize("seed", range(20))
def test_when_the_value_is_asked_for_does_not_matter(seed: int) -> None:
    random = Random(3_000 + seed)
    for _ in range(40):
        text = random_text(random)
        reader, asked = PartialObject(), random.random()
        for character in text:
            reader.feed(character)
            if random.random() < asked:
                reader.value()
        assert same(reader.value(), readable(text)), text


# Chosen texts


@pytest.mark.parametrize(
    "text, value",
    [
        ("", {}),
        ("{", {}),
        ('{"a', {}),
        ('{"a"', {}),
        ('{"a": ', {}),
        ('{"a": "', {"a": ""}),
        ('{"a": "x', {"a": "x"}),
        ('{"a": "x\\', {"a": "x"}),
        ('{"a": "x\\n', {"a": "x\n"}),
        ('{"a": "x\\u00', {"a": "x"}),
        ('{"a": "x\\ud83d', {"a": "x"}),
        ('{"a": "x\\ud83d\\ude', {"a": "x"}),
        ('{"a": "x\\ud83d\\ude00', {"a": "x😀"}),
        ('{"a": "\\ud83d\\ud83d', {"a": "\ud83d"}),
        ('{"a": "\\ud83d", "b": ', {"a": "\ud83d"}),
        ('{"a": 1, "b": "x\\\\ud83d', {"a": 1, "b": "x\\ud83d"}),
        ('{"a": "x", "b": {"c": [1, {"d": "y', {"a": "x", "b": {"c": [1, {"d": "y"}]}}),
        ('{"a": {"b": ', {"a": {}}),
        ('{"a": [', {"a": []}),
        ('{"a": [1,', {"a": [1]}),
        ('{"a": -', {}),
        ('{"a": -1.', {"a": -1}),
        ('{"a": 1e', {"a": 1}),
        ('{"a": -1.5E+3, "b": 2e-1, "c": ', {"a": -1500.0, "b": 0.2}),
        ('{"a": t', {"a": True}),
        ('{"a": true, "b": false, "c": null, "d":', {"a": True, "b": False, "c": None}),
        (' \r\n\t{"a": 1}', {"a": 1}),
        ('{"a": 1, "a": {', {"a": {}}),
        ('{"a": 1, "a": ', {"a": 1}),
        ('{"a": 1} and more', {"a": 1}),
        ('{"a": 1, b: 2}', {"a": 1}),
        ('{"a": nope, "b": 1}', {}),
        ('{"a": [1, nope], "b": 2}', {"a": [1]}),
        ('{"a": tru, "b": 1}', {"a": True}),
        ('{"a": 1, "b": trust', {"a": 1}),
        ('{"a": 01, "b": 1}', {"a": 0}),
        ('{"a": 1e999, "b": 1}', {}),
        ('{"a": NaN}', {}),
        ('{"a": {"b": 1,}, "c": 2}', {"a": {"b": 1}}),
        ('{"a": {"b"}, "c": 2}', {"a": {}}),
        ('{"a": 1 "b": 2}', {"a": 1}),
        ('{"a": [1 2], "b": 3}', {"a": [1]}),
        ('{"a": "x\ny", "b": 3}', {"a": "x"}),
        ("[1", {}),
        ('"a"', {}),
        ("hello", {}),
    ],
)
def test_what_can_be_read_of_a_text_that_breaks_off_or_goes_wrong(text: str, value: dict[str, Any]) -> None:
    reader = PartialObject()
    reader.feed(text)
    assert same(reader.value(), value)
    assert same(readable(text), value)
    read_in_pieces(text, list(range(1, len(text))))


def test_an_object_is_complete_once_it_is_closed_and_what_follows_is_ignored() -> None:
    reader = PartialObject()
    reader.feed('{"a": {}')
    assert not reader.is_complete
    reader.feed('} {"b": 1}')
    assert reader.is_complete
    reader.feed("x")
    assert reader.is_complete and reader.value() == {"a": {}}


@pytest.mark.parametrize("opening, closing", ["[]", ('{"a":', "}")])
def test_nesting_ends_at_the_limit_whatever_the_depth_of_the_stack(opening: str, closing: str) -> None:
    deepest: Any = [] if opening == "[" else {}
    for _ in range(MAX_NESTING - 2):
        deepest = [deepest] if opening == "[" else {"a": deepest}
    text = '{"k":' + opening * (MAX_NESTING - 1)

    def read(text: str, frames: int) -> Any:
        if frames:
            return read(text, frames - 1)
        reader = PartialObject()
        reader.feed(text)
        return reader.value()

    used = 0
    frame = sys._getframe()
    while frame.f_back:
        used, frame = used + 1, frame.f_back
    for frames in (0, sys.getrecursionlimit() - used - 40):
        assert read(text, frames) == {"k": deepest}
        assert read(text + opening * 100_000, frames) == {"k": deepest}
    reader = PartialObject()
    reader.feed(text + ("1" if opening == '{"a":' else "") + closing * (MAX_NESTING - 1) + "}")
    assert reader.is_complete


# Sharing


def test_a_value_is_frozen_and_never_changes_again() -> None:
    reader = PartialObject()
    reader.feed('{"done": {"x": [1]}, "open": {"items": [1, "a')
    early = reader.value()
    reader.feed('b", 2], "more": 1}}')
    assert early == {"done": {"x": [1]}, "open": {"items": [1, "a"]}}
    assert reader.value() == {"done": {"x": [1]}, "open": {"items": [1, "ab", 2], "more": 1}}
    for value in (early, reader.value()):
        assert type(value) is FrozenDict and type(value["open"]["items"]) is FrozenList
        with pytest.raises(TypeError):
            value["open"]["items"].append(1)


def test_what_is_finished_is_shared_between_values() -> None:
    reader = PartialObject()
    reader.feed('{"done": {"x": [1]}, "open": {"items": [[1], "a')
    early = reader.value()
    assert reader.value() is early
    reader.feed("b")
    later = reader.value()
    assert later["done"] is early["done"]
    assert later["open"]["items"][0] is early["open"]["items"][0]


def test_reading_a_long_string_looks_at_each_character_once() -> None:
    """A trailing backslash decides a match of the whole; scanned again at each delta this would take minutes."""
    reader = PartialObject()
    reader.feed('{"' + "k" * 10)
    for _ in range(50_000):
        reader.feed("k\\\\")
    reader.feed('": "')
    for _ in range(50_000):
        reader.feed("\\")
        reader.feed("nx")
    assert list(map(len, reader.value().values())) == [100_000]
