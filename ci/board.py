"""Live progress of what runs: rows redrawn in place in a terminal, a line a change in a pipe."""

import shutil
import sys
from collections.abc import Sequence
from typing import TextIO

FORMAT = "{:<24} {:<10} {:<16} {:>8}"
HEAD = ("paper", "state", "seeds", "elapsed")


class Board:
    """Rows (name, state, seeds, elapsed) of what is under way, with lasting lines above them."""

    def __init__(self, stream: TextIO | None = None) -> None:
        self._stream = stream or sys.stdout
        self._live = self._stream.isatty()
        self._drawn = 0
        self._last: dict[str, tuple[str, str]] = {}

    def say(self, text: str) -> None:
        """A line that stays."""
        self._clear()
        print(text, file=self._stream, flush=True)

    def show(self, rows: Sequence[tuple[str, str, str, str]], note: str = "") -> None:
        """Draw the rows; in a pipe only those whose state or seeds changed."""
        if self._live:
            self._clear()
            lines = [FORMAT.format(*row) for row in [HEAD, *rows]] + ([note] if note else [])
            width = shutil.get_terminal_size().columns
            print("\n".join(line[: width - 1] for line in lines), file=self._stream, flush=True)
            self._drawn = len(lines)
            return
        for name, state, seeds, elapsed in rows:
            if self._last.get(name) != (state, seeds):
                self._last[name] = (state, seeds)
                print(FORMAT.format(name, state, seeds, elapsed).rstrip(), file=self._stream, flush=True)

    def close(self) -> None:
        """Remove the rows; the lines that stay do."""
        self._clear()

    def _clear(self) -> None:
        if self._drawn:
            print(f"\x1b[{self._drawn}F\x1b[0J", end="", file=self._stream, flush=True)
            self._drawn = 0


def clock(seconds: float) -> str:
    """`2:05` for 125 seconds."""
    minutes, rest = divmod(int(seconds), 60)
    return f"{minutes}:{rest:02d}" if minutes < 60 else f"{minutes // 60}:{minutes % 60:02d}:{rest:02d}"
