"""STIC's notebook: seeds do not touch each other, the paper's scale takes a hub model, its own measures by hand."""

import json

import numpy as np
import pytest
import torch

from autodidact.claims import papers_folder
from autodidact.environments import load_world
from autodidact.environments.shapes import mentions
from autodidact.streams import stream
from tests.papers.notebooks import measure, seeds_stand_alone

# The least that the notebook can do and still reach its verdicts.
LEAST = {
    "base_steps": 3, "tower": {"pictures": 20, "steps": 5}, "threads": 1, "images": 8, "sizes": [4, 8], "held_out": 6,
    "batch_size": 4, "questions": 6, "held_out_questions": 8, "max_new_tokens": 6, "world": "shapes/captions",
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


@pytest.fixture(scope="module")
def cells():
    """The functions of the cells that make pairs and measure."""
    sources = ["".join(c["source"]) for c in json.loads((papers_folder() / "stic/stic.ipynb").read_text())["cells"]]
    names = {"np": np, "stream": stream, "mentions": mentions, "environment": load_world("shapes/captions")}
    names |= {"train_second_choice": None, "train_preferences": None}
    for head in ("ARMS = {", "def captions_of("):
        (source,) = [x for x in sources if x.startswith(head)]
        exec(source, names)
    return names


def test_permuted_pictures_move_every_picture_and_lose_none(cells):
    world, seen = cells["environment"], {}
    images = world.prompts(7, np.random.default_rng(0))
    cells["stage_one"] = lambda base, moved, chosen, rejected, s, **options: seen.update(moved=moved)
    cells["train_arm"](None, "permuted", images, {"good": [], "mixed": []}, 3)
    before, after = [x.image.tobytes() for x in images], [x.image.tobytes() for x in seen["moved"]]
    assert sorted(before) == sorted(after) and not any(a == b for a, b in zip(before, after, strict=True))
    assert [x.text for x in seen["moved"]] == [x.text for x in images]


def test_captions_cut_to_a_recall_lose_their_least_certain_things_first(cells):
    class Writer:
        """Certain of what it says first, less and less so."""

        def encode_response(self, text):
            return [0] * (len(text.split()) + 1)

        def logprobs(self, prompts, texts):
            return [-torch.arange(len(text.split()) + 1.0) for text in texts]

    world = cells["environment"]
    x = next(x for x in world.prompts(50, np.random.default_rng(1)) if len(x.truth.scene.objects) == 4)
    true = [f"a {colour} {shape}" for colour, shape in (o.claim for o in x.truth.scene.objects)]
    absent = next(f"a {c} {s}" for c in world.colours for s in world.shapes if (c, s) not in x.truth.scene.claims)
    text = " , ".join([true[0], absent, true[1], true[2]]) + " ."
    cut = [cells["at_recall"](Writer(), [x], [text], recall) for recall in (0.25, 0.5, 0.75, 1.0)]
    assert cut == pytest.approx([0, 1 / 3, 1 / 4, 1 / 4])
    assert world.chair([x], [text])["recall"] == 0.75
