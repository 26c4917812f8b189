# SPDX-License-Identifier: MIT
"""`fallback_reason`: what kind of failure an exception or an `Error` is.

It is decided in these steps:

1. Cancellation and mistakes in the program are no provider's failure.
2. Any other failure is read as one text, `Class status type: message` (see `_error_words`), so that an exception and
   the `Error` that a decoder makes of it have the same reason.
3. The text's HTTP status is its leading one, else the first anywhere in it. A provider's error type counts as the
   status that goes with it (`_error_types`), and is preferred to a status that means little, such as 400.
4. Under that status, or without one, some phrases count (`_RULES`, `_failure_phrases`). The first found decides.
5. If none is found, the status decides alone (`_BY_STATUS`).
6. Without a status, an exception is `unknown`, and a text of the provider's own is a `model_error`.
"""

# Wrong types are refused at run time too, for callers who run no type checker:
# pyright: reportUnnecessaryIsInstance=false

from __future__ import annotations

import re
from collections.abc import Collection
from typing import Final, cast

from ._error_types import TYPES
from ._error_words import MISTAKES, error_words, exception_words
from ._failure_phrases import PHRASES
from .events import Error, FallbackReason
from .messages import StopReason

__all__ = ["fallback_reason"]


def fallback_reason(failure: BaseException | Error) -> FallbackReason | None:
    """Return what kind of failure an exception or an `Error` is; None if no provider is to blame.

    None is for cancellation, for an aborted `Error`, and for mistakes in the program (`TypeError`, `AttributeError` and
    their like). Of a group of exceptions the first decides, unless one of them is None. A failure that is not
    recognised is `unknown` if it is an exception, and `model_error` if its text is a provider's.
    """
    if not isinstance(failure, (BaseException, Error)):
        found = type(failure).__name__
        raise TypeError(f"fallback_reason: expected an exception or an Error event, found {found} {failure!r:.80}")
    if isinstance(failure, Error):
        return None if failure.reason is StopReason.ABORTED else _reason_of_error(failure.error.error_message or "")
    if isinstance(failure, BaseExceptionGroup):
        reasons = list(map(fallback_reason, cast("BaseExceptionGroup[BaseException]", failure).exceptions))
        return None if None in reasons else reasons[0]
    is_cancellation = any(cls.__name__ == "CancelledError" for cls in type(failure).__mro__)
    if not isinstance(failure, Exception) or isinstance(failure, MISTAKES) or is_cancellation:
        return None
    return _reason(exception_words(failure)) or FallbackReason.UNKNOWN


# The text of an `Error` may be a provider's, or that of an exception which a decoder met.
_FROM_MISTAKE: Final = re.compile(
    r"(?:\w{1,80} \()?(?:Type|Attribute|Name|UnboundLocal|Assertion|NotImplemented|Import|ModuleNotFound|Syntax"
    r"|Indentation|Tab|Cancelled)Error\b"
)
_FROM_EXCEPTION: Final = re.compile(
    r"(?:\w{0,80}?(?:Error|Exception|Timeout)|[\w.]{1,80} \(\w{1,80}\))(?: \d{3})?(?::|$)"
)


def _reason_of_error(text: str) -> FallbackReason | None:
    words = error_words(text) if text[:1] in ("{", "[") else text.strip()
    if reason := _reason(words):
        return reason
    if _FROM_MISTAKE.match(words):
        return None
    return FallbackReason.UNKNOWN if _FROM_EXCEPTION.match(words) else FallbackReason.MODEL_ERROR


_HEAD, _TAIL = 4000, 1000
"""How many characters of a long text are read, at either end: what is between them is a copy of the request."""


def _reason(words: str) -> FallbackReason | None:
    """Return the reason that a text gives; None if it has neither a status nor a known phrase."""
    if len(words) > _HEAD + _TAIL:
        words = f"{words[:_HEAD]}\n{words[-_TAIL:]}"
    status = _status(words)
    lower = words.lower()
    for reason, statuses, phrases in _RULES:
        if status in statuses and phrases.search(lower):
            return reason
    if status is None:
        return None
    return _BY_STATUS.get(status, FallbackReason.MODEL_ERROR if status < 500 else FallbackReason.SERVER_ERROR)


# Statuses


def _any_of(table: str) -> str:
    """Return a pattern that matches any line of a table, without the comments in it."""
    return "|".join(line.partition("  #")[0].strip() for line in table.strip().splitlines())


