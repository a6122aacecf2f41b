"""SELM's notebook: its ranking, its arms, the entropy bonus, the gradient in a table and its measures, by hand."""

import json
import math
from functools import partial
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from autodidact.claims import papers_folder
from autodidact.environments.instructions import BradleyTerry, Instructions
from autodidact.environments.instructions.vocabulary import STYLES
from autodidact.losses import dpo, selm
from autodidact.models import Response, is_whole
from autodidact.streams import stream, torch_seed
from autodidact.training import Pair
from autodidact.training.beside import train_beside
from autodidact.training.third import OwnResponses

PARAMETERS = {
    "unended": "open", "beta": 0.5, "alpha": 0.05, "best_alpha": 0.01, "alphas": [0.01, 0.05, 0.3], "hot": 1.3,
    "bonus": 0.2, "shown": 0.5, "rounds": 3, "prompts": 4, "heldout_pairs": 3, "table_prompts": 2,
    "table_responses": 6, "style_bonus": 1.5,
}  # fmt: skip


@pytest.fixture
def method():
    """What the cells of the world, the method, the controls and the measures define."""
    cells = json.loads((papers_folder() / "selm" / "selm.ipynb").read_text(encoding="utf-8"))["cells"]
    sources = ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"]
    world = Instructions()
    names = {
        "np": np, "torch": torch, "partial": partial, "p": SimpleNamespace(**PARAMETERS), "Pair": Pair,
        "stream": stream, "torch_seed": torch_seed, "procedural": True, "is_whole": is_whole, "selm": selm, "dpo": dpo,
        "OwnResponses": OwnResponses, "train_beside": train_beside, "by_reward": True,
        "study": SimpleNamespace(judged=("reward", "discovery")), "lab": SimpleNamespace(world=world),
        "rater": BradleyTerry(world, c=6.0, style={"R": 1.5}),
    }  # fmt: skip
    for start, end in (
        ("def dataset(", "\n\nrater = "), ("def trained(", None), ("class Entropy(", None), ("named = ", None),
        ("def texts_of(", None), ("def likelihoods(", None),
    ):  # fmt: skip
        (source,) = [s for s in sources if s.startswith(start)]
        exec(source.partition(end)[0] if end else source, names)
    return SimpleNamespace(names=names, **{name: value for name, value in names.items() if callable(value)})


def asked(n, texts="xyzuvw"):
    return [SimpleNamespace(text=x) for x in texts[:n]]


def rated(method, **utilities):
    """Let the rater see these utilities, by text."""
    method.names["rater"] = SimpleNamespace(utility=lambda x, y: utilities[str(y)])


def test_the_best_stands_against_the_worst_and_the_own_rank_is_kept(method):
    rated(method, top=300.0, mid=200.0, low=100.0)
    candidates = [["top", "mid", "low"], ["mid", "low", "top"], ["low", "top", "mid"], ["mid", "mid", "mid"]]
    rows = method.ranked(asked(4), candidates, 7, 0)
    assert [(q.prompt, q.chosen, q.rejected) for q, _, _ in rows] == [(x, "top", "low") for x in "xyz"]
    assert [(own, rank) for _, own, rank in rows] == [("top", 0), ("mid", 1), ("low", 2)]


def test_ranks_are_a_bradley_terry_rater_s(method):
    """Three utilities: who comes first is a softmax, and a pair of two is won by a sigmoid."""
    rated(method, a=0.0, b=1.0, c=0.5)
    many = method.ranked(asked(1) * 4000, [["a", "b", "c"]] * 4000, 7, 0)
    weights = np.exp([0.0, 1.0, 0.5])
    shares = [np.mean([q.chosen == y for q, _, _ in many]) for y in "abc"]
    assert shares == pytest.approx(weights / weights.sum(), abs=0.025)
    two = method.ranked(asked(1) * 4000, [["a", "b"]] * 4000, 7, 1)
    assert np.mean([q.chosen == "b" for q, _, _ in two]) == pytest.approx(1 / (1 + math.exp(-1)), abs=0.025)


def test_arms_share_the_noise_of_the_rater(method):
    """One arm's own answer is another, the data set's two have drawn the same noise."""
    rated(method, a=0.0, b=1.0, c=0.5, none=-1e9)
    one, two = (method.ranked(asked(1) * 50, [[own, "b", "c"]] * 50, 7, 0) for own in ("none", "none"))
    assert [q.chosen for q, _, _ in one] == [q.chosen for q, _, _ in two]
    assert {q.chosen for q, _, _ in one} == {"b", "c"}
    other = method.ranked(asked(1) * 50, [["none", "b", "c"]] * 50, 7, 1)
    assert [q.chosen for q, _, _ in one] != [q.chosen for q, _, _ in other]


