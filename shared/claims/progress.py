"""Progress over seeds: one line updated in place in a notebook, a bar in a terminal, JSON lines for a batch."""

import json
import os
import sys
import time
from collections.abc import Iterator, Sequence
from typing import Any

VARIABLE = "AUTODIDACT_PROGRESS"
LINE_SECONDS = 10  # between lines on a stream that is no terminal


def notebook_shell() -> Any | None:
    """The running notebook kernel's shell, None in a terminal, a script or a test."""
    get_ipython = getattr(sys.modules.get("IPython"), "get_ipython", None)
    shell = get_ipython() if get_ipython else None
    return shell if hasattr(shell, "kernel") else None


class Progress:
    """Yields seeds while it shows how far they are; or, entered as a context, is told by `note` and `advance`.

    In a notebook the line ends as a sentence without durations, so that the committed output is the same in every run.
    In a script whose errors go into a pipe or a file, a line is written there every ten seconds at most.
    Where the environment's AUTODIDACT_PROGRESS names a file, a JSON line is appended to it, in one write, after every
    seed and at every stage that a seed reaches: `paper`, `scale`, `seed` (of this line), `done`, `of`, `seconds` (since
    the loop began), and `stages`, the stage of every seed under way ("" for one that has named none).
    """

    def __init__(self, paper: str, scale: str, seeds: Sequence[int]) -> None:
        self.paper, self.scale, self.seeds = paper, scale, seeds
        self.done, self.stages, self.started = 0, {}, 0.0
        self._handle: Any = None
        self._bar: Any = None
        self._written = 0.0

    def __iter__(self) -> Iterator[int]:
        with self:
            for seed in self.seeds:
                self.note("", seed)
                yield seed
                self.advance(seed)

    def __enter__(self) -> "Progress":
        self.started = self._written = time.monotonic()
        self._open()
        return self

    def __exit__(self, *error: object) -> None:
        self._show(self._ended())
        if self._bar is not None:
            self._bar.close()

    def advance(self, seed: int) -> None:
        """A seed is done."""
        self.done += 1
        self.stages.pop(seed, None)
        self._log(seed)
        if self._bar is not None:
            self._bar.update()
        self._show(self._running())

    def note(self, stage: str, seed: int | None = None) -> None:
        """Name the stage that a seed has reached, by default the one seed that is under way."""
        seed = next(iter(self.stages), None) if seed is None else seed
        if seed is not None:
            self.stages[seed] = stage
            self._log(seed)
            self._show(self._running())

    def _open(self) -> None:
        if notebook_shell() is not None:
            from IPython.display import display

            self._handle = display({"text/plain": self._running()}, raw=True, display_id=True)
        elif sys.stderr.isatty():
            from tqdm import tqdm

            self._bar = tqdm(total=len(self.seeds), desc=f"{self.paper} {self.scale}", unit="seed")

    def _show(self, text: str) -> None:
        if self._handle is not None:
            self._handle.update({"text/plain": text}, raw=True)
        elif self._bar is not None:
            self._bar.set_postfix_str(self._under_way())
        elif time.monotonic() - self._written >= LINE_SECONDS:
            self._written = time.monotonic()
            print(f"{self.paper} {self.scale}: {text}", file=sys.stderr, flush=True)

    def _under_way(self) -> str:
        return ", ".join(f"seed {s} ({stage})" if stage else f"seed {s}" for s, stage in self.stages.items())

    def _running(self) -> str:
        elapsed = time.monotonic() - self.started
        left = f", about {_clock(elapsed / self.done * (len(self.seeds) - self.done))} left" if self.done else ""
        return f"{self._under_way()}: {self.done} of {len(self.seeds)} done, {_clock(elapsed)} elapsed{left}"

    def _ended(self) -> str:
        names = f"seed {self.seeds[0]}" if len(self.seeds) == 1 else f"seeds {self.seeds[0]} to {self.seeds[-1]}"
        return f"{names}: {self.done} of {len(self.seeds)} done"

    def _log(self, seed: int) -> None:
        path = os.environ.get(VARIABLE)
        if not path:
            return
        entry = {"paper": self.paper, "scale": self.scale, "seed": seed, "done": self.done, "of": len(self.seeds)}
        entry |= {
            "seconds": round(time.monotonic() - self.started, 3),
            "stages": {str(s): t for s, t in self.stages.items()},
        }
        line = (json.dumps(entry) + "\n").encode()
        descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
        try:
            os.write(descriptor, line)
        finally:
            os.close(descriptor)


def _clock(seconds: float) -> str:
    return f"{int(seconds) // 60}:{int(seconds) % 60:02d}"
