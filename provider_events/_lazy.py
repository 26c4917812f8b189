# SPDX-License-Identifier: MIT
"""Values whose fields are computed when they are read.

A stream makes a snapshot of its message at every delta, and few of them are read. A lazy value is an instance
whose fields are not set yet. It has a `Source` to take them from, and the step of the stream that it shows.

    value = lazy(TextContent, source, 7)   sets `_source` and `_step`, but no field
    value.text                             calls `__getattr__`, since `text` is not set; that calls `source.load`,
                                           which sets it
    value.text                             finds it set

A value made by its constructor has all its fields set, so `__getattr__` is never called for them.

Threads: a source sets fields first, and replaces itself last. A reader that finds it replaced finds the fields set. Two
threads that read one value at the same time may both compute it; they compute the same.
"""

# `_source` and `_step` are private to the package, not to the class:
# pyright: reportPrivateUsage=false

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

L = TypeVar("L", bound="Lazy")


class Source:
    """What the fields of a lazy value are taken from, and, once all are set, what identifies its stream."""

    __slots__ = ()

    is_log: ClassVar[bool] = False
    """Whether this is a log, which holds all deltas of a stream or block."""

    def load(self, value: Lazy, name: str, /) -> Any:
        """Set the field `name` of `value`, perhaps others too, and return it."""
        return object.__getattribute__(value, name)  # another thread has set it meanwhile


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
    """Return an instance of `cls` that takes its fields from `source`, as of `step`."""
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
