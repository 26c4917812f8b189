"""What the package costs: `python tests/benchmark.py [SECONDS] [WORD]`.

SECONDS is about how long it may take; with WORD, only the rows that have it in their name are measured.

A row is a ratio of two measurements of one run, taken in turns, the least of each, so that a busy machine matters
little. Its goal is an upper bound; `!` marks a row that misses it. Rows about another library need it installed.
"""

from __future__ import annotations

import platform
import sys
from importlib import metadata
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks import building, decoding, keeping, peers, reading  # noqa: E402
from benchmarks.measuring import Budget  # noqa: E402

LIBRARIES = ("jiter", "pydantic-ai-slim", "openai", "anthropic", "google-genai", "langchain-core", "pydantic")


def version(library: str) -> str:
    try:
        return f"{library} {metadata.version(library)}"
    except metadata.PackageNotFoundError:
        return f"no {library}"


def main(seconds: float = 80, word: str = "") -> None:
    rows = [row for part in (building, reading, decoding, keeping, peers) for row in part.ROWS if word in row.name]
    Budget.seconds = seconds / (2 * len(rows) or 1)
    print(platform.python_implementation(), platform.python_version(), platform.system(), platform.machine())
    print(", ".join(map(version, LIBRARIES)))
    print(f"\n{'':62}{'ratio':>6}{'goal':>6}")
    for name, goal, measure in rows:
        try:
            ratio, detail = measure()
        except ImportError as error:
            print(f"{name:62}{'-':>6}{goal or '-':>6}    {error}")
            continue
        mark = "!" if goal is not None and ratio > goal else " "
        print(f"{name:62}{ratio:>6.{0 if ratio > 100 else 2}f}{goal or '-':>6} {mark}  {detail}", flush=True)


if __name__ == "__main__":
    main(float(sys.argv[1]) if sys.argv[1:] else 80, *sys.argv[2:3])
