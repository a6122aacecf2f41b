"""How sure a policy is of things it named, on a writer whose log-probabilities are known."""

import numpy as np
import pytest
import torch

from autodidact.environments import load_world
from autodidact.vision import chair_at_recall, claim_logprobs


class Writer:
    """Says every token with a log-probability of minus its place; a word has one token, the end another."""

    def encode_response(self, text):
        return [0] * (len(text.split()) + 1)

    def logprobs(self, prompts, texts):
        return [-torch.arange(len(text.split()) + 1.0) for text in texts]


def test_log_probabilities_of_things_are_those_of_colour_and_shape():
    texts = ["a red square , a blue ring .", "nothing ."]
    assert claim_logprobs(Writer(), [None, None], texts) == [[-3.0, -11.0], []]


def test_what_is_said_last_is_cut_first():
    world = load_world("shapes/captions")
    x = next(x for x in world.prompts(50, np.random.default_rng(1)) if len(x.truth.scene.objects) == 4)
    true = [f"a {colour} {shape}" for colour, shape in (o.claim for o in x.truth.scene.objects)]
    absent = next(f"a {c} {s}" for c in ("red", "blue") for s in world.shapes if (c, s) not in x.truth.scene.claims)
    text = " , ".join([true[0], absent, true[1], true[2]]) + " ."
    cut = [chair_at_recall(Writer(), world, [x], [text], recall) for recall in (0.25, 0.5, 0.75, 1.0)]
    assert cut == pytest.approx([0, 1 / 3, 1 / 4, 1 / 4])
