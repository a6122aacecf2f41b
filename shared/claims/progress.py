"""Progress over seeds: one line updated in place in a notebook, a bar in a terminal, JSON lines for a batch."""

import json
import os
import sys
import time
from collections.abc import Iterator, Sequence
from typing import Any

VARIABLE = "AUTODIDACT_PROGRESS"


def notebook_shell() -> Any | None:
    """The running notebook kernel's shell, None in a terminal, a script or a test."""
    get_ipython = getattr(sys.modules.get("IPython"), "get_ipython", None)
    shell = get_ipython() if get_ipython else None
    return shell if hasattr(shell, "kernel") else None


class Progress:
    """Yields seeds while it shows how far they are; or, entered as a context, is told of each by `advance`.

    In a notebook the line ends as a sentence without durations, so that the committed output is the same in every run.
    Where the environment's AUTODIDACT_PROGRESS names a file, a JSON line is appended to it after every seed, in one
    write: `paper`, `scale`, `seed`, `done`, `of`, `seconds` (since the loop began).
    """

    def __init__(self, paper: str, scale: str, seeds: Sequence[int]) -> None:
        self.paper, self.scale, self.seeds = paper, scale, seeds
        self.done, self.under_way, self.stage, self.started = 0, "", "", 0.0
        self._handle: Any = None
        self._bar: Any = None

    def __iter__(self) -> Iterator[int]:
        with self:
            for seed in self.seeds:
                self.under_way, self.stage = f"seed {seed}", ""
                self._show(self._running())
                yield seed
                self.advance(seed)

    def __enter__(self) -> "Progress":
        self.started = time.monotonic()
        self._open()
        return self

    def __exit__(self, *error: object) -> None:
        self._show(self._ended())
        if self._bar is not None:
            self._bar.close()

    def advance(self, seed: int) -> None:
        """A seed is done."""
        self.done += 1
        self._log(seed)
        if self._bar is not None:
            self._bar.update()
        self._show(self._running())

    def note(self, stage: str) -> None:
        """Name the stage that the current seed has reached."""
        self.stage = stage
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
            self._bar.set_postfix_str(self.stage)

    def _running(self) -> str:
        elapsed = time.monotonic() - self.started
        left = f", about {_clock(elapsed / self.done * (len(self.seeds) - self.done))} left" if self.done else ""
        stage = f" ({self.stage})" if self.stage else ""
        return f"{self.under_way}{stage}: {self.done} of {len(self.seeds)} done, {_clock(elapsed)} elapsed{left}"

    def _ended(self) -> str:
        names = f"seed {self.seeds[0]}" if len(self.seeds) == 1 else f"seeds {self.seeds[0]} to {self.seeds[-1]}"
        return f"{names}: {self.done} of {len(self.seeds)} done"

    def _log(self, seed: int) -> None:
        path = os.environ.get(VARIABLE)
        if not path:
            return
        entry = {"paper": self.paper, "scale": self.scale, "seed": seed, "done": self.done, "of": len(self.seeds)}
        entry["seconds"] = round(time.monotonic() - self.started, 3)
        line = (json.dumps(entry) + "\n").encode()
        descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
        try:
            os.write(descriptor, line)
        finally:
            os.close(descriptor)


def _clock(seconds: float) -> str:
    return f"{int(seconds) // 60}:{int(seconds) % 60:02d}"
