"""The cache gives back what was built, or builds it again; nothing torn or foreign is trusted."""

import json
import multiprocessing
import time

import numpy as np
import pytest
import torch

from autodidact.models import TinyBase, load_policy
from autodidact.models.cache import MANIFEST, cached
from tests.shared.toy_world import ToyWorld


@pytest.fixture(autouse=True)
def own_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("AUTODIDACT_CACHE", str(tmp_path / "cache"))


class Counter:
    def __init__(self):
        self.built = 0

    def __call__(self, folder):
        self.built += 1
        (folder / "weights").write_bytes(b"x" * 1000)


def test_built_once():
    build = Counter()
    assert cached({"kind": "a", "v": 1}, build) == cached({"kind": "a", "v": 1}, build)
    assert build.built == 1


def test_another_description_is_another_entry():
    build = Counter()
    assert cached({"kind": "a", "v": 1}, build) != cached({"kind": "a", "v": 2}, build)
    assert build.built == 2


@pytest.mark.parametrize("damage", ["truncate", "flip", "remove", "manifest", "version"])
def test_a_damaged_entry_is_rebuilt(damage):
    build = Counter()
    folder = cached({"kind": "a"}, build)
    weights, manifest = folder / "weights", folder / MANIFEST
    if damage == "truncate":
        weights.write_bytes(b"x" * 500)
    elif damage == "flip":
        weights.write_bytes(b"x" * 999 + b"y")
    elif damage == "remove":
        weights.unlink()
    elif damage == "manifest":
        manifest.write_text(manifest.read_text()[:40])
    else:
        manifest.write_text(json.dumps({**json.loads(manifest.read_text()), "description": {"kind": "b"}}))
    assert cached({"kind": "a"}, build) == folder
    assert build.built == 2
    assert weights.read_bytes() == b"x" * 1000


def test_a_build_that_fails_leaves_nothing(tmp_path):
    def build(folder):
        (folder / "half").write_text("...")
        raise RuntimeError("no")

    with pytest.raises(RuntimeError):
        cached({"kind": "a"}, build)
    assert not [path for path in (tmp_path / "cache").iterdir() if path.is_dir()]


def _slow(folder):
    with open(folder.parent / "log", "a") as log:
        log.write("built\n")
    time.sleep(0.5)
    (folder / "weights").write_text("w")


def test_two_processes_build_it_once(tmp_path):
    context = multiprocessing.get_context("fork")
    workers = [context.Process(target=cached, args=({"kind": "a"}, _slow)) for _ in range(3)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert (tmp_path / "cache" / "log").read_text() == "built\n"


def test_tiny_base_is_deterministic_and_survives_the_cache(tmp_path, monkeypatch):
    base = TinyBase(steps=3, hidden=32)
    first = load_policy("tiny", ToyWorld(), seed=4, base=base)
    warm = load_policy("tiny", ToyWorld(), seed=4, base=base)
    monkeypatch.setenv("AUTODIDACT_CACHE", str(tmp_path / "elsewhere"))
    again = load_policy("tiny", ToyWorld(), seed=4, base=base)
    other = load_policy("tiny", ToyWorld(), seed=5, base=base)
    for one, two in ((first, warm), (first, again)):
        for a, b in zip(one.model.state_dict().values(), two.model.state_dict().values(), strict=True):
            assert torch.equal(a, b)
    assert not torch.equal(first.model.lm_head.weight, other.model.lm_head.weight)
    prompts = [p.text for p in ToyWorld().prompts(3, np.random.default_rng(0))]
    assert first.generate(prompts, 2, rng=np.random.default_rng(0)) == warm.generate(
        prompts, 2, rng=np.random.default_rng(0)
    )


def test_training_teaches(monkeypatch):
    policy = load_policy("tiny", ToyWorld(), base=TinyBase(steps=60, hidden=32))
    answer = policy.generate(["say fox :"], 1, rng=np.random.default_rng(0), temperature=0)[0][0]
    assert answer.text == "fox fox"
    assert answer.ended


def test_bad_arguments_are_named():
    with pytest.raises(ValueError, match="needs a world"):
        load_policy("tiny")
    if not torch.cuda.is_available():
        with pytest.raises(ValueError, match="device"):
            load_policy("tiny", ToyWorld(), device="cuda")
