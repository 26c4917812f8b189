# SPDX-License-Identifier: MIT
"""What the decoders of all formats share.

A decoder is sans-IO: chunks in, events out. Nothing that a provider sends makes it raise: what cannot be read ends
the stream with one `Error`, which holds all content so far. The rules that every format follows are here:

- which open block a delta belongs to (`_find`), and when a block ends because another begins (`_start_block`);
- which part of a whole text is not in the deltas before it (`_append_rest`);
- when a message is complete, and with which stop reason (`close`, `fail`, `_finish`);
- how token counts (`_count`) and details (`_details`, `OpenBlock.details`) are collected.
"""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Callable, Mapping
from typing import Any, ClassVar

from .._error_words import exception_words
from .._grammar import BlockKind
from .._json import TOO_DEEP, freeze, nests_too_deep
from ..builder import MessageBuilder
from ..events import MessageEvent
from ..messages import (
    AssistantMessage,
    ImageContent,
    StopReason,
    TextContent,
    ThinkingContent,
    ToolCall,
    UnknownContent,
    Usage,
)
from ._blocks import OpenBlock, OpenUnknown
from ._details import Details, frozen_or_text
from ._errors import payload_error
from ._payload import Chunk, MalformedChunk, Payload, count_or_none, id_or_none, payloads, plain_payload, text_or_none
from ._stop_reasons import stop_reason

_LOGGER = logging.getLogger("provider_events")

_SIGNATURES: dict[BlockKind, str] = {
    TextContent: "text_signature",
    ThinkingContent: "thinking_signature",
    ToolCall: "thought_signature",
}

CUT_OFF = "the stream broke off before the message was complete"