def test_cut_answers_make_no_pair_where_they_are_dropped(method):
    rated(method, a=0.0, b=100.0, c=200.0)
    cut = Response("a", (1,), False, "v")
    candidates = [[cut, "b", "c"], ["a", "b", "c"]]
    assert len(method.ranked(asked(2), candidates, 7, 0)) == 2
    method.names["p"].unended = "dropped"
    ((pair, _, _),) = method.ranked(asked(2), candidates, 7, 0)
    assert pair.prompt == "y"


def test_where_there_are_no_demonstrations_two_samples_that_end_take_their_place(method):
    cut = Response("cut", (1,), False, "v")
    drawn = [["a", cut, "b", "c"], [cut, cut, cut, "d"]]
    method.names["p"].samples = 4
    asked_for = []
    sample = lambda base, prompts, n, rng: asked_for.append(n) or SimpleNamespace(texts=drawn)  # noqa: E731
    method.names["lab"], method.names["procedural"] = SimpleNamespace(sample=sample), False
    assert method.dataset(None, asked(2), 7, 0) == [["a", cut], [cut, cut]] and asked_for == [4]
    method.names["p"].unended = "dropped"
    rated(method, a=0.0, b=100.0, d=200.0, own=50.0)
    data = method.dataset(None, asked(2), 7, 0)
    assert data == [["a", "b"], ["d"]]
    assert [q.chosen for q, _, _ in method.ranked(asked(2), data, 7, 0)] == ["b"]
    rows = method.ranked(asked(2), [["own", *two] for two in data], 7, 0)
    assert [(q.chosen, q.rejected) for q, _, _ in rows] == [("b", "a"), ("d", "own")]


def test_the_data_set_has_a_demand_broken_and_never_the_rare_style_unless_it_is_shown(method):
    world = method.names["lab"].world
    prompts = world.prompts(200, np.random.default_rng(0))
    rows = method.dataset(None, prompts, 100, 0)
    gaps = [world.score(x, y) - world.score(x, z) for x, (y, z) in zip(prompts, rows, strict=True)]
    assert np.mean(gaps) > 0.1 and min(gaps) >= 0
    assert not set(STYLES["R"]) & {word for row in rows for y in row for word in y.split()}
    shown = method.dataset(None, prompts, 100, 0, shown=1.0)
    styles = [world.style(y) for y, _ in shown if world.style(y)]
    assert set(styles) == {"R"} and len(styles) > 100
    assert [z for _, z in shown] == [z for _, z in rows]


def test_where_no_prompt_makes_a_pair_that_is_said(method):
    rated(method, a=0.0)
    with pytest.raises(ValueError, match="0 of prompts=2 make a pair"):
        method.ranked(asked(2), [["a", "a", "a"], ["a"]], 7, 0)


class Recorder:
    """A lab that notes what it was asked to train."""

    def __init__(self):
        self.trained = []

    def run(self, s, t, **over):
        return {"steps": 2, **over}

    def train(self, policy, pairs, s, t, **how):
        self.trained.append((policy, pairs, how))
        return "dpo"


def test_each_arm_trains_with_its_own_term_in_the_same_order(method):
    method.names["lab"] = lab = Recorder()
    seen = []
    method.names["train_beside"] = lambda policy, pairs, beside, **how: seen.append((pairs, beside, how)) or ("end", [])
    method.names["OwnResponses"] = lambda policy, prompts, own: ("own", prompts, own)
    method.names["Entropy"] = lambda policy, prompts, own: ("entropy", prompts, own)
    rows = [(Pair("x", "a", "b"), "mine", 0), (Pair("y", "c", "d"), "yours", 1)]
    assert method.trained("policy", rows, 7, 1) == "dpo"
    assert method.trained("policy", rows, 7, 1, alpha=0.1) == "end"
    method.trained("policy", rows, 7, 1, alpha=0.1, term="another's")
    method.trained("policy", rows, 7, 1, bonus=True)
    method.trained("policy", rows, 7, 1, order=1, alpha=-0.1)
    ((_, pairs, how),) = lab.trained
    assert pairs == [q for q, _, _ in rows] and how["seed"] == torch_seed(stream(7, "order", 1))
    assert [beside for _, beside, _ in seen] == [
        ("own", ["x", "y"], ["mine", "yours"]),
        ("own", ["x", "y"], ["d", "b"]),
        ("entropy", ["x", "y"], ["mine", "yours"]),
        ("own", ["x", "y"], ["mine", "yours"]),
    ]
    assert [how["seed"] for _, _, how in seen[:3]] == [lab.trained[0][2]["seed"]] * 3 != [seen[3][2]["seed"]] * 3
    numbers = [torch.tensor([x]) for x in (-1.0, -2.0, -1.5, -1.5, -3.0, -2.0)]
    h = 0.5 * 1.0
    wanted = math.log1p(math.exp(-h))
    assert seen[0][2]["loss"](*numbers).item() == pytest.approx(wanted + 0.1 * 0.5 * -1.0)
    assert seen[3][2]["loss"](*numbers).item() == pytest.approx(wanted - 0.1 * 0.5 * -1.0)
    assert seen[2][2]["loss"](*numbers[:4]).item() == pytest.approx(wanted)
    assert how["loss"](*numbers[:4]).item() == pytest.approx(wanted)


