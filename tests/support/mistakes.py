"""Programs with a mistake each, and what mypy must find: the code of its error and some of its words."""

from __future__ import annotations

import re
import typing

from provider_events import AnyProviderEvent, ContentBlock

from .checkers import SAMPLES, vendored

VARIANTS = [cls.__name__ for cls in typing.get_args(AnyProviderEvent)]
BLOCKS = [cls.__name__ for cls in typing.get_args(ContentBlock)]

# A sample that matches on all classes of a union without `case _`, by what these classes are.
EXHAUSTIVE = {"every_event": VARIANTS, "every_block": BLOCKS}

# Statements about an event, a message and its blocks, by what mypy finds.
_STATEMENTS = {
    ("misc", "is read-only"): [
        "event.content_index = 1",
        "event.delta = 'x'",
        "event.partial = message",
        "message.model = 'x'",
        "message.content = ()",
        "message.provider_details = {}",
        "message.usage.input_tokens = 1",
        "message.usage.total_tokens = 1",
        "text.text = 'x'",
        "thinking.redacted = True",
        "image.data = 'x'",
        "call.arguments = {}",
        "unknown.data = {}",
    ],
    ("misc", "Cannot assign to class variable"): ["event.type = 'text_delta'", "message.role = 'assistant'"],
    ("attr-defined", "has no attribute"): [
        "event.contentindex",
        "event.deltas",
        "message.txt",
        "message.toolcalls",
        "message.usage.tokens",
        "text.txt",
        "thinking.text",
        "image.mimetype",
        "call.args",
        "unknown.date",
        "FallbackReason.TIRED",
        "call.arguments.update({})",
        "message.provider_details.pop('x')",
    ],
    ("attr-defined", '"Mapping[str, Any]" has no attribute "__delitem__"'): ["del call.arguments['x']"],
    ("misc", "Cannot inherit from final class"): [
        *[f"class Mine({name}): ..." for name in [*VARIANTS, *BLOCKS, "AssistantMessage", "Usage", "Cost"]],
    ],
    ("index", "Unsupported target for indexed assignment"): [
        "call.arguments['x'] = 1",
        "unknown.data['x'] = 1",
        "message.provider_details['x'] = 1",
        "text.annotations[0] = 1",
        "message.content[0] = text",
    ],
    ("arg-type", "incompatible type"): [
        "TextDelta(0, 1, message)",
        "ToolCall('id', 'name', [])",
        "builder.done('stop')",
        "builder.text_delta(b'x')",
        "builder.add_block(text)",
    ],
    ("call-overload", "No overload variant"): ["collect(message)"],
    ("call-arg", "Missing positional argument"): ["TextDelta(0, 'x')", "Start()", "TextEnd(0, 'x')"],
    ("call-arg", "Unexpected keyword argument"): [
        "builder.update(modle='x')",
        "builder.update(content=())",
        "Usage(total_tokens=1)",
    ],
}
STATEMENTS = {wrong: found for found, group in _STATEMENTS.items() for wrong in group}

_PROGRAM = """\
from provider_events import *

def wrong(
    event: TextDelta, message: AssistantMessage, builder: MessageBuilder,
    text: TextContent, thinking: ThinkingContent, image: ImageContent, call: ToolCall, unknown: UnknownContent,
) -> None:
    """
LINE_OF_STATEMENT = _PROGRAM.count("\n") + 1


def without_case(program: str, name: str) -> str:
    """Return a program without the two lines of one case."""
    shorter, count = re.subn(rf"^ +case {name}\(.*\n.*\n", "", program, flags=re.M)
    assert count == 1, name
    return shorter


def programs() -> dict[str, str]:
    """Return all programs, by the names of their files."""
    files = {f"wrong_{number}.py": f"{_PROGRAM}{wrong}\n" for number, wrong in enumerate(STATEMENTS)}
    for sample, names in EXHAUSTIVE.items():
        text = SAMPLES[sample].read_text("utf-8")
        files |= {f"without_{name}.py": without_case(text, name) for name in names}
    return {file: vendored(text) for file, text in files.items()}