_BY_STATUS: Final = {
    401: FallbackReason.AUTH_ERROR,
    402: FallbackReason.AUTH_ERROR,
    403: FallbackReason.AUTH_ERROR,
    407: FallbackReason.NETWORK_ERROR,
    408: FallbackReason.NETWORK_ERROR,
    413: FallbackReason.CONTEXT_OVERFLOW,
    429: FallbackReason.RATE_LIMIT,
    499: FallbackReason.NETWORK_ERROR,
}
"""The reason of a status alone. Others are `model_error` below 500, and `server_error` from 500 on."""

_VAGUE: Final = frozenset(range(400, 500)) - _BY_STATUS.keys()
"""The statuses that show no more than that the request was refused."""

# `429: ...`, `[429] ...`, `<400> ...`; behind a class or a type: `SomeError 429: ...`, `some_type 429: ...`,
# `Client error '429 ...'`, `An error occurred (429) ...`, `HTTP Error 429: ...`
_LEADING_STATUS: Final = re.compile(
    r"\W{0,2}([45]\d\d)(?!\d| tokens)\b"
    r"|(?:[\w.]{1,80}(?: \([\w.]{1,80}\))?:? ){1,4}['(\[<]?([45]\d\d)(?=: ?|$| -| [A-Z{<]| status\b| ?['\])>{])"
)
_TYPE: Final = "|".join(f"(?P<s{status}>{_any_of(types)})" for status, types in TYPES.items())
_STATUS: Final = re.compile(
    r"\b(?:[eE]rror|[cC]ode|[sS]tatus(?:_?[cC]ode)?|HTTP(?:/[\d.]{1,3})?(?: [sS]tatus)?(?: [cC]ode| [eE]rror)?)"
    r"(?:(?<!status_code)['\"])?[:=]? ?['\"(<]?([45]\d\d)\b"  # `status code 503`, `"code": 429`, `HTTP/1.1 502`
    r"|\b([45]\d\d)(?= (?:Too Many|Bad Gateway|Service |Gateway |Internal Server|Unauthorized|Forbidden|Payment R))"
    rf"|\b(?:{_TYPE})\b"
)
# Where a type is the payload's own, and not quoted in its message: in front, behind its key, or in parentheses.
_OWN_TYPE: Final = re.compile(
    r"(?:\A(?:[\w.]{1,80}(?: \([\w.]{1,80}\))?(?: \d{3})?: |\d{3}:? )?(?:[a-z_]{1,40} )?"
    r"|(?:type|code|status|reason)['\"]?: ?['\"]?"
    rf"|\()(?:{_TYPE})\b"
)


def _status(words: str) -> int | None:
    """Return the HTTP status in a text, or the one that its first error type stands for."""
    found = _LEADING_STATUS.match(words) or _STATUS.search(words)
    status = found and _status_of(found)
    if status in _VAGUE:
        for own_type in _OWN_TYPE.finditer(words):
            if _status_of(own_type) not in _VAGUE:
                return _status_of(own_type)
    return status


def _status_of(found: re.Match[str]) -> int:
    return int(found.lastgroup[1:]) if found.lastgroup else int(next(filter(None, found.groups())))


# Phrases

_RULES: Final[tuple[tuple[FallbackReason, Collection[int | None], re.Pattern[str]], ...]] = tuple(
    (reason, statuses, re.compile(_any_of(PHRASES[phrases])))
    for reason, statuses, phrases in (
        (FallbackReason.RATE_LIMIT, {None, 413}, "tokens per minute"),
        (FallbackReason.RATE_LIMIT, {None}, "rate"),
        (FallbackReason.CONTEXT_OVERFLOW, {None, 413, 500, *_VAGUE}, "overflow"),
        (FallbackReason.AUTH_ERROR, {None, *_VAGUE}, "account"),
        (FallbackReason.MODEL_ERROR, {None}, "model"),
        (FallbackReason.AUTH_ERROR, {None}, "auth"),
        (FallbackReason.SERVER_ERROR, {None}, "server"),
        (FallbackReason.NETWORK_ERROR, {None}, "network"),
    )
)
"""The reason, the statuses under which its phrases count (None: without a status), and the phrases.

Rates come before sizes, since "too many tokens per minute" is not too many tokens, and what is certain comes before
what is likely."""
