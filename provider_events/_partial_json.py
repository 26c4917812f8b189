# SPDX-License-Identifier: MIT
"""Reading a JSON object while its text still streams.

Every character is looked at once, however often the value is read. Finished members are shared between the values; only
the containers and the string that still grow are copied.
"""

# The tables of the grammar, at the end, are made of private methods of the class:
# pyright: reportPrivateUsage=false

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, Final, TypeAlias

from ._json import (
    EMPTY_OBJECT,
    MAX_NESTING,
    FrozenDict,
    FrozenList,
    append_item,
    extend_array,
    new_array,
    new_object,
    parse_json,
    parse_string,
    set_member,
    update_object,
)

_NOTHING: Final = object()  # no value yet; None is JSON's null


class PartialObject:
    """A JSON object, as far as its text has come.

    A string is readable from its opening quote on, up to the last whole character; a number from its first digit; a
    literal from its first letter. A key whose value has not begun is missing. Reading stops at the first error, and
    keeps what came before it. One more level than `MAX_NESTING` is an error.
    """

    __slots__ = ("is_complete", "_state", "_expected", "_open", "_keys", "_parts", "_cut_escape", "_value")

    is_complete: bool
    """Whether the object has been closed. Anything after it is ignored."""

    def __init__(self) -> None:
        self.is_complete = False
        self._state: _State = PartialObject._read_token
        self._expected: _Grammar = _START
        self._open: list[FrozenDict | FrozenList] = []  # the containers being read, outermost first
        self._keys: list[str] = []  # for each of them the key being read, "" in an array
        self._parts: list[str] = []  # of the string, number or literal being read
        self._cut_escape = ""  # the beginning of an escape whose rest has not come
        self._value: FrozenDict | None = EMPTY_OBJECT  # None when there is new text

    def feed(self, text: str) -> None:
        """Read more text."""
        if self._state is PartialObject._ignore or not text:
            return
        self._value = None
        if self._cut_escape:
            text, self._cut_escape = self._cut_escape + text, ""
        at, end = 0, len(text)
        while at < end:
            at = self._state(self, text, at)

    def value(self) -> FrozenDict:
        """Return what can be read so far."""
        if self._value is not None:
            return self._value
        inner = self._unfinished()
        for container, key in zip(reversed(self._open), reversed(self._keys), strict=True):
            inner = _copy_with(container, key, inner)
        value: FrozenDict = inner if self._open else EMPTY_OBJECT
        self._value = value
        return value

    # States: each reads from a position in the text, and returns how far it got

    def _read_token(self, text: str, at: int) -> int:
        found = _TOKEN.match(text, at)
        if found is None:
            return len(text)
        action = self._expected.get(found[1])
        return self._stop(text) if action is None else action(self, text, found.end())

    def _read_key(self, text: str, at: int) -> int:
        at, closed = self._read_characters(text, at)
        if closed:
            self._keys[-1] = "".join(self._parts)
            self._expect(_COLON)
        return at

    def _read_string(self, text: str, at: int) -> int:
        at, closed = self._read_characters(text, at)
        if closed:
            self._add("".join(self._parts))
        return at

    def _read_scalar(self, text: str, at: int) -> int:
        found = _SCALAR_CHARACTERS.match(text, at)
        if found is None:  # its end
            value, whole = _scalar("".join(self._parts))
            self._expect({})
            if value is not _NOTHING:
                self._add(value)
            return at if whole else self._stop(text)
        self._parts.append(found[0])
        return found.end()

    def _ignore(self, text: str, at: int) -> int:
        return len(text)

    def _read_characters(self, text: str, at: int) -> tuple[int, bool]:
        """Read on in a string; also return whether it has been closed."""
        found = _CHARACTERS.match(text, at)
        if found is not None:
            characters = found[0]
            self._parts.append(parse_string(characters) if "\\" in characters else characters)
            at = found.end()
        if at == len(text):
            return at, False
        if text[at] == '"':
            return at + 1, True
        if _CUT_ESCAPE.match(text, at):
            self._cut_escape = text[at:]
            return len(text), False
        return self._stop(text), False

    # Actions: what the first character of a token does; `at` is the position after it

    def _open_object(self, text: str, at: int) -> int:
        return self._begin(new_object(), _FIRST_KEY, text, at)

    def _open_array(self, text: str, at: int) -> int:
        return self._begin(new_array(), _FIRST_ELEMENT, text, at)

    def _open_key(self, text: str, at: int) -> int:
        self._state, self._parts = PartialObject._read_key, []
        return at

    def _open_string(self, text: str, at: int) -> int:
        self._state, self._parts = PartialObject._read_string, []
        return at

    def _open_scalar(self, text: str, at: int) -> int:
        self._state, self._parts = PartialObject._read_scalar, []
        return at - 1  # its first character is a part of it

    def _next_key(self, text: str, at: int) -> int:
        self._expected = _KEY
        return at

    def _next_value(self, text: str, at: int) -> int:
        self._expected = _VALUE
        return at

    def _close(self, text: str, at: int) -> int:
        container = self._open.pop()
        self._keys.pop()
        if self._open:
            self._add(container)
            return at
        assert isinstance(container, FrozenDict)  # `_START` allows no other
        self._value, self.is_complete = container, True
        return self._stop(text)

    # What they share

    def _begin(self, container: FrozenDict | FrozenList, expected: _Grammar, text: str, at: int) -> int:
        if len(self._open) == MAX_NESTING:
            return self._stop(text)
        self._open.append(container)
        self._keys.append("")
        self._expected = expected
        return at

    def _expect(self, expected: _Grammar) -> None:
        self._state, self._expected = PartialObject._read_token, expected

    def _add(self, value: Any) -> None:
        """Put a finished value into its container, which no value returned so far contains."""
        container = self._open[-1]
        if isinstance(container, FrozenDict):
            set_member(container, self._keys[-1], value)
            self._expect(_AFTER_MEMBER)
        else:
            append_item(container, value)
            self._expect(_AFTER_ELEMENT)

    def _stop(self, text: str) -> int:
        """Read no further. Keep only the value."""
        self.value()
        self._state = PartialObject._ignore
        self._open, self._keys, self._parts = [], [], []
        return len(text)

    def _unfinished(self) -> Any:
        """Return what can be read of the string, number or literal that is being read."""
        if self._state is PartialObject._read_string:
            self._parts = [string := "".join(self._parts)]
            return string
        if self._state is PartialObject._read_scalar:
            return _scalar("".join(self._parts))[0]
        return _NOTHING


