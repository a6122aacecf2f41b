"""Live progress of what runs: rows redrawn in place in a terminal, a line a change in a pipe."""

import shutil
import sys
import time
from collections.abc import Sequence
from typing import NamedTuple, TextIO

FORMAT = "{:<24} {:<10} {:<10} {:>8}  {}"
STAGE_SECONDS = 10  # in a pipe a new stage alone is a line no sooner than this after the paper's last line


class Row(NamedTuple):
    """A notebook under way: its name, its state, seeds done of all, time since its start, what each seed is doing."""

    name: str
    state: str
    seeds: str
    elapsed: str
    stage: str = ""


HEAD = Row("paper", "state", "seeds", "elapsed", "doing")


class Board:
    """Rows of what is under way, with lasting lines above them."""

    def __init__(self, stream: TextIO | None = None) -> None:
        self._stream = stream or sys.stdout
        self._live = self._stream.isatty()
        self._drawn = 0
        self._last: dict[str, tuple[Row, float]] = {}

    def say(self, text: str) -> None:
        """A line that stays."""
        self._clear()
        print(text, file=self._stream, flush=True)

    def show(self, rows: Sequence[Row], note: str = "") -> None:
        """Draw the rows; in a pipe only those whose state, seeds or, every few seconds, stage changed."""
        if self._live:
            self._clear()
            lines = [FORMAT.format(*row).rstrip() for row in [HEAD, *rows]] + ([note] if note else [])
            width = shutil.get_terminal_size().columns
            print("\n".join(line[: width - 1] for line in lines), file=self._stream, flush=True)
            self._drawn = len(lines)
            return
        for row in rows:
            if self._news(row):
                self._last[row.name] = row, time.monotonic()
                print(FORMAT.format(*row).rstrip(), file=self._stream, flush=True)

    def close(self) -> None:
        """Remove the rows; the lines that stay do."""
        self._clear()

    def _news(self, row: Row) -> bool:
        """Whether a pipe is to be told of a row."""
        last, when = self._last.get(row.name, (None, 0.0))
        if last is None or (last.state, last.seeds) != (row.state, row.seeds):
            return True
        return last.stage != row.stage and time.monotonic() - when >= STAGE_SECONDS

    def _clear(self) -> None:
        if self._drawn:
            print(f"\x1b[{self._drawn}F\x1b[0J", end="", file=self._stream, flush=True)
            self._drawn = 0


def clock(seconds: float) -> str:
    """`2:05` for 125 seconds."""
    minutes, rest = divmod(int(seconds), 60)
    return f"{minutes}:{rest:02d}" if minutes < 60 else f"{minutes // 60}:{minutes % 60:02d}:{rest:02d}"
