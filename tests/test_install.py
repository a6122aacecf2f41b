"""The package as others install it: a wheel in a fresh environment, beside packages and folders of the same names."""

import shutil
import subprocess
import sys
import sysconfig
import tarfile
import venv
import zipfile
from email import message_from_string

import pytest
import yaml

import autodidact
from ci.files import ROOT
from tests.shared.claims.test_claims_own import EXAMPLE

BUILD = "import sys; from setuptools import build_meta; print(getattr(build_meta, sys.argv[1])(sys.argv[2]))"
# Imports modules where only what `autodidact[extra]` asks for can be imported, and says what could not.
BARRED = """
import importlib, sys
from importlib.metadata import packages_distributions, requires
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

extra, *modules = sys.argv[1:]
seen, todo = set(), [("autodidact", extra)]
while todo:
    name, wanted = todo.pop()
    if (name, wanted) in seen:
        continue
    seen.add((name, wanted))
    try:
        asked = [Requirement(r) for r in requires(name) or ()]
    except importlib.metadata.PackageNotFoundError:
        continue
    for r in asked:
        if r.marker is None or r.marker.evaluate({"extra": wanted}):
            todo += [(canonicalize_name(r.name), e) for e in ("", *r.extras)]
allowed = {name for name, _ in seen}
belongs = packages_distributions()

class Bar:
    def find_spec(self, name, path=None, target=None):
        owners = {canonicalize_name(d) for d in belongs.get(name.split(".")[0], ())}
        if owners and not owners & allowed:
            raise ModuleNotFoundError(f"{name} is not asked for by autodidact[{extra}]", name=name)

for name in [n for n in sys.modules if belongs.get(n.split(".")[0]) and not n.startswith("autodidact")]:
    if not {canonicalize_name(d) for d in belongs[name.split(".")[0]]} & allowed:
        del sys.modules[name]
sys.meta_path.insert(0, Bar())
for module in modules:
    importlib.import_module(module)
"""
WORDS = ["arithmetic", "facts", "instructions", "judging", "programs", "stories", "sandbox", "regression"]


def run(*command, cwd=None):
    done = subprocess.run([str(part) for part in command], cwd=cwd, capture_output=True, text=True)
    assert done.returncode == 0, (done.stdout + done.stderr)[-3000:]
    return done.stdout.strip()


def build(kind, source, out):
    """The path of the wheel or sdist that setuptools makes of the tree `source`."""
    return out / run(sys.executable, "-c", BUILD, f"build_{kind}", out, cwd=source).splitlines()[-1]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """Built from a copy, links and all, so that nothing is left here."""
    copy, out = tmp_path_factory.mktemp("tree"), tmp_path_factory.mktemp("out")
    for name in ("shared", "environments", "src", "ci", "tests"):
        shutil.copytree(ROOT / name, copy / name, symlinks=True, ignore=shutil.ignore_patterns("*.egg-info", "__py*"))
    for name in ("pyproject.toml", "README.md", *(p.name for p in ROOT.glob("LICENSE"))):
        shutil.copy(ROOT / name, copy / name)
    return build("wheel", copy, out), build("sdist", copy, out)


@pytest.fixture(scope="module")
def fresh(wheel, tmp_path_factory):
    """The Python of a new environment: the wheel, the dependencies that are here, a stand-in of PyPI's `shared`."""
    folder = tmp_path_factory.mktemp("fresh")
    venv.create(folder, with_pip=False, symlinks=True)
    python = folder / "bin" / "python"
    (site,) = folder.glob("lib/python*/site-packages")
    run(sys.executable, "-m", "pip", "--python", python, "install", "-q", "--no-deps", "--no-index", wheel[0])
    (site / "dependencies.pth").write_text(sysconfig.get_path("purelib") + "\n")  # its own .pth files do not count
    (site / "shared").mkdir()
    (site / "shared" / "__init__.py").write_text("WHOSE = 'of PyPI'\n")
    return python


def test_the_wheel_holds_the_package_and_nothing_else(wheel):
    with zipfile.ZipFile(wheel[0]) as archive:
        names = [name for name in archive.namelist() if ".dist-info/" not in name]
        (metadata,) = (name for name in archive.namelist() if name.endswith("METADATA"))
        about = message_from_string(archive.read(metadata).decode())
    files = {f"autodidact/{p.relative_to(ROOT / 'shared')}" for p in (ROOT / "shared").rglob("*.py")}
    files |= {f"autodidact/{p.relative_to(ROOT)}" for p in (ROOT / "environments").rglob("*.py")}
    assert set(names) == files | {"autodidact/py.typed"}
    assert about["Version"] == autodidact.__version__


def test_the_sdist_makes_the_same_wheel(wheel, tmp_path):
    with tarfile.open(wheel[1]) as archive:
        archive.extractall(tmp_path, filter="data")
    again = build("wheel", next(tmp_path.iterdir()), tmp_path)
    with zipfile.ZipFile(wheel[0]) as first, zipfile.ZipFile(again) as second:
        assert set(first.namelist()) == set(second.namelist())


def test_it_lives_beside_packages_and_folders_called_shared(fresh, tmp_path):
    mine = tmp_path / "mine"
    for name in ("shared", "environments"):
        (mine / name).mkdir(parents=True)
        (mine / name / "__init__.py").write_text("WHOSE = 'mine'\n")
    script = """if True:
    import shared, autodidact
    from autodidact.environments import load_world
    load_world("instructions")
    print(shared.WHOSE, autodidact.__version__, autodidact.__file__, sep="|")
    """
    for folder, whose in ((mine, "mine"), (tmp_path, "of PyPI")):
        told, version, path = run(fresh, "-c", script, cwd=folder).split("|")
        assert (told, version) == (whose, autodidact.__version__)
        assert path.startswith(str(fresh.parents[1]))
    assert run(fresh, "-c", "import environments; print(environments.WHOSE)", cwd=mine) == "mine"


def test_statistics_serve_where_nothing_but_the_wheel_is(fresh, tmp_path):
    told = run(fresh, "-c", BARRED + EXAMPLE, "", "autodidact.claims", cwd=tmp_path).splitlines()
    assert told[0] == "What came out" and told[-1].startswith("It holds: -0.273 [")


def test_the_citation_is_of_this_version():
    assert yaml.safe_load((ROOT / "CITATION.cff").read_text())["version"] == autodidact.__version__


@pytest.mark.parametrize(
    ("extra", "modules"),
    [
        ("", ["claims", "streams", "games", "decision_weights", *(f"environments.{word}" for word in WORDS)]),
        ("losses", ["losses", "streams", "claims"]),
        ("trl", ["models", "training", "judges", "samplers", "choosers", "vision", "lab"]),
        ("worlds", [*(f"environments.{p.parent.name}" for p in (ROOT / "environments").glob("*/__init__.py")),
                    "agents", "evolution", "generative"]),
        ("notebooks", ["figures"]),
    ],
    ids=["base", "losses", "trl", "worlds", "notebooks"],
)  # fmt: skip
def test_an_extra_brings_what_its_modules_import(fresh, extra, modules, tmp_path):
    run(fresh, "-c", BARRED, extra, *(f"autodidact.{module}" for module in modules), cwd=tmp_path)


def test_what_an_extra_does_not_bring_is_missed(fresh, tmp_path):
    command = [fresh, "-c", BARRED, "", "autodidact.losses"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert "torch is not asked for by autodidact[]" in done.stderr