def _copy_with(container: FrozenDict | FrozenList, key: str, value: Any) -> Any:
    """Return a copy of an open container that has the value being read."""
    if isinstance(container, FrozenDict):
        members = new_object()
        update_object(members, container)
        if value is not _NOTHING:
            set_member(members, key, value)
        return members
    elements = new_array()
    extend_array(elements, container)
    if value is not _NOTHING:
        append_item(elements, value)
    return elements


# Characters

_HEX = "[0-9a-fA-F]"
_PLAIN = r'[^"\\\x00-\x1f]'
_ESCAPE = rf'\\(?:["\\/bfnrt]|u{_HEX}{{4}})'
_HIGH = rf"\\u[dD][89abAB]{_HEX}{{2}}"  # the first half of a surrogate pair
# The first half waits for what follows: with a second half it is one character, without one a character by itself.
_CHARACTERS = re.compile(rf'(?:{_PLAIN}++|(?!{_HIGH}){_ESCAPE}|{_HIGH}(?="|{_PLAIN}|{_ESCAPE}))++')
_CUT_ESCAPE = re.compile(rf"(?:{_HIGH})?(?:\\(?:u{_HEX}{{0,3}})?)?\Z")
_TOKEN = re.compile(r"[ \t\n\r]*+([^ \t\n\r])")

_SCALAR_CHARACTERS = re.compile(r"[-+.0-9A-Za-z]++")
_SCALAR = re.compile(r"(-?(?:0|[1-9][0-9]*+)(?:\.[0-9]++)?(?:[eE][-+]?[0-9]++)?)|([a-z]++)")
_LITERALS = {"true": True, "false": False, "null": None}


def _scalar(text: str) -> tuple[Any, bool]:
    """Return the value of a number or literal as far as it has come, and whether its text is a whole one."""
    if found := _SCALAR.match(text):
        number, word = found.groups()
        for literal, value in _LITERALS.items():
            if word and literal.startswith(word):
                return value, text == literal
        try:
            return (parse_json(number), number == text) if number else (_NOTHING, False)
        except ValueError:  # a number that Python cannot hold
            pass
    return _NOTHING, False


# The grammar: the characters that may begin the next token, and what each does

_State: TypeAlias = Callable[[PartialObject, str, int], int]
_Grammar: TypeAlias = dict[str, _State]

_START: _Grammar = {"{": PartialObject._open_object}
_KEY: _Grammar = {'"': PartialObject._open_key}
_FIRST_KEY: _Grammar = {**_KEY, "}": PartialObject._close}
_COLON: _Grammar = {":": PartialObject._next_value}
_VALUE: _Grammar = {
    "{": PartialObject._open_object,
    "[": PartialObject._open_array,
    '"': PartialObject._open_string,
    **dict.fromkeys("-0123456789tfn", PartialObject._open_scalar),
}
_FIRST_ELEMENT: _Grammar = {**_VALUE, "]": PartialObject._close}
_AFTER_MEMBER: _Grammar = {",": PartialObject._next_key, "}": PartialObject._close}
_AFTER_ELEMENT: _Grammar = {",": PartialObject._next_value, "]": PartialObject._close}
