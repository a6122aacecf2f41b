"""STIC's notebook: seeds do not touch each other, the paper's scale takes a hub model, arms are as named."""

import json
from functools import partial
from types import SimpleNamespace

import numpy as np
import pytest

from autodidact.claims import papers_folder
from autodidact.claims.paper import load_paper
from autodidact.environments import load_world
from autodidact.environments.shapes import swapped
from autodidact.streams import stream
from tests.papers.notebooks import measure, seeds_stand_alone

# The least that the notebook can do and still reach its verdicts.
LEAST = {
    "base_steps": 3, "tower": {"kind": "mlp", "pictures": 20, "steps": 5}, "threads": 1, "images": 8, "sizes": [4, 8],
    "held_out": 6, "batch_size": 4, "questions": 6, "held_out_questions": 8, "max_new_tokens": 6,
    "temperatures": [0.0, 1.0], "world": "shapes/described",
}  # fmt: skip


def sources():
    cells = json.loads((papers_folder() / "stic/stic.ipynb").read_text())["cells"]
    return ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"]


def run_cell(begins, names):
    """The names after the one cell that begins so has run on top of these."""
    (source,) = [x for x in sources() if x.startswith(begins)]
    exec(source, names)
    return names


def test_seeds_together_are_seeds_apart_bit_for_bit():
    seeds_stand_alone(lambda **seeds: measure("stic", **LEAST, **seeds))


def test_paper_scale_runs_on_a_vision_checkpoint_in_hub_format(llava, monkeypatch):
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    given = {"scale": "paper", "model": str(llava), "seeds": 1, "lora": 2, **LEAST}
    record = measure("stic", **given)
    assert record["scale"] == "paper" and record["parameters"]["model"] == str(llava)
    kinds = {claim["replicate"]: len(claim["replicates"]) for claim in record["claims"]}
    assert kinds == {"question": 8}


def arms(judged):
    """What the cell of the arms makes of a list of claims that are judged, and what its trainings were called with."""
    seen = []
    names = {"stream": stream, "swapped": swapped, "train_second_choice": "second choice"}
    names["p"] = SimpleNamespace(images=4, sizes=[4, 2], sft_rate=0.5)
    names["study"] = SimpleNamespace(paper=load_paper("stic"), judged=judged)
    names["epoch"] = lambda n, s, order, **over: {"steps": n, "order": order, **over}
    names["stage_one"] = lambda base, shown, *made, **options: seen.append((shown, made, options))
    names["train_supervised"] = lambda base, examples, **run: [(examples, run)]
    return run_cell("ARMS = {", names), seen


def test_arms_are_trained_on_what_they_are_called_after():
    names, seen = arms([claim.id for claim in load_paper("stic").claims])
    images = load_world("shapes/described").prompts(4, np.random.default_rng(0))
    made = {name: [name] * 4 for name in ("good", "mixed", "imagine", "clean", "again")}
    for arm in ("stic, 2 images", "alpha 0", "released, second choice", "no good prompt", "permuted", "alpha 1"):
        names["train_arm"]("base", arm, images, made, 3, 1)
    assert [made[0][0] + made[1][0] for _, made, _ in seen] == ["goodmixed"] * 3 + ["cleanagain"] + ["goodmixed"] * 2
    assert [made[2:] for _, made, _ in seen] == [(3, 1)] * 6
    options = [{}, {"alpha": 0}, {"how": "second choice"}, {}, {}, {"alpha": 1, "learning_rate": 0.5}]
    assert [given for *_, given in seen] == options
    assert [shown is images for shown, *_ in seen] == [True] * 4 + [False, True]
    examples, run = names["train_arm"]("base", "sft", images, made, 3, 1)
    assert examples == [(x, "good") for x in images] and run == {"steps": 4, "order": 1, "learning_rate": 0.5}
    assert names["SIZES"] == {"stic, 2 images": 2, "stic": 4}


def test_arms_that_no_judged_claim_names_are_not_there():
    names, _ = arms(["answers-questions", "negatives-raise-f1"])
    assert list(names["ARMS"]) == ["stic", "sft"] and names["SIZES"] == {}
    names, _ = arms(["alpha-holds-the-preferred"])
    assert list(names["ARMS"]) == ["stic", "sft", "alpha 0"]


class Fake:
    """A policy that is told apart by its history; it describes a picture by its own name."""

    def __init__(self, name):
        self.name = name


