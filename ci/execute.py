"""Execute one notebook: `python -m ci.execute NOTEBOOK OUTPUT [JSON of parameters]`.

The output appears under its name only when it is whole, by a rename within its folder. A notebook that fails is kept,
traceback included, as `<output>.failed.ipynb`, and the exit status is 1.
"""

import fcntl
import json
import os
import signal
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import IO, Any

OWNER = "AUTODIDACT_OWNER"  # process id of the batch that wants this run; the run ends when that process does
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


def environment(threads: int) -> dict[str, str]:
    """Variables for a notebook's process: quiet libraries, and `threads` threads for each numerical library."""
    numerical = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")
    return {**QUIET, **dict.fromkeys(numerical, str(threads))}


def execute(notebook: Path, output: Path, parameters: dict[str, Any]) -> str | None:
    """Execute a notebook in its own folder and put it at `output`; None, or one line that says how it failed."""
    from papermill import execute_notebook
    from papermill.exceptions import PapermillExecutionError

    notebook, output = notebook.resolve(), output.resolve()
    output.parent.mkdir(parents=True, exist_ok=True)
    scratch = output.with_name(f".{output.stem}.{os.getpid()}.part.ipynb")
    try:
        execute_notebook(notebook, scratch, parameters=parameters, cwd=notebook.parent, progress_bar=False)
        os.replace(scratch, output)
        failed_path(output).unlink(missing_ok=True)
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


def end_with_owner(owner: int | None) -> None:
    """End this process within half a second of the end of the process `owner`, whatever ended that."""

    def watch() -> None:
        while _alive(owner):
            time.sleep(0.5)
        os._exit(1)  # the kernel polls for its parent and follows

    if owner is not None:
        threading.Thread(target=watch, daemon=True).start()


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
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # an exit by exception shuts the kernel down
    end_with_owner(int(os.environ[OWNER]) if OWNER in os.environ else None)
    lock = claim_gpu(os.environ.get(GPUS), Path(output).resolve().parent.parent)
    error = execute(Path(notebook), Path(output), json.loads(rest[0]) if rest else {})
    if error:
        print(error, file=sys.stderr)
    if lock:
        lock.close()
    return 1 if error else 0


def _alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    return True


def _first_line(text: str) -> str:
    return (text.strip().splitlines() or ["no message"])[0]


if __name__ == "__main__":
    sys.exit(main())
