"""JupyterLab on a copy of the papers: `make lab`. Running and saving there leaves what is published as it is.

The copy, `build/lab/papers`, stays from start to start. A file that was not touched there follows the published one; of
one that was, a line says so where the published one has changed too: delete the copy to take the new one.
"""

import argparse
import hashlib
import json
import os
import shlex
import shutil
import sys
from pathlib import Path
from typing import Any

from autodidact.places import papers_folder
from ci.files import ROOT, shown, write_atomic
from ci.form import METADATA

PLACE = ROOT / "build" / "lab"
SETTINGS = {
    "@jupyterlab/docmanager-extension:plugin": {"defaultViewers": {"markdown": "Markdown Preview"}},
    "@jupyterlab/apputils-extension:notification": {"fetchNews": "false", "checkForUpdates": False},
}


def refresh(published: Path, place: Path) -> list[str]:
    """Bring the copy `place/papers` up to date; the names of files that were edited there and published anew since."""
    notes = place / ".copied.json"
    copied = json.loads(notes.read_text()) if notes.is_file() else {}
    both_changed = []
    for source in sorted(path for path in published.rglob("*") if path.is_file()):
        name = source.relative_to(published).as_posix()
        if any(part.startswith(".") for part in Path(name).parts):
            continue
        copy, new = place / "papers" / name, _hash(source)
        if copy.is_file() and _hash(copy) not in (copied.get(name), new):
            both_changed += [name] if copied.get(name) != new else []
            continue
        if not copy.is_file() or _hash(copy) != new:
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source, copy)
        copied[name] = new
    write_atomic(notes, json.dumps(copied, indent=1))
    return both_changed


def before_saving(model: dict[str, Any], **_: Any) -> None:
    """Give a notebook that is being saved the metadata of published ones: a running kernel's version is not its own."""
    if model.get("type") == "notebook" and model.get("content"):
        model["content"]["metadata"].update(METADATA)


def command(place: Path, flags: str) -> list[str]:
    """The command line of JupyterLab: on the copy, without news, as root where the user is root."""
    words = [sys.executable, "-m", "jupyterlab", f"--ServerApp.root_dir={place}"]
    words += ["--LabApp.default_url=/lab/tree/papers/README.md"]
    words += ["--FileContentsManager.pre_save_hook=ci.lab.before_saving"]
    words += ["--allow-root"] if os.geteuid() == 0 else []
    return words + shlex.split(flags)


def variables(place: Path) -> dict[str, str]:
    """The environment of JupyterLab: the papers of the copy, and the kernels of this Python before a user's own."""
    path = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))
    kernels = os.pathsep.join(filter(None, [str(Path(sys.prefix, "share", "jupyter")), os.environ.get("JUPYTER_PATH")]))
    return {**os.environ, "PYTHONPATH": path, "JUPYTER_PATH": kernels, "AUTODIDACT_PAPERS": str(place / "papers")}


def main(argv: list[str] | None = None) -> int:
    """Command line of this module; the process becomes JupyterLab."""
    parser = argparse.ArgumentParser(prog="python -m ci.lab", description=__doc__.split("\n\n")[0])
    parser.add_argument("--flags", default="", help="flags for JupyterLab, such as --port 9000")
    options = parser.parse_args(argv)
    for name in refresh(papers_folder(), PLACE):
        print(f"edited in {shown(PLACE)}/papers and published anew since: {name}")
    settings = Path(sys.prefix) / "share" / "jupyter" / "lab" / "settings" / "overrides.json"
    write_atomic(settings, json.dumps(SETTINGS, indent=1))
    words = command(PLACE, options.flags)
    os.execve(words[0], words, variables(PLACE))


def _hash(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


if __name__ == "__main__":
    sys.exit(main())