def asked_of(orders, named):
    """What the cell of the questions asks of whom: arm to (history, first description) of every order."""
    world = load_world("shapes/described")
    names = {"partial": partial, "np": np, "stream": stream, "NAMED": named}
    names["lab"], names["study"] = SimpleNamespace(world=world), SimpleNamespace(progress=lambda text: None)
    names["p"] = SimpleNamespace(questions=3, held_out_questions=4, orders=orders)
    names["describe"] = lambda policy, asked, rng, mode="plain", **over: [f"{policy.name}/{mode}"] * len(asked)
    names["stage_two"] = lambda policy, asked, given, s, order, own: Fake(f"{policy.name}+two{order}{own:d}")
    names["respond"] = lambda policy, asked, s, texts=None: {"right": (policy.name, texts and texts[0])}
    names["np"] = SimpleNamespace(stack=list)
    firsts = {name: Fake(name) for name in ("base", "stic", "sft")}
    again = lambda arm, order: Fake(f"{arm}{order}")  # noqa: E731
    found = run_cell("TUNED = {", names)["answered"](firsts["base"], firsts, again, 5)
    asked = world.prompts(4, stream(5, "held-out", 0), "question", split="held-out")
    return {arm: some["right"] for arm, some in found.items()}, [world.true_caption(x) for x in asked]


def test_every_arm_is_asked_as_it_is_called():
    found, true = asked_of(1, {"both stages, at once", "questions alone, at once"})
    read = {arm: some[0][1] for arm, some in found.items() if arm.startswith("base, ") and some[0][0] == "base"}
    assert read == {
        "base, another's description": true[1],
        "base, own description": "base/plain",
        "base, true description": true[0],
        "base, stage 1's description": "stic/plain",
        "base, careful description": "base/good",
        "base, at once": None,
    }
    assert {arm: some for arm, some in found.items() if arm not in read} == {
        "stage 1 alone, own description": [("stic", "stic/plain")],
        "both stages, own description": [("stic+two01", "stic+two01/plain"), ("stic1+two11", "stic1+two11/plain")],
        "both stages, at once": [("stic+two01", None), ("stic1+two11", None)],
        "sft and stage 2, own description": [("sft+two01", "sft+two01/plain")],
        "stage 2 alone, own description": [("base+two01", "base+two01/plain")],
        "questions alone, at once": [("base+two00", None)],
    }


def test_every_trained_arm_runs_in_as_many_orders_as_the_preset_asks_for():
    found, _ = asked_of(3, {"questions alone, at once"})
    assert {arm: len(some) for arm, some in found.items() if not arm.startswith(("base", "stage 1"))} == {
        "both stages, own description": 3, "sft and stage 2, own description": 3, "stage 2 alone, own description": 3,
        "questions alone, at once": 3,
    }  # fmt: skip
    assert [policy for policy, _ in found["sft and stage 2, own description"]] == [
        "sft+two01",
        "sft1+two11",
        "sft2+two21",
    ]


def test_answers_are_counted_by_question_and_by_what_the_description_says():
    world = load_world("shapes/described")
    asked = [x for x in world.prompts(60, np.random.default_rng(1), "question") if x.truth.kind == "there"][:4]
    said = ["yes", "yes", "no", "maybe"]
    gold = np.array([[world.score(x, y)] for x, y in zip(asked, said, strict=True)])
    names = {"np": np, "stream": stream, "partial": partial, "train_supervised": None, "epoch": None, "write": None}
    sampled = []

    def sample(policy, prompts, n, rng, **over):
        sampled.extend(x.text for x in prompts)
        return SimpleNamespace(gold=gold, texts=[[y] for y in said])

    names["lab"] = SimpleNamespace(world=world, sample=sample)
    respond = run_cell("def describe(", names)["respond"]
    at_once = respond("policy", asked, 0)
    assert at_once["right"].tolist() == gold[:, 0].tolist() and at_once["yes"] == pytest.approx(2 / 3)
    assert sampled == [x.text for x in asked] and "f1" not in at_once
    texts = [world.true_caption(x) for x in asked[:2]] + ["nothing ."] * 2
    right = [world.told(x, y) for x, y in zip(asked, texts, strict=True)]
    behind = respond("policy", asked, 0, texts)
    assert behind["f1"] == 0.5 and sampled[4].startswith("description : a ")
    parts = [[g for g, r in zip(gold[:, 0], right, strict=True) if r is way] for way in (True, False)]
    assert [behind["well described"], behind["ill described"]] == [np.mean(x) if x else 0.0 for x in parts]
