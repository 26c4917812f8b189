"""Reading text and arguments at every delta."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from functools import partial
from typing import Any

from provider_events import AssistantMessage, TextContent, ToolCall

from .measuring import Result, Row, compare, deltas, growth, least, new_builder, started

Read = Callable[[Any], object]


def text_of_message(message: AssistantMessage) -> object:
    return message.text


def text_of_block(message: AssistantMessage) -> object:
    return message.content[0].text  # type: ignore[union-attr]


def arguments(message: AssistantMessage) -> object:
    call = message.content[0]
    assert isinstance(call, ToolCall)
    return call.arguments


def name(message: AssistantMessage) -> object:
    return message.tool_calls[0].name


def read_each(kind: str, texts: list[str], read: Read) -> None:
    delta = started(kind)
    for text in texts:
        read(delta(text).partial)


def text_over_naive(read: Read) -> Result:
    def naive() -> None:
        text = ""
        for delta in texts:
            text = text + delta
            read(AssistantMessage("a", "p", "m", content=(TextContent(text),)))

    texts = deltas(10_000)
    return compare(partial(read_each, "text", texts, read), naive, len(texts))


LINE = 'def capital(country: str) -> str:\n    return CAPITALS["%d"][country]  # such as "Paris"\n'


def cut(value: object, step: int = 16) -> list[str]:
    """Return the JSON text of arguments in deltas of `step` characters."""
    text = json.dumps(value)
    return [text[at : at + step] for at in range(0, len(text), step)]


def code(size: int, step: int = 16) -> list[str]:
    """Return the arguments of a call that writes a file."""
    lines = "".join([LINE % n for n in range(size // len(LINE))])
    return cut({"path": "capitals.py", "content": lines}, step)


def prose(size: int) -> list[str]:
    """Return the arguments of a call that writes a text without any escapes."""
    return cut({"path": "paris.txt", "content": "".join(deltas(size // 4))})


def japanese(size: int) -> list[str]:
    """Return the arguments of a call that writes a text of nothing but escapes."""
    return cut({"path": "nihongo.txt", "content": "日本語の文章です。" * (size // 54)})


def records(size: int) -> list[str]:
    """Return the arguments of a call with a long list of small objects."""
    return cut({"rows": [{"id": n, "name": "some name"} for n in range(size // 32)]})


def arguments_over_text() -> Result:
    texts = code(100_000)
    return compare(
        partial(read_each, "tool_call", texts, arguments), partial(read_each, "text", texts, text_of_block), len(texts)
    )


def arguments_over_jiter(make: Callable[[int], list[str]]) -> Result:
    from jiter import from_json  # type: ignore[import-not-found, unused-ignore]

    def theirs() -> None:
        text = b""
        for delta in texts:
            text += delta.encode()
            from_json(text, partial_mode=True)

    texts = make(100_000)
    return compare(partial(read_each, "tool_call", texts, arguments), theirs, len(texts))


def arguments_at_all_sizes() -> Result:
    """Return the slowest size over the fastest, of the time for a delta less that of one copy of the string."""

    def copy_each(texts: list[str]) -> None:
        content = json.loads("".join(texts))["content"]
        step, text = len(content) // len(texts), ""
        for n in range(len(texts)):
            longer = "".join((text, content[n * step : (n + 1) * step]))
            text = longer

    sizes = {size: code(size) for size in (10_000, 50_000, 200_000)}
    sides: list[Callable[[], object]] = []
    for texts in sizes.values():
        sides += [partial(read_each, "tool_call", texts, arguments), partial(copy_each, texts)]
    taken = least(*sides, share=3)
    each = {
        size: (ours - copies) / len(texts) * 1e9
        for (size, texts), ours, copies in zip(sizes.items(), taken[::2], taken[1::2], strict=True)
    }
    return max(each.values()) / min(each.values()), ", ".join(f"{ns:,.0f} ns at {size:,}" for size, ns in each.items())


def many_members(kind: str, count: int) -> None:
    members = {f"key{n}": n for n in range(count)} if kind == "keys" else {"items": list(range(count))}
    read_each("tool_call", cut(members), arguments)


def single_characters() -> Result:
    texts = code(120_000, 1)
    begin = time.process_time()
    read_each("tool_call", texts, arguments)
    return time.process_time() - begin, f"seconds for {len(texts):,} deltas"


def with_ended_blocks(count: int) -> None:
    builder = new_builder()
    for _ in range(count):
        builder.text_start()
        _ = builder.text_delta("x").partial.content[-1].text  # type: ignore[union-attr]
        _ = builder.text_end().partial.text


ROWS = [
    Row("partial.content[0].text, 10,000 deltas / str + delta, message", 1.0, partial(text_over_naive, text_of_block)),
    Row("partial.text, 10,000 deltas / str + delta, message", 0.8, partial(text_over_naive, text_of_message)),
    Row("arguments, 100 KB in 16 characters / text read likewise", 3, arguments_over_text),
    Row("the same / jiter of the whole text, code", 0.2, partial(arguments_over_jiter, code)),
    Row("the same / jiter of the whole text, plain prose", 0.2, partial(arguments_over_jiter, prose)),
    Row("the same / jiter of the whole text, escapes", 0.2, partial(arguments_over_jiter, japanese)),
    Row("the same / jiter of the whole text, objects", 0.2, partial(arguments_over_jiter, records)),
    Row("arguments less a copy, 10 to 200 KB: slowest over fastest", 1.3, arguments_at_all_sizes),
    Row("arguments, 120,000 deltas of 1 character: seconds", None, single_characters),
    Row("arguments, keys: n, 2n, 4n", None, lambda: growth(partial(many_members, "keys"), (1_250, 2_500, 5_000))),
    Row("arguments, items: n, 2n, 4n", None, lambda: growth(partial(many_members, "items"), (1_250, 2_500, 5_000))),
    Row("text of the last of many blocks: n, 2n, 4n", 1.5, lambda: growth(with_ended_blocks, (250, 500, 1_000))),
]