class Decoder:
    """Decodes one message: feed it the chunks as they come, then close it or fail it.

    `provider` and `model` are used until the stream itself names them. The timestamp of the message is the
    stream's own, or 0 if it has none, so that the same chunks always give equal events.
    """

    api: ClassVar[str]
    """The name of the format."""
    default_provider: ClassVar[str]
    """The provider to name if the caller names none."""
    repetitions: ClassVar[frozenset[str]] = frozenset()
    """The types of an SDK's own chunk objects that only repeat what other chunks bring."""
    unknown_stop_reason: ClassVar[StopReason] = StopReason.STOP
    """The meaning of a stop reason that is in no table."""

    def __init__(self, *, provider: str | None = None, model: str | None = None) -> None:
        provider = self.default_provider if provider is None else provider
        self._builder = MessageBuilder(api=self.api, provider=provider, model=model or "", timestamp=0)
        self._events: list[MessageEvent] = []
        self._open: dict[BlockKind, dict[int, OpenBlock]] = {TextContent: {}, ThinkingContent: {}, ToolCall: {}}
        self._by_id: dict[str, OpenBlock] = {}
        self._by_key: dict[int | None, OpenBlock] = {}  # never at None, which finds no block
        self._unknown: dict[int | str | None, OpenUnknown] = {}  # by the provider's index or id
        self._details = Details()
        self._identity: dict[str, Any] = {}  # the fields that `_identify` has set
        self._identified = False  # whether model and response id are among them
        self._counts: defaultdict[str, int] = defaultdict(int)
        self._stop_word: str | None = None
        self._stop_explanation: str | None = None
        self._started = False
        self.ended = False
        """Whether the terminal event has been returned. What is fed after it is ignored."""

    @property
    def partial(self) -> AssistantMessage:
        """The message as of the latest event."""
        return self._builder.partial

    def feed(self, chunk: Chunk) -> list[MessageEvent]:
        """Return the events of the next chunk."""
        try:
            if self.ended:
                return []
            if payload := plain_payload(chunk, self.repetitions):
                self._read(payload)
            else:
                self._read_any(chunk)
        except MalformedChunk as error:
            return self.fail(f"malformed chunk: {error}")
        except Exception as error:
            self._fail_by_bug(error, chunk)
        return self._take_events()

    def _read_any(self, chunk: Chunk) -> None:
        for payload in payloads(chunk, self.repetitions):
            if self.ended:
                break
            if payload is None:
                self._read_end_mark()
            else:
                self._read(payload)

    def close(self) -> list[MessageEvent]:
        """Return the events at the end of input: an `Error` if the message is not complete."""
        return self._end(CUT_OFF, self._is_complete)

    def fail(self, error: BaseException | str) -> list[MessageEvent]:
        """Return the events at a failure of the input: an `Error`, unless the message is complete already.

        What is no `Exception`, such as a cancellation, aborts the message.
        """
        words = error if isinstance(error, str) else exception_words(error)
        return self._end(words, self._is_complete_at_failure, aborted=not isinstance(error, (str, Exception)))

    def _end(self, words: str, is_complete: Callable[[], bool], *, aborted: bool = False) -> list[MessageEvent]:
        try:
            if not self.ended:
                if is_complete():
                    self._finish()
                else:
                    self._fail(words, aborted=aborted)
        except MalformedChunk as error:
            self._fail(f"malformed chunk: {error}")
        except Exception as error:
            self._fail_by_bug(error)
        return self._take_events()

    def _fail_by_bug(self, error: Exception, chunk: object = None) -> None:
        if isinstance(error, RecursionError):
            if not nests_too_deep(chunk):
                raise error  # no bug: the caller has left no stack to work on
            return self._fail(f"malformed chunk: {TOO_DEEP}")
        _LOGGER.error("the %s decoder failed on a chunk; please report this", self.api, exc_info=error)
        self._fail(f"the decoder failed: {type(error).__name__}: {error}")

    def _take_events(self) -> list[MessageEvent]:
        events, self._events = self._events, []
        return events

    # What each format defines

    @staticmethod
    def recognizes(payload: Payload) -> bool:
        """Return whether a payload can only be of this format."""
        raise NotImplementedError

    def _read(self, payload: Payload) -> None:
        """Take in a payload. Raises `MalformedChunk` for what cannot be read."""
        raise NotImplementedError

    def _usage(self) -> Usage:
        """Return the usage that follows from `_counts`. By default they are the buckets of `Usage`."""
        count = self._counts
        return Usage(count["input"], count["output"], count["cache_read"], count["cache_write"], count["reasoning"])

    def _flush_pending(self) -> None:
        """Put what is still held back into the message, before the terminal event."""
        for unknown in self._unknown.values():
            self._refresh(unknown)

    def _read_end_mark(self) -> None:
        """Take in an end mark, such as `[DONE]`."""
        if self._stop_word is not None or self._builder.state.next_index:
            self._finish()

    def _is_complete(self) -> bool:
        """Return whether the message is complete if the input ends now."""
        return self._stop_word is not None and not self._builder.state.open_blocks

    def _is_complete_at_failure(self) -> bool:
        """Return whether the message is complete if the connection fails now."""
        return self._is_complete()

    # The message

    def _identify(self, *, model: object = None, response_id: object = None, created: object = None) -> None:
        """Set the message's origin, each field once. `created` is Unix time, in seconds or milliseconds."""
        found: dict[str, Any] = {"model": text_or_none(model), "response_id": id_or_none(response_id)}
        if isinstance(created, (int, float)) and 0 < created < 1e14:
            found["timestamp"] = int(created * 1000 if created < 1e11 else created)
        new = {name: value for name, value in found.items() if value is not None and name not in self._identity}
        if new:
            self._identity |= new
            self._identified = self._identity.keys() >= {"model", "response_id"}
            self._builder.update(**new)

    def _count(self, **counts: object) -> None:
        """Set counts of tokens. Later ones overwrite earlier ones, but 0 and null do not."""
        for name, value in counts.items():
            if count := count_or_none(value):
                self._counts[name] = count

    def _update_message(self) -> None:
        """Put usage and details into the message, as of the next event."""
        if self._counts:
            self._builder.update(usage=self._usage())
        if self._details:
            self._builder.update(provider_details=self._details.frozen())

    def _start(self) -> None:
        """Begin the message, unless it has begun."""
        if not self._started:
            self._started = True
            self._update_message()
            self._events.append(self._builder.start())

    def _stop(self, word: object, explanation: object = None) -> None:
        """Set the stop reason."""
        if found := text_or_none(word):
            self._stop_word = found
            self._builder.update(raw_stop_reason=found)
        self._stop_explanation = text_or_none(explanation) or self._stop_explanation

    def _finish(self) -> None:
        """End the stream as the stop reason has it; without one, the message has ended naturally."""
        reason = stop_reason(self._stop_word or "stop", unknown=self.unknown_stop_reason)
        if reason in (StopReason.ERROR, StopReason.ABORTED):
            words = [f"the model stopped: {self._stop_word}", self._stop_explanation]
            self._fail(": ".join(filter(None, words)), aborted=reason is StopReason.ABORTED)
            return
        self._start()
        self._flush_pending()
        for block in self._all_open():
            self._end_block(block)
        self._update_message()
        self.ended = True
        has_calls = any(isinstance(block, ToolCall) for block in self.partial.content)
        if reason is StopReason.STOP and has_calls:
            reason = StopReason.TOOL_USE
        self._events.append(self._builder.done(reason))

    def _fail(self, message: str, *, aborted: bool = False) -> None:
        """End the stream with an `Error` that holds all content so far."""
        self.ended = True
        try:
            if self._started:
                self._flush_pending()
                for block in self._all_open():
                    self._flush_block(block, ended=False)
            self._update_message()
        except Exception as error:  # the failure that is reported counts, not one more
            if not isinstance(error, (MalformedChunk, RecursionError)):
                _LOGGER.error("the %s decoder failed on an error; please report this", self.api, exc_info=error)
        self._events.append(self._builder.error(message, aborted=aborted))

    def _fail_if_error(self, payload: Payload) -> bool:
        """End the stream if a payload is an error in any of their shapes. Return whether it is one."""
        if (words := payload_error(payload)) is not None:
            self._fail(words)
        return words is not None

    # Blocks with events

    def _all_open(self) -> list[OpenBlock]:
        """Return the open blocks in the order of the content."""
        blocks = [block for blocks in self._open.values() for block in blocks.values()]
        return sorted(blocks, key=lambda each: each.index)

    def _find(self, kind: BlockKind, *, id: str | None = None, key: int | None = None) -> OpenBlock | None:
        """Return the open block that a delta of `kind` belongs to, or None.

        That is the block with the provider's id, else the one at the provider's index `key`, else the only open
        block, always of this kind.
        """
        if id is not None and (block := self._by_id.get(id)) is not None and block.kind is kind:
            return block
        if key is not None and (block := self._by_key.get(key)) is not None and block.kind is kind:
            return block
        blocks = self._open[kind]
        return next(iter(blocks.values())) if len(blocks) == 1 else None

    def _start_block(
        self,
        kind: BlockKind,
        *,
        id: str | None = None,
        key: int | None = None,
        tool_call_id: str | None = None,
        tool_name: str | None = None,
    ) -> OpenBlock:
        """Begin a block, known by the provider's id and index `key`; one that is open at that index ends.

        A tool call whose id another call has is given an id of its own.
        """
        self._start()
        if key is not None and (before := self._by_key.get(key)) is not None:
            self._end_block(before)
        builder = self._builder
        if kind is TextContent:
            block = OpenBlock(kind, self._add_start(builder.text_start()), builder.text_delta, builder.text_end)
        elif kind is ThinkingContent:
            index = self._add_start(builder.thinking_start())
            block = OpenBlock(kind, index, builder.thinking_delta, builder.thinking_end)
        else:
            start = builder.tool_call_start(self._unique(tool_call_id), tool_name)
            block = OpenBlock(kind, self._add_start(start), builder.tool_call_delta, builder.tool_call_end)
            block.tool_call_id, block.tool_name = tool_call_id, tool_name
            if tool_call_id and start.tool_call_id is None:
                block.details.merge({"id": tool_call_id})
        self._open[kind][block.index] = block
        if id is not None:
            block.id = id
            self._by_id[id] = block
        if key is not None:
            block.key = key
            self._by_key[key] = block
        return block

    def _add_start(self, event: Any) -> int:
        """Add the event that starts a block, and return the content index."""
        self._events.append(event)
        index: int = event.content_index
        return index

    def _unique(self, tool_call_id: str | None) -> str | None:
        return None if tool_call_id and self._builder.has_call_id(tool_call_id) else tool_call_id

    def _append(self, block: OpenBlock, text: str) -> None:
        """Append new text to a block."""
        # The common case first, without a call: text or thinking that ends in no surrogate.
        if block.is_text and text and not block.held and text[-1] < "\ud800":
            self._events.append(block.emit(text, block.index))
        elif text and (text := block.take(text)):
            self._events.append(block.emit(text, block.index))

    def _append_rest(self, block: OpenBlock, whole: str, *, after: int = 0) -> None:
        """Append what `whole` has beyond the deltas of a block, if it begins with them.

        `after` is the length of the block's text before these deltas.
        """
        before = self._builder.streamed(block.index)[after:] + block.held
        if whole.startswith(before):
            self._append(block, whole[len(before) :])

    def _cite(self, block: OpenBlock, *annotations: Any) -> None:
        """Add annotations to a text block. They are in the message from its end on."""
        block.annotations.extend(map(frozen_or_text, annotations))

    def _frozen(self, value: Any) -> Any:
        try:
            return freeze(value)
        except (TypeError, ValueError) as error:
            raise MalformedChunk(str(error)) from None

    def _flush_block(self, block: OpenBlock, *, ended: bool) -> None:
        """Put what is held back for a block into the message."""
        if rest := block.take_rest(ended=ended):
            self._events.append(block.emit(rest, block.index))
        fields: dict[str, Any] = {}
        if signature := "".join(block.signature):
            fields[_SIGNATURES[block.kind]] = signature
        if block.annotations:
            fields["annotations"] = block.annotations
        if block.details:
            fields["provider_details"] = block.details.frozen()
        if fields:
            self._builder.update_block(block.index, **fields)

    def _end_block(self, block: OpenBlock) -> None:
        """End a block."""
        self._flush_block(block, ended=True)
        del self._open[block.kind][block.index]
        if block.id is not None and self._by_id.get(block.id) is block:
            del self._by_id[block.id]
        if block.key is not None and self._by_key.get(block.key) is block:
            del self._by_key[block.key]
        self._events.append(block.end(block.index))

    # Blocks without events

    def _add_unknown(self, data: Mapping[str, Any], key: int | str | None = None) -> OpenUnknown:
        """Add an unknown block. With a `key`, the provider's index or id, it can be found again and grow."""
        self._start()
        index = self._builder.add_block(UnknownContent(self._frozen(data)))
        unknown = OpenUnknown(index)
        unknown.data.merge(data)
        if key is not None:
            self._unknown[key] = unknown
        return unknown

    def _refresh(self, unknown: OpenUnknown) -> None:
        """Put what has come for an unknown block into the message."""
        self._builder.update_block(unknown.index, data=self._frozen(unknown.data.value()))

    def _add_image(self, data: str, mime_type: str, details: Mapping[str, Any] | None = None) -> None:
        """Add an image."""
        self._start()
        self._builder.add_block(ImageContent(data, mime_type, self._frozen(details or {})))
