"""STIC's notebook: seeds do not touch each other, the paper's scale takes a hub model, arms have their own answers."""

import json
from types import SimpleNamespace

import numpy as np

from autodidact.claims import papers_folder
from autodidact.environments import load_world
from autodidact.environments.shapes import swapped
from autodidact.streams import stream
from tests.papers.notebooks import measure, seeds_stand_alone

# The least that the notebook can do and still reach its verdicts.
LEAST = {
    "base_steps": 3, "tower": {"kind": "mlp", "pictures": 20, "steps": 5}, "threads": 1, "images": 8, "sizes": [4, 8],
    "held_out": 6, "batch_size": 4, "questions": 6, "held_out_questions": 8, "max_new_tokens": 6,
    "world": "shapes/captions",
}  # fmt: skip


def test_seeds_together_are_seeds_apart_bit_for_bit():
    seeds_stand_alone(lambda **seeds: measure("stic", **LEAST, **seeds))


def test_paper_scale_runs_on_a_vision_checkpoint_in_hub_format(llava, monkeypatch):
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    given = {"scale": "paper", "model": str(llava), "seeds": 1, "lora": 2, **LEAST}
    record = measure("stic", **given)
    assert record["scale"] == "paper" and record["parameters"]["model"] == str(llava)
    (same,) = [claim for claim in record["claims"] if claim["id"] == "strength-zero"]
    assert same["treatment"] == [0.0]


def test_arms_are_trained_on_what_they_are_called_after():
    sources = ["".join(c["source"]) for c in json.loads((papers_folder() / "stic/stic.ipynb").read_text())["cells"]]
    (source,) = [x for x in sources if x.startswith("ARMS = {")]
    seen, images = [], load_world("shapes/captions").prompts(4, np.random.default_rng(0))
    names = {"stream": stream, "swapped": swapped, "p": SimpleNamespace(images=4, sizes=[4, 2])}
    names |= {"train_second_choice": "second choice", "epoch": lambda n, s: {"steps": n}}
    names["stage_one"] = lambda base, shown, *made, **options: seen.append((shown, made, options))
    names["train_supervised"] = lambda base, examples, **run: [examples]
    exec(source, names)
    made = {name: [name] * 4 for name in ("good", "mixed", "imagine", "clean", "again")}
    for arm in ("stic, 2 images", "alpha 0", "released, second choice", "no good prompt", "permuted"):
        names["train_arm"]("base", arm, images, made, 3)
    assert [made[0][0] + made[1][0] for _, made, _ in seen] == ["goodmixed"] * 3 + ["cleanagain", "goodmixed"]
    assert [options for *_, options in seen] == [{}, {"alpha": 0}, {"how": "second choice"}, {}, {}]
    assert [shown is images for shown, *_ in seen] == [True] * 4 + [False]
    assert names["train_arm"]("base", "sft", images, made, 3) == [(x, "good") for x in images]
    assert names["SIZES"] == {"stic, 2 images": 2, "stic": 4}
