# SPDX-License-Identifier: MIT
"""How values are written as JSON and read back: the parts that the tables in `wire.py` are made of.

A form has two functions, `write` and `read`; both raise `WireError` for a value that does not fit. A form does not
know where its value is: each enclosing form puts its key in front of `WireError.path` as the error passes through.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping
from enum import StrEnum
from functools import partial
from math import inf
from typing import Any, Final, NamedTuple, TypeAlias

from ._json import ARRAY, MAX_NESTING, OBJECT
from .errors import WireError

Convert: TypeAlias = Callable[[Any], Any]


def expected(what: str, found: object) -> WireError:
    """Return the error for a value that is not what was expected."""
    is_short = found is None or isinstance(found, (str, float)) or (isinstance(found, int) and abs(found) < 1 << 64)
    return WireError(f"expected {what}, found {f'{found!r:.80}' if is_short else type(found).__name__}")


class Converter:
    """A form made of two functions."""

    __slots__ = ("expected", "write", "read")

    def __init__(self, expected: str, write: Convert, read: Convert) -> None:
        self.expected = expected
        self.write = write
        self.read = read


# Scalars


def _checked(what: str, fits: Callable[[Any], object]) -> Converter:
    """Return the form of values that are the same in JSON."""

    def check(value: Any) -> Any:
        if not fits(value):
            raise expected(what, value)
        return value

    return Converter(what, check, check)


def _text(value: Any) -> Any:
    if not isinstance(value, str):
        raise expected("a string", value)
    if not value.isascii() and _SPLIT_PAIR.search(value):  # JSON has no way to keep the two apart
        raise WireError("expected characters, found the two halves of a surrogate pair side by side")
    return value


_SPLIT_PAIR: Final = re.compile("[\ud800-\udbff][\udc00-\udfff]")

STRING = Converter("a string", _text, _text)
BOOLEAN = _checked("true or false", lambda value: isinstance(value, bool))
COUNT = _checked("a whole number from 0", lambda value: type(value) is int and value >= 0)
NUMBER = _checked("a number", lambda value: type(value) is int or (isinstance(value, float) and -inf < value < inf))


def one_of(words: type[StrEnum]) -> Converter:
    """Return the form of an enumeration."""
    what = f"one of {', '.join(words)}"
    by_value = {str(word): word for word in words}

    def read(value: Any) -> StrEnum:
        word = by_value.get(value) if isinstance(value, str) else None
        if word is None:
            raise expected(what, value)
        return word

    return Converter(what, lambda value: str(read(value)), read)


def nullable(form: Form) -> Converter:
    """Return the form that takes null, too."""
    write, read = form.write, form.read
    return Converter(
        f"{form.expected} or null",
        lambda value: None if value is None else write(value),
        lambda value: None if value is None else read(value),
    )


# Arrays, and JSON that is kept verbatim


def inside(key: str | int, convert: Callable[..., Any], *values: Any) -> Any:
    """Convert something, with `key` in front of the path of a `WireError`."""
    try:
        return convert(*values)
    except WireError as error:
        raise error.inside(key)


def for_each(convert: Convert, values: Any) -> list[Any]:
    """Convert every item of an array."""
    if not isinstance(values, ARRAY):
        raise expected("an array", values)
    return [inside(index, convert, value) for index, value in enumerate(values)]


def array_of(form: Form) -> Converter:
    """Return the form of an array."""
    return Converter("an array", partial(for_each, form.write), partial(for_each, form.read))


def _plain(value: Any, room: int = MAX_NESTING) -> Any:
    """Return a copy of any JSON in dicts and lists, which may nest `room` levels deep."""
    if isinstance(value, str):
        return _text(value)
    if value is None or isinstance(value, bool):
        return value
    is_object = isinstance(value, OBJECT)
    if not is_object and not isinstance(value, ARRAY):
        return NUMBER.read(value)
    if not room:
        raise WireError(f"expected JSON of at most {MAX_NESTING} levels, found more")
    step: Any = None
    try:
        if is_object:
            members: dict[str, Any] = {}
            for step, member in value.items():
                members[_text(step)] = _plain(member, room - 1)
            return members
        items: list[Any] = []
        for step, item in enumerate(value):
            items.append(_plain(item, room - 1))
        return items
    except WireError as error:
        raise error.inside(step)


def _plain_object(value: Any) -> Any:
    if not isinstance(value, OBJECT):
        raise expected("an object", value)
    return _plain(value)


def _plain_array(value: Any) -> Any:
    if not isinstance(value, ARRAY):
        raise expected("an array", value)
    return _plain(value)


JSON = Converter("JSON", _plain, _plain)
JSON_OBJECT = Converter("an object", _plain_object, _plain_object)
JSON_ARRAY = Converter("an array", _plain_array, _plain_array)


# Dataclasses

REQUIRED: Final[Any] = object()
"""The default of a field that is always written, and whose absence is an error."""
WRITTEN: Final[Any] = object()
"""The default of a property, which is always written and never read."""


class Field(NamedTuple):
    """One row of a table: a field of a dataclass."""

    name: str
    """Its name."""
    key: str
    """Its key in JSON."""
    form: Form
    """The form of its values."""
    default: Any = REQUIRED
    """Its value where the key is missing. A field with a default is written only if it differs."""


class Record:
    """The form of a dataclass: an object with a key for each field, and with tags such as its `type`."""

    expected = "an object"

    def __init__(self, cls: type[Any], tags: Mapping[str, str], *fields: Field) -> None:
        self.cls = cls
        self.tags = tags
        self.fields = fields
        self.by_name = {field.name: field for field in fields}

    def write(self, value: Any, without: Collection[str] = ()) -> dict[str, Any]:
        """Return the JSON of a value, without some of its fields."""
        written: dict[str, Any] = dict(self.tags)
        for name, key, form, default in self.fields:
            if name in without:
                continue
            field = getattr(value, name)
            if field != default:  # always, where there is no default
                try:
                    written[key] = form.write(field)
                except WireError as error:
                    raise error.inside(key)
        return written

    def read(self, data: Any) -> Any:
        """Return the value of some JSON. Ignore unknown keys."""
        return self.cls(**self.read_fields(data))

    def read_fields(self, data: Any, optional: Collection[str] = ()) -> dict[str, Any]:
        """Return the values of the fields; those of the `optional` ones only if their keys are there."""
        if not isinstance(data, OBJECT):
            raise expected("an object", data)
        for key, tag in self.tags.items():
            if data.get(key) != tag:
                raise expected(repr(tag), data.get(key)).inside(key)
        values: dict[str, Any] = {}
        for name, key, form, default in self.fields:
            if key in data:
                if default is not WRITTEN:
                    try:
                        values[name] = form.read(data[key])
                    except WireError as error:
                        raise error.inside(key)
            elif name not in optional and default is not WRITTEN:
                if default is REQUIRED:
                    raise WireError(f"expected {form.expected}, found nothing").inside(key)
                values[name] = default
        return values


class Union:
    """The form of several dataclasses, which the tag `type` distinguishes."""

    expected = "an object"

    def __init__(self, *records: Record) -> None:
        self.by_type = {record.tags["type"]: record for record in records}
        self.by_class = {record.cls: record for record in records}

    def record_of(self, value: Any) -> Record:
        """Return the form of a value's class."""
        record = self.by_class.get(value.__class__)
        if record is None:
            raise expected(f"one of {', '.join(cls.__name__ for cls in self.by_class)}", value)
        return record

    def record_for(self, data: Any) -> Record:
        """Return the form that the `type` of some JSON names."""
        if not isinstance(data, OBJECT):
            raise expected("an object", data)
        kind = data.get("type")
        record = self.by_type.get(kind) if isinstance(kind, str) else None
        if record is None:
            raise expected(f"one of {', '.join(self.by_type)}", kind).inside("type")
        return record

    def write(self, value: Any) -> dict[str, Any]:
        """Return the JSON of a value."""
        return self.record_of(value).write(value)

    def read(self, data: Any) -> Any:
        """Return the value of some JSON."""
        return self.record_for(data).read(data)


Form: TypeAlias = Converter | Record | Union
