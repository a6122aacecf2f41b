"""The cache gives back what was built, or builds it again; nothing torn or foreign is trusted."""

import errno
import json
import multiprocessing
import os
import shutil
import signal
import sys
import time
from dataclasses import dataclass, replace

import numpy as np
import pytest
import torch

from autodidact.bases import keys, load_policy, tiny
from autodidact.environments import load_world
from autodidact.models import TinyBase, cache_folder
from autodidact.models.cache import MANIFEST, cached
from autodidact.training import Diverged
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


@pytest.mark.parametrize("damage", ["truncate", "flip", "remove", "manifest", "version", "empty", "file", "link"])
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
    elif damage == "empty":  # a manifest that lists nothing vouches for nothing
        manifest.write_text(json.dumps({**json.loads(manifest.read_text()), "files": {}}))
    elif damage in ("file", "link"):
        shutil.rmtree(folder)
        folder.write_text("?") if damage == "file" else folder.symlink_to(folder.parent / "nowhere")
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


def _killed(description):
    """A process that is killed in the midst of building."""

    def build(folder):
        (folder / "half").write_text("...")
        os.kill(os.getpid(), signal.SIGKILL)

    process = multiprocessing.get_context("fork").Process(target=cached, args=(description, build))
    process.start()
    process.join()


def scratch_in(cache):
    return [path for path in cache.iterdir() if path.is_dir() and path.name.startswith(".")]


@pytest.mark.parametrize("later", [{"kind": "a"}, {"kind": "b"}], ids=["same entry", "another"])
def test_what_a_killed_build_left_is_removed_by_the_next(tmp_path, later):
    cache = tmp_path / "cache"
    _killed({"kind": "a"})
    (cache / ".of-somebody.else").mkdir()
    assert len(scratch_in(cache)) == 2
    cached(later, Counter())
    assert [path.name for path in scratch_in(cache)] == [".of-somebody.else"]


def test_a_build_under_way_keeps_its_folder(tmp_path):
    def build(folder):
        other = multiprocessing.get_context("fork").Process(target=cached, args=({"kind": "b"}, Counter()))
        other.start()
        other.join()
        (folder / "weights").write_text("w")

    assert (cached({"kind": "a"}, build) / "weights").read_text() == "w"
    assert len(list((tmp_path / "cache").glob("b-*"))) == 1


def _on_a_full_disk(folder):
    with open("/dev/full", "w") as file:
        file.write("x")


def _on_a_full_disk_by_rust(folder):
    raise RuntimeError('IoError(Os { code: 28, kind: StorageFull, message: "No space left on device" })')


@pytest.mark.parametrize("build", [_on_a_full_disk, _on_a_full_disk_by_rust])
def test_a_full_disk_is_one_line_and_leaves_nothing(tmp_path, build):
    with pytest.raises(
        OSError, match="^the cache .*/cache cannot be written: No space left on device; AUTODIDACT_CACHE"
    ):
        cached({"kind": "a"}, build)
    assert not [path for path in (tmp_path / "cache").iterdir() if path.is_dir()]


@pytest.mark.parametrize("place", ["/dev/null", "/dev/null/below", "/proc/nowhere"])
def test_a_cache_that_cannot_be_written_is_one_line(monkeypatch, place):
    monkeypatch.setenv("AUTODIDACT_CACHE", place)
    with pytest.raises(OSError, match=f"^the cache {place} cannot be written: [^\\n]*; AUTODIDACT_CACHE names another"):
        cached({"kind": "a"}, Counter())


def test_a_cache_that_is_read_only_serves_what_it_has(monkeypatch):
    folder = cached({"kind": "a"}, Counter())
    monkeypatch.setattr("builtins.open", _no_writing(open))
    assert cached({"kind": "a"}, Counter()) == folder
    with pytest.raises(OSError, match="cannot be written: Read-only file system"):
        cached({"kind": "b"}, Counter())


def _no_writing(open_):
    def read_only(path, mode="r", *arguments, **options):
        if "w" in mode:
            raise OSError(errno.EROFS, "Read-only file system", str(path))
        return open_(path, mode, *arguments, **options)

    return read_only


def test_a_folder_with_braces_is_a_folder(tmp_path, monkeypatch):
    monkeypatch.setenv("AUTODIDACT_CACHE", str(tmp_path / "{b}" / "{0} %d"))
    assert cached({"kind": "a"}, Counter()).parent == tmp_path / "{b}" / "{0} %d"


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


@dataclass(frozen=True)
class Renamed(ToyWorld):
    """Another world, with more in it, whose corpus is the same."""

    version: str = "2"
    rater: str = "noisy"


