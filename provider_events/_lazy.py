# SPDX-License-Identifier: MIT
"""Values whose fields are computed when they are read.

A stream makes a snapshot of its message at every delta, and few of them are read. A lazy value is an instance
whose fields are not set yet; it holds a `Source` to take them from, and a step: as of when.

    lazy(TextContent, source, 7)   ->  _source = source, _step = 7; `text` and the other fields are not set
    value.text                     ->  `text` is missing, so Python calls `__getattr__`,
                                       which has `source` set it, and keeps what it set

A value made by its constructor has all its fields set, and `__getattr__` is never called for them.

Threads: a source sets fields first and is replaced last, so whoever finds it replaced finds the fields set. Two
threads that read one value at the same time may both compute it; they compute the same.
"""

# `_source` and `_step` are private to users, not to the files that fill lazy values.
# pyright: reportPrivateUsage=false

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

L = TypeVar("L", bound="Lazy")


class Source:
    """Where a lazy value finds its fields, and afterwards what it remembers of its stream."""

    __slots__ = ()

    is_log: ClassVar[bool] = False
    """Whether this is the log of a stream, which grows as long as the stream does."""

    def load(self, value: Lazy, name: str, /) -> Any:
        """Set the field `name` of `value`, and others that come with it, and return it."""
        return object.__getattribute__(value, name)  # another thread has just set it


class Lazy:
    """Base of the dataclasses whose instances may be lazy."""

    __slots__ = ("_source", "_step")
    __match_args__: ClassVar[tuple[str, ...]] = ()

    if TYPE_CHECKING:
        _source: Any
        _step: int
    else:  # hidden from type checkers, to which a misspelt attribute must stay an error

        def __getattr__(self, name: str) -> Any:
            if name == "_source":
                return None  # made by its constructor
            source = self._source
            if source is None:
                return object.__getattribute__(self, name)  # raises the usual error
            return source.load(self, name)


set_source: Callable[[Lazy, Source], None] = Lazy.__dict__["_source"].__set__
_new = object.__new__
_set_step: Callable[[Lazy, int], None] = Lazy.__dict__["_step"].__set__


def lazy(cls: type[L], source: Source, step: int) -> L:
    """Return an instance of `cls` whose fields are those of `source` as of `step`."""
    value: L = _new(cls)
    set_source(value, source)
    _set_step(value, step)
    return value


def is_lazy(value: Lazy) -> bool:
    """Return whether a value still needs the log of its stream."""
    return value._source is not None and value._source.is_log


def setter(cls: type[Lazy], name: str) -> Callable[[Lazy, Any], None]:
    """Return the fastest way to set a field of a frozen class, for what runs at every read."""
    set_field: Callable[[Lazy, Any], None] = getattr(cls, name).__set__
    return set_field


def copy_fields(value: Lazy, other: Lazy, but: str) -> None:
    """Set all fields of `value` to those of `other`, except one."""
    for name in other.__match_args__:
        if name != but:
            object.__setattr__(value, name, getattr(other, name))


def with_field(value: L, name: str, field: Any) -> L:
    """Return a copy with another field that needs no check: `dataclasses.replace` without `__post_init__`."""
    copy: L = _new(type(value))
    copy_fields(copy, value, name)
    object.__setattr__(copy, name, field)
    return copy
