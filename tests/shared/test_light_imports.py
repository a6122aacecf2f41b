"""What a stranger takes out of the library costs what it needs: importing it loads no trainer and no data sets."""

import subprocess
import sys

import pytest

HEAVY = {"transformers", "trl", "datasets", "peft", "accelerate", "pandas", "sklearn", "matplotlib", "gymnasium"}


def loaded_by(package):
    """Names of all modules that a fresh interpreter has loaded after the import of one of our packages."""
    code = f"import sys, autodidact.{package}; print(*sys.modules)"
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()


@pytest.mark.parametrize(
    "package", ["losses", "judges", "models", "samplers", "vision", "choosers", "decision_weights"]
)
def test_import_loads_nothing_heavy(package):
    """In a fresh interpreter: this one has loaded everything already."""
    code = f"import sys, autodidact.{package}; print(*{{name.partition('.')[0] for name in sys.modules}})"
    loaded = set(
        subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    )
    assert not HEAVY & loaded
    assert "torch" in loaded or package == "decision_weights"  # the list is that of loaded modules


def test_losses_load_no_other_package_of_ours():
    loaded = [name for name in loaded_by("losses") if name.startswith("autodidact.")]
    assert loaded and all(name.startswith("autodidact.losses") for name in loaded)