@pytest.fixture
def trained(monkeypatch):
    """How often a base was trained."""
    seeds, train = [], tiny._train

    def spy(world, corpus, seed, base, folder):
        seeds.append(seed)
        return train(world, corpus, seed, base, folder)

    monkeypatch.setattr(tiny, "_train", spy)
    return seeds


def test_a_base_is_found_by_what_it_is_trained_on(trained):
    base = TinyBase(steps=2, hidden=32)
    for world in (ToyWorld(), Renamed()):
        load_policy("tiny", world, seed=1, base=base)
    assert trained == [1]
    others = ToyWorld(examples=201), ToyWorld(vocabulary=(*ToyWorld().vocabulary, "gnu"))
    for world in others:
        load_policy("tiny", world, seed=1, base=base)
    load_policy("tiny", ToyWorld(), seed=1, base=replace(base, steps=3))
    load_policy("tiny", ToyWorld(), seed=2, base=base)
    assert trained == [1, 1, 1, 1, 2]


def test_a_corpus_is_made_again_when_a_file_of_the_worlds_changes(monkeypatch):
    """Its hash is kept; with another file it is made once more, and being the same it finds the base of before."""
    world, made = replace(load_world("instructions/default"), demonstrations=8), []
    corpus = type(world).corpus
    monkeypatch.setattr(type(world), "corpus", lambda self, rng: made.append(1) or corpus(self, rng))
    base = TinyBase(steps=1, hidden=32)
    digests = []

    def load():
        digests.append(load_policy("tiny", world, seed=1, base=base).model.lm_head.weight.sum().item())
        return len(made)

    assert [load(), load()] == [1, 1]
    monkeypatch.setattr(keys, "_sources", lambda: [b"a new rater"])
    entries = sorted(path.name for path in cache_folder().glob("tiny-*"))
    assert [load(), load()] == [2, 2]
    assert sorted(path.name for path in cache_folder().glob("tiny-*")) == entries
    assert len(set(digests)) == 1


def test_the_key_names_every_module_that_trains():
    """Watches a training: whatever of this package runs in it is in the key, or is named here."""
    ran = set()

    def watch(frame, event, argument):
        path = frame.f_code.co_filename
        if "autodidact/" in path.replace("src/autodidact", "autodidact"):
            ran.add(path.rpartition("autodidact/")[2])

    sys.setprofile(watch)
    try:
        load_policy("tiny", ToyWorld(), seed=9, base=TinyBase(steps=2, hidden=32))
    finally:
        sys.setprofile(None)
    finds = {"bases/keys.py", "bases/load.py", "models/cache.py", "provenance.py"}  # how it is found, not what it is
    copies = {"models/policy.py", "models/memo.py"}  # a policy is made and copied, weights as they are
    packages = {path for path in ran if path.endswith("__init__.py")}
    assert ran - packages - finds - copies == set(keys.TRAINERS)


def test_bases_are_trained_on_one_thread(monkeypatch):
    seen, train = [], tiny.train_supervised

    def spy(*arguments, **options):
        seen.append(torch.get_num_threads())
        return train(*arguments, **options)

    monkeypatch.setattr(tiny, "train_supervised", spy)
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        load_policy("tiny", ToyWorld(), seed=1, base=TinyBase(steps=1, hidden=32))
        assert (seen, torch.get_num_threads()) == ([1], 2)
    finally:
        torch.set_num_threads(before)


def test_processors_that_round_otherwise_have_bases_of_their_own(trained, monkeypatch):
    base, here = TinyBase(steps=1, hidden=32), keys.machine()
    monkeypatch.setattr(keys, "machine", lambda: here | {"threads": 99})
    for _ in range(2):  # threads have no effect, so they are no part of the key
        load_policy("tiny", ToyWorld(), seed=1, base=base)
    monkeypatch.setattr(keys, "machine", lambda: here | {"capability": "another"})
    load_policy("tiny", ToyWorld(), seed=1, base=base)
    monkeypatch.setattr(keys, "machine", lambda: here | {"cpu": "another"})
    load_policy("tiny", ToyWorld(), seed=1, base=base)
    assert trained == [1, 1, 1]


def test_a_base_that_diverges_is_not_kept():
    before = sorted(cache_folder().glob("tiny-*"))
    with pytest.raises(Diverged):
        load_policy("tiny", ToyWorld(), seed=1, base=TinyBase(steps=9, hidden=32, learning_rate=1e30))
    assert sorted(cache_folder().glob("tiny-*")) == before


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
