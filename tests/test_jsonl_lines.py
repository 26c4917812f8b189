"""JSON lines: what the line of an event holds besides the event itself, and what it does not repeat."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from support.log_cases import CASES, Stream
from support.logs import lines_of, log_of, read_all
from support.streams import new_builder

from provider_events import AnyProviderEvent, StopReason


@pytest.mark.parametrize("case", CASES)
def test_the_line_of_the_end_repeats_no_content(case: Callable[[], Stream]) -> None:
    assert lines_of(case())[-1].keys().isdisjoint({"message", "error", "partial"})


def test_a_stream_that_goes_on_with_snapshots_of_another_keeps_what_they_have() -> None:
    def events(signature: str | None) -> list[AnyProviderEvent]:
        builder = new_builder()
        begun: list[AnyProviderEvent] = [builder.start(), builder.text_start()]
        builder.update_block(0, text_signature=signature)
        return [*begun, *map(builder.text_delta, "abcd"), builder.text_end(), builder.done(StopReason.STOP)]

    spliced = [*events(None)[:4], *events("s")[4:]]
    assert read_all(log_of(spliced).splitlines()) == (spliced, None)