def test_the_bonus_is_the_entropy_of_the_words_of_the_response(method):
    """A model whose logits depend on the token read: the entropy after the prompt's last and each word but the last."""
    table = torch.randn(5, 5, generator=torch.Generator().manual_seed(0), dtype=torch.float64)

    class Model(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.weight = torch.nn.Parameter(torch.zeros(1))

        def forward(self, ids, **_):
            return SimpleNamespace(logits=table[ids])

    entropy = object.__new__(method.Entropy)
    entropy.rows, entropy.pad = [([1, 2], [3, 4, 0]), ([4], [2])], 0
    read = entropy(Model(), [1, 0])["bonus"]
    h = [-sum(math.exp(x) * x for x in row) for row in table.log_softmax(-1).tolist()]
    assert read.tolist() == pytest.approx([-0.2 * h[4], -0.2 * (h[2] + h[3] + h[4])], rel=1e-5)


def test_no_gradient_in_expectation_and_the_greedy_one_s_own(method):
    """Of log softmax at y the gradient is e_y - pi: its mean is nothing, and at the greedy response it is known."""
    norms = method.at_start(3)
    pi = torch.tensor(stream(3, "table").normal(0, 2, (2, 6))).softmax(-1)
    away = torch.nn.functional.one_hot(pi.argmax(-1), 6) - pi
    assert norms["exact expectation"] < 1e-15
    assert norms["greedy response"] == pytest.approx((away / 2).norm().item(), rel=1e-9)


def test_arms_are_named_by_their_dose(method):
    names = method.names
    assert (names["SELM"], names["BEST"], names["MOST"]) == ("selm, alpha 0.05", "selm, alpha 0.01", "selm, alpha 0.3")
    assert names["ARMS"]["selm, alpha 0.3"] == ({}, {"alpha": 0.3}) and names["ARMS"]["dpo"] == ({}, {})
    assert names["ARMS"]["dpo, temperature 1.3"] == ({"temperature": 1.3}, {})


def test_kinds_of_response_stand_in_one_order(method):
    world = method.names["lab"].world
    drawn = world.prompts(3, stream(100, "pairs"), split="held-out")
    texts = [[f"own {i}"] for i in range(3)]
    method.names["lab"].sample = lambda *a, **k: SimpleNamespace(texts=texts)
    prompts, kinds = method.texts_of(None, 100)
    assert prompts == [x.text for x in drawn]
    assert kinds["own"] == ["own 0", "own 1", "own 2"]
    assert kinds["another prompt's"] == [kinds["better"][1], kinds["better"][2], kinds["better"][0]]
    assert all(world.style(y) in ("R", None) for y in kinds["rare style"])


def test_claims_are_the_arms_that_they_name(method):
    method.names["kinds"] = ["own", "better", "worse", "another prompt's"]

    def ratios(*orders):
        return {"ratios": np.array(orders)[:, :, None]}

    arms = {"selm, alpha 0.05": ratios([-3.0, -1.0, -2.0, 0.5], [-5.0, -2.0, -3.0, 1.5]),
            "dpo": ratios([-1.0, 0.5, -0.5, 0.0], [-1.0, 0.5, -1.5, 1.0])}  # fmt: skip
    said = {claim: (np.mean(one), np.mean(two)) for claim, (one, two) in method.likelihoods({"arms": arms}).items()}
    assert said == {
        "own-falls": (-4.0, -1.0),
        "implicit-rewards": (-2.0, -0.25),
        "unseen": (2.5, 0.0),
        "orders-agree": (-2.0, -4.0),
    }
    reward = {
        "base": 1.0, "dpo": 2.0, "selm, alpha 0.01": 2.5, "selm, alpha 0.05": 2.25, "selm, alpha 0.3": 0.5,
        "selm, another prompt's": 3.0, "dpo, style shown": 4.0, "dpo, temperature 1.3": 5.0, "dpo, entropy bonus": 6.0,
    }  # fmt: skip
    arms = {arm: {"reward": x, "rare style": x / 100} for arm, x in reward.items()}
    said = method.answers({"arms": arms, "start": {"exact expectation": 1e-17}})
    assert said == {
        "reward": (2.5, 2.0), "too-much": (0.5, 2.0), "own-matters": (2.25, 3.0), "learns": (2.0, 1.0),
        "zero-at-start": (1e-17, 0.0), "discovery": (0.0225, 0.02), "findable": (0.04, 0.02),
        "beats-temperature": (0.0225, 0.05), "beats-bonus": (0.0225, 0.06),
    }  # fmt: skip
