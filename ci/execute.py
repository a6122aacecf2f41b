"""Execute one notebook: `python -m ci.execute NOTEBOOK OUTPUT [JSON of parameters]`.

The output appears under its name only when it is whole, by a rename within its folder. A notebook that fails is kept,
traceback included, as `<output>.failed.ipynb`, and the exit status is 1; the last line on the error stream says why.
The kernel and all that the notebook starts end with this process. A run that hangs ends, too: it has hours by its scale
for each seed, or as many as the environment's AUTODIDACT_HOURS says.
"""

import fcntl
import json
import math
import os
import signal
import sys
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import IO, Any

from nbformat import NotebookNode

from ci.ending import Watch, adopt, end_children
from ci.files import shown

LIMIT = "AUTODIDACT_HOURS"  # how long a run may take, in place of HOURS
HOURS = {"toy": 0.5, "small": 24.0, "paper": 240.0}  # for each seed; twenty times and more what they take as a rule
SEEDS = 10  # of a notebook that is not told how many
LONGEST_LINE = 500  # characters of an error's line
GPUS = "AUTODIDACT_GPUS"  # names of the devices that runs share out among themselves, separated by commas
QUIET = {
    "TQDM_DISABLE": "1",  # the board shows the progress; a bar would stay in the outputs
    "PYTHONWARNINGS": "ignore",
    "TOKENIZERS_PARALLELISM": "false",
    "HF_HUB_DISABLE_PROGRESS_BARS": "1",
    "HF_DATASETS_DISABLE_PROGRESS_BARS": "1",
    "TRANSFORMERS_VERBOSITY": "error",
    "PYDEVD_DISABLE_FILE_VALIDATION": "1",
}


def failed_path(output: Path) -> Path:
    """Where the notebook of a failed run is kept: `3.failed.ipynb` beside `3.ipynb`."""
    return output.with_suffix(".failed.ipynb")


def kept(output: Path) -> str:
    """Where to read more of a run that failed: in its notebook or, where nothing could be executed, in its log."""
    failed = failed_path(output)
    if failed.is_file():
        return f"kept with its traceback: {shown(failed)}"
    return f"nothing was executed; its log: {shown(output.with_suffix('.log'))}"


def last_line(log: Path) -> str:
    """The last line of a run's log, which tells why it failed; empty where it says nothing or is not there."""
    lines = log.read_text(errors="replace").strip().splitlines() if log.is_file() else []
    return lines[-1] if lines else ""


def environment(threads: int) -> dict[str, str]:
    """Variables for a notebook's process: quiet libraries, and `threads` threads for each numerical library."""
    numerical = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")
    return {**QUIET, **dict.fromkeys(numerical, str(threads))}


def execute(notebook: Path, output: Path, parameters: dict[str, Any]) -> str | None:
    """Execute a notebook in its own folder and put it at `output`; None, or one line that says how it failed."""
    from papermill import execute_notebook
    from papermill.engines import papermill_engines
    from papermill.exceptions import PapermillExecutionError

    from ci.kernel import OwnEngine

    papermill_engines.register("own", OwnEngine)
    notebook, output = notebook.resolve(), output.resolve()
    output.parent.mkdir(parents=True, exist_ok=True)
    failed_path(output).unlink(missing_ok=True)
    scratch = output.with_name(f".{output.stem}.{os.getpid()}.part.ipynb")
    try:
        executed = execute_notebook(
            _literal(notebook), _literal(scratch), parameters=parameters, cwd=notebook.parent, progress_bar=False,
            engine_name="own", kernel_name="python3", language="python",
        )  # fmt: skip
        _refuse_unfinished(executed)
        os.replace(scratch, output)
        return None
    except PapermillExecutionError as error:
        os.replace(scratch, failed_path(output))
        return f"cell {error.cell_index}: {error.ename}: {_first_line(error.evalue)}"
    except Exception as error:  # a kernel that dies or does not start: what was executed so far is kept
        with suppress(FileNotFoundError):
            os.replace(scratch, failed_path(output))
        return f"{type(error).__name__}: {_first_line(str(error))}"
    finally:
        scratch.unlink(missing_ok=True)


def hours(parameters: Mapping[str, Any]) -> float:
    """How long a run with these parameters may take. ValueError for an AUTODIDACT_HOURS that is no positive number."""
    given = os.environ.get(LIMIT)
    if not given:
        return HOURS.get(parameters.get("scale") or "toy", max(HOURS.values())) * parameters.get("seeds", SEEDS)
    try:
        wanted = float(given)
    except ValueError:
        wanted = 0.0
    if not 0 < wanted < math.inf:
        raise ValueError(f"{LIMIT}={given!r} in the environment must be a number of hours greater than 0")
    return wanted


def claim_gpu(names: str | None, folder: Path) -> IO[str] | None:
    """Wait for one of the devices `names` (separated by commas), make it the only visible one, and return its lock."""
    devices = (names or "").split(",") if names else []
    while devices:
        for device in devices:
            lock = open(folder / f".gpu-{device}.lock", "w")  # noqa: SIM115 (held until this process ends)
            with suppress(BlockingIOError):
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                os.environ["CUDA_VISIBLE_DEVICES"] = device
                return lock
            lock.close()
        time.sleep(1)
    return None


def main() -> int:
    """Command line of this module."""
    notebook, output, *rest = sys.argv[1:]
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("ended by SIGTERM"))  # by exception: the kernel is shut down
    parameters = json.loads(rest[0]) if rest else {}
    try:
        most = hours(parameters)
    except ValueError as error:
        sys.exit(str(error))
    adopt()
    watch = Watch()
    lock = claim_gpu(os.environ.get(GPUS), Path(output).resolve().parent.parent)
    watch.allow(3600 * most, f"it did not end within {most:g} hours; {LIMIT} in the environment sets others")
    try:
        error = execute(Path(notebook), Path(output), parameters)
    finally:
        end_children()
    if error:
        print(watch.reason or error, file=sys.stderr)
    if lock:
        lock.close()
    return 1 if error else 0


def _refuse_unfinished(executed: NotebookNode) -> None:
    """RuntimeError where a cell ended the notebook by SystemExit, which papermill takes for success."""
    for number, cell in enumerate(executed.cells):
        if cell.metadata.get("papermill", {}).get("exception"):
            raise RuntimeError(f"cell {number} ended the notebook by SystemExit")


def _literal(path: Path) -> str:
    """A path for papermill, which would fill in what stands in braces."""
    return str(path).replace("{", "{{").replace("}", "}}")


def _first_line(text: str) -> str:
    return (text.strip().splitlines() or ["no message"])[0][:LONGEST_LINE]


if __name__ == "__main__":
    sys.exit(main())
