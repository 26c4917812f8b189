# SPDX-License-Identifier: MIT
"""Values whose fields are computed at the first read.

A stream makes a snapshot of its message at every delta, and few of them are read. A lazy value is therefore
an instance whose fields are not set yet: it holds where to find them (a `Source`) and as of which step.

    lazy(TextContent, source, 7)     ->  _source = source, _step = 7; `text` and the other fields are not set
    value.text                       ->  `text` is missing, so Python calls `__getattr__`, which
                                         sets all fields to `source.values(7)` and lets go of the source

A value made by its constructor has all its fields set, and `__getattr__` is never called for them.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import TYPE_CHECKING, Any, ClassVar, Protocol, TypeVar

L = TypeVar("L", bound="Lazy")


class Source(Protocol):
    """Where a lazy value finds its fields."""

    def values(self, step: int, /) -> tuple[Any, ...]:
        """Return all fields as of `step`, in the order of the dataclass."""
        ...


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
            if name in self.__match_args__ and (source := self._source) is not None:
                for store, value in zip(_setters(type(self)), source.values(self._step), strict=True):
                    store(self, value)
                _set_source(self, None)
            return object.__getattribute__(self, name)


_set_source = Lazy.__dict__["_source"].__set__
_set_step = Lazy.__dict__["_step"].__set__


@cache
def _setters(cls: type[Lazy]) -> tuple[Callable[[object, object], None], ...]:
    """Return the setters of the slots of `cls`, in field order; they work in spite of `frozen`."""
    return tuple(getattr(cls, name).__set__ for name in cls.__match_args__)


def lazy(cls: type[L], source: Source, step: int) -> L:
    """Return an instance of `cls` whose fields are `source.values(step)`, computed at the first read."""
    value = cls.__new__(cls)
    _set_source(value, source)
    _set_step(value, step)
    return value


def is_lazy(value: Lazy) -> bool:
    """Return whether the fields of a value are still to be computed."""
    return value._source is not None
