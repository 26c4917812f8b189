"""What happens between any two lines of a call: a reader in another thread goes on, or an exception comes."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from types import FrameType
from typing import Any

import pytest

import provider_events
from provider_events import AssistantMessage, ImageContent, MessageBuilder, StopReason, UnknownContent, check

PACKAGE = str(Path(provider_events.__file__).parent)

Step = Callable[[MessageBuilder], Any]

# A stream in which everything interleaves with everything.
SCRIPT: list[Step] = [
    lambda builder: builder.start(),
    lambda builder: builder.text_start(),
    lambda builder: builder.text_delta("a", 0),
    lambda builder: builder.tool_call_start("call_1", "f"),
    lambda builder: builder.tool_call_delta('{"x": "', 1),
    lambda builder: builder.text_delta("b", 0),
    lambda builder: builder.text_delta("c", 0),
    lambda builder: builder.add_block(UnknownContent({"n": 0})),
    lambda builder: builder.tool_call_delta("y", 1),
    lambda builder: builder.add_annotation(0, {"url": "u"}),
    lambda builder: builder.update(response_id="r", provider_details={"tier": "t"}),
    lambda builder: builder.text_delta("d", 0),
    lambda builder: builder.update_block(1, id="call_2", thought_signature="s"),
    lambda builder: builder.thinking_start(),
    lambda builder: builder.thinking_delta("h", 3),
    lambda builder: builder.text_end(0, signature="sig"),
    lambda builder: builder.update_block(2, data={"n": 1}),
    lambda builder: builder.tool_call_delta('"}', 1),
    lambda builder: builder.add_block(ImageContent("aGk=", "image/png")),
    lambda builder: builder.tool_call_end(1, tool_call_id="call_3", tool_name="g"),
    lambda builder: builder.tool_call_start(),
    lambda builder: builder.thinking_delta("i", 3),
    lambda builder: builder.tool_call_end(),
    lambda builder: builder.thinking_end(3),
    lambda builder: builder.done(StopReason.TOOL_USE),
]
FAILED = [*SCRIPT[:-2], lambda builder: builder.error("broken")]


def new_builder() -> MessageBuilder:
    return MessageBuilder(api="api", provider="provider", model="model", timestamp=1)


def run(script: list[Step], builder: MessageBuilder) -> Iterator[Any]:
    for step in script:
        yield step(builder)


def plain(message: AssistantMessage) -> str:
    return repr(message)


@cache
def partials() -> list[str]:
    """Return the snapshot after each step of the script, as text."""
    builder = new_builder()
    return [plain(builder.partial) for _ in run(SCRIPT, builder)]


def at_line(number: int, work: Callable[[], Any], interruption: Callable[[], object]) -> tuple[Any, bool]:
    """Do some work, interrupted before the `number`th line of the package that it runs, if it runs that many."""
    lines = 0

    def trace(frame: FrameType, event: str, _: Any) -> Any:
        nonlocal lines
        if not frame.f_code.co_filename.startswith(PACKAGE):
            return None
        if event == "line":
            lines += 1
            if lines == number:
                sys.settrace(None)
                interruption()
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        return work(), lines >= number
    finally:
        sys.settrace(before)


def every_line(work: Callable[[int], bool]) -> None:
    number = 1
    while work(number):
        number += 1
    assert number > 3, "no line of the package was traced"


READS: dict[str, Callable[[AssistantMessage], object]] = {
    "all": plain,
    "text": lambda message: message.text,
    "thinking": lambda message: message.thinking,
    "content": lambda message: [repr(block) for block in message.content],
    "text of a block": lambda message: [getattr(block, "text", None) for block in message.content],
    "arguments": lambda message: [(call.name, call.arguments) for call in message.tool_calls],
}


@pytest.mark.parametrize("read", READS)
@pytest.mark.parametrize("at", [6, 7, 12, 16])
def test_a_snapshot_is_right_whatever_the_builder_does_while_it_is_read(read: str, at: int) -> None:
    expected, twin = partials(), new_builder()
    list(run(SCRIPT[:at], twin))
    expected_read = READS[read](twin.partial)

    def interrupted(number: int) -> bool:
        builder = new_builder()
        rest = run(SCRIPT, builder)
        for _ in range(at):
            next(rest)
        message, again = builder.partial, builder.partial
        if number % 2:  # with and without what an earlier reader has left
            READS[read](builder.partial)
        found, traced = at_line(number, lambda: READS[read](message), lambda: list(rest))
        assert found == expected_read, number
        assert plain(message) == plain(again) == expected[at - 1], number
        list(rest)
        assert plain(builder.partial) == expected[-1]
        return traced

    every_line(interrupted)


@pytest.mark.parametrize("at", range(len(SCRIPT)))
def test_older_snapshots_are_right_whatever_line_the_builder_is_at(at: int) -> None:
    expected = partials()

    def interrupted(number: int) -> bool:
        builder = new_builder()
        kept = []
        for _ in run(SCRIPT[:at], builder):
            kept.append([builder.partial, builder.partial, builder.partial])
        found: list[list[str]] = []

        def read() -> None:
            found.append([plain(first) for first, _, _ in reversed(kept)])
            for _, second, _ in kept:
                _ = second.text, second.tool_calls

        _, traced = at_line(number, lambda: SCRIPT[at](builder), read)
        assert all(texts == expected[:at][::-1] for texts in found), number
        list(run(SCRIPT[at + 1 :], builder))
        assert [plain(third) for _, _, third in kept] == expected[:at], number
        assert plain(builder.partial) == expected[-1], number
        return traced

    every_line(interrupted)


class Interruption(BaseException):
    """Like `KeyboardInterrupt`, which may come anywhere."""


def interrupt() -> object:
    raise Interruption


@pytest.mark.parametrize("at", range(len(SCRIPT) + 1))
def test_a_call_that_is_broken_off_anywhere_leaves_the_builder_as_it_was(at: int) -> None:
    script = FAILED if at == len(SCRIPT) else SCRIPT
    at = min(at, len(script) - 1)
    twin = new_builder()
    expected = list(run(script, twin))

    def interrupted(number: int) -> bool:
        builder = new_builder()
        results = list(run(script[:at], builder))
        before, state = plain(builder.partial), str(builder.state)
        try:
            result, _ = at_line(number, lambda: script[at](builder), interrupt)
        except Interruption:
            assert plain(builder.partial) == before, number
            assert str(builder.state) == state, number
            results += run(script[at:], builder)
            assert results == expected, number
            list(check(event for event in results if hasattr(event, "partial")))
            return True
        assert result == expected[at], number
        return False

    every_line(interrupted)


@pytest.mark.parametrize("at", range(1, len(SCRIPT)))
def test_another_call_may_follow_one_that_was_broken_off(at: int) -> None:
    def interrupted(number: int) -> bool:
        builder, twin = new_builder(), new_builder()
        list(run(SCRIPT[:at], builder))
        list(run(SCRIPT[:at], twin))
        try:
            at_line(number, lambda: SCRIPT[at](builder), interrupt)
        except Interruption:
            assert builder.thinking_start() == twin.thinking_start(), number
            assert builder.thinking_delta("z") == twin.thinking_delta("z"), number
            assert builder.error("enough") == twin.error("enough"), number
            return True
        return False

    every_line(interrupted)
