"""T-REG's notebook: guilt of tokens, its rewards and controls, and its measures, worked out by hand."""

import json
from functools import partial
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from scipy.stats import rankdata
from sklearn.metrics import roc_auc_score

from autodidact.claims import load_paper, papers_folder
from autodidact.environments import load_world
from autodidact.environments.instructions.forms import tagged
from autodidact.environments.instructions.sentences import TERMINATOR, WORD
from autodidact.losses import contrastive_rewards, dpo, t_reg
from autodidact.streams import stream
from autodidact.training import Pair, TokenRewards, per_token

NAN = np.nan


@pytest.fixture
def method():
    """What the cells of the world, the method, the controls and the verdicts define."""
    cells = json.loads((papers_folder() / "t-reg" / "t-reg.ipynb").read_text(encoding="utf-8"))["cells"]
    sources = ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"]
    names = {
        "np": np, "rankdata": rankdata, "partial": partial, "stream": stream, "WORD": WORD, "TERMINATOR": TERMINATOR,
        "contrastive_rewards": contrastive_rewards, "dpo": dpo, "t_reg": t_reg, "per_token": per_token,
        "TokenRewards": TokenRewards, "trains": True,
        "p": SimpleNamespace(alpha=2.0, beta=0.1, better="{prompt} good :", worse="{prompt} poor :", tag_steps=3,
                             plain_share=0.25, tag_rate=1e-3, eval_responses=2, lies=[0.0, 0.5]),
    }  # fmt: skip
    ends = {"TAGS = ": "\n\nlab.show(", "def tokens(": "\n\nmeasure_runs("}
    for start in ("TAGS = ", "def rewards(", "def auroc(", "def contrast(", "def tokens("):
        (source,) = [s for s in sources if s.startswith(start)]
        exec(source.partition(ends.get(start, "\0"))[0], names)
    return SimpleNamespace(names=names, **{name: value for name, value in names.items() if callable(value)})


class Letters:
    """A policy that reads an answer word by word, each with the blank before it, and an end."""

    def encode_response(self, text):
        self.pieces = [piece if i == 0 else f" {piece}" for i, piece in enumerate(text.split(" "))] + ["<end>"]
        return list(range(len(self.pieces)))

    def decode(self, ids):
        return "".join(self.pieces[i] for i in ids)


def test_the_wishes_of_toy_are_the_world_s_tags():
    row = load_paper("t-reg").scales["toy"]
    assert [row[name].format(prompt="write .", answer="a") for name in ("better", "worse")] == [
        tagged("write .", "good"), tagged("write .", "poor")]  # fmt: skip


def test_guilt_is_the_world_s_blame_and_the_end_does_not_count(method):
    world = load_world("instructions/default")
    method.names["lab"] = SimpleNamespace(world=world)
    x = world.parse("write 5 words about games : begin yes , use tag , skip and .")
    text = "happy tag and golf with dice"  # a wrong first word, the demanded one, a forbidden one, one too many
    found = method.guilt(Letters(), x, text)
    assert np.array_equal(found, [-1, 1, -1, 0, 0, -1, NAN], equal_nan=True)
    cut = SimpleNamespace(encode_response=lambda y: [0, 1, 2])  # sampled to its limit: no end token
    assert method.guilt(cut, x, "happy tag and").tolist() == [-1, 1, -1]


@pytest.mark.parametrize(
    ("text", "guilt"),
    [
        ("Bees make honey.", [0, 0, 0, NAN]),
        ("Bees make honey. Indeed so.", [0, 0, 0, -1, -1, NAN]),  # a second sentence
        ("a b c d e f g h i j", [0] * 8 + [-1, -1, NAN]),  # words past the eighth
    ],
)
def test_guilt_of_a_sentence_lies_behind_its_end_and_behind_the_last_word_allowed(method, text, guilt):
    world = load_world("sentences/default")
    method.names["lab"] = SimpleNamespace(world=world)
    x = SimpleNamespace(truth=SimpleNamespace(topic="bees", word="honey", most=8))
    assert np.array_equal(method.guilt(Letters(), x, text), guilt, equal_nan=True)


class Tagged:
    """A policy whose log-probabilities are the length of the prompt times a number of each token."""

    def logprobs(self, prompts, texts):
        return [torch.tensor([0.1 * len(x) * i for i in range(len(y.split()) + 1)]) * (-1 if "good" in x else -1.1)
                for x, y in zip(prompts, texts, strict=True)]  # fmt: skip

    def encode_response(self, text):
        return list(range(len(text.split()) + 1))


def test_rewards_contrast_the_two_wishes(method):
    (found,) = method.rewards(Tagged(), ["x"], ["fig pear"])
    step = 0.1 * len("x good :") * 0.1
    assert found == pytest.approx([1 / (1 + np.exp(-step * i)) - 0.5 for i in range(3)], rel=1e-5)


def test_controls_are_made_of_the_same_rewards(method):
    world = SimpleNamespace(blame=lambda x, y: [-1 if word == "bad" else 1 for word in y.split()] + [-1])
    method.names["lab"] = SimpleNamespace(world=world)
    pairs = [Pair("x", "fig bad fig", "bad pear"), Pair("y", "fig fig", "bad")]
    given = method.made(Tagged(), pairs, {"x": "X", "y": "Y"}, 7)
    assert [[len(r) for r in two] for two in given["own"]] == [[4, 3], [3, 2]]
    (chosen, rejected), _ = given["oracle"]
    assert chosen.tolist() == [0.5, -0.5, 0.5, 0] and rejected.tolist() == [-0.5, 0.5, 0]
    assert [set(r.tolist()) for r in given["constant"][1]] == [{0.25}, {-0.25}]
    for own, moved in zip(given["own"], given["shuffled"], strict=True):
        for one, two in zip(own, moved, strict=True):
            assert sorted(one) == sorted(two)
    assert any((a != b).any() for own, moved in zip(given["own"], given["shuffled"], strict=True)
               for a, b in zip(own, moved, strict=True))  # fmt: skip


def test_auroc_is_that_of_scikit_learn_on_what_counts(method):
    rng = np.random.default_rng(0)
    values = [np.round(rng.normal(size=n), 1) for n in (5, 3, 40)]
    marks = [rng.choice([-1.0, 0.0, 1.0], len(v)) for v in values]
    marks[0][2] = NAN
    flat, want = np.concatenate(values), np.concatenate(marks)
    kept = ~np.isnan(want)
    assert method.auroc(values, marks) == pytest.approx(roc_auc_score(want[kept] < 0, -flat[kept]))
    assert np.isnan(method.auroc([np.ones(2)], [np.zeros(2)]))


def test_places_split_the_marks_that_count(method):
    marks = [np.array([1, 0, 1, 0, NAN]), np.array([1, NAN]), np.array([NAN])]
    spots = method.places(marks)
    assert np.array_equal(spots["first"][0], [1, NAN, NAN, NAN, NAN], equal_nan=True)
    assert np.array_equal(spots["middle"][0], [NAN, 0, 1, NAN, NAN], equal_nan=True)
    assert np.array_equal(spots["last"][0], [NAN, NAN, NAN, 0, NAN], equal_nan=True)
    assert spots["first"][1][0] == 1 and np.isnan(spots["last"][1]).all()  # a single word is the first one
    assert all(np.isnan(spots[name][2]).all() for name in spots)


def test_lessons_are_as_many_as_the_steps_take_and_lie_as_told(method):
    asked = []

    def examples(form, n, rng, **knobs):
        asked.append((form, n, knobs))
        return [(form, "y")] * n

    supervise = lambda base, lessons, s, t, **how: (base, len(lessons), how)  # noqa: E731
    lab = SimpleNamespace(world=SimpleNamespace(examples=examples), base=lambda s: f"base {s}", supervise=supervise)
    method.names["lab"] = lab
    made = method.reference(7, 0.25)
    assert made == ("base 7", 192, {"steps": 3, "batch_size": 64, "learning_rate": 1e-3})
    assert asked == [("tagged", 144, {"flip": 0.25}), ("plain", 48, {})]
    method.names["p"].tag_steps = 0
    assert method.reference(8) == "base 8"


def test_an_arm_without_rewards_is_dpo_and_one_with_them_t_reg(method):
    calls = []
    lab = SimpleNamespace(
        train_logged=lambda ref, pairs, s, t, loss: calls.append(("dpo", loss.keywords)) or ("policy", []),
        run=lambda s, t: {"seed": "order"},
    )
    method.names |= {"lab": lab, "per_token": lambda loss: loss, "TokenRewards": lambda *given: given}
    method.names["train_beside"] = lambda ref, pairs, beside, loss, seed: (
        calls.append((beside[2], loss.keywords, seed)) or ("policy", [])
    )
    method.trained("ref", "pairs", 7)
    method.trained("ref", "pairs", 7, given="rewards")
    method.trained("ref", "pairs", 7, given="rewards", alpha=0.5)
    assert calls == [("dpo", {"beta": 0.1}), ("rewards", {"beta": 0.1, "alpha": 2.0}, "order"),
                     ("rewards", {"beta": 0.1, "alpha": 0.5}, "order")]  # fmt: skip


def test_the_contrast_is_judged_by_prompt_and_under_another_prompt(method):
    """Two prompts, two answers each; the rewards know the guilty words of their own prompt alone."""
    marks = [np.array(row, float) for row in ([-1, 0], [1, -1], [0, 1], [0, 0])]
    knows = {"a": [[-0.4, 0.1], [0.2, -0.3]], "b": [[0.3, 0.3], [0.3, 0.3]]}
    asked = []

    def rewards(policy, prompts, texts):
        asked.append((policy, list(prompts)))
        seen = {x: iter(rows) for x, rows in knows.items()}
        return [np.array(next(seen[x])) for x in prompts]

    method.names |= {"rewards": rewards, "reference": lambda s, lie=0.0: f"liar {lie}"}
    r = method.contrast("ref", ["a", "a", "b", "b"], list("wxyz"), marks, 7)
    assert r["own"]["all"] == 1.0 and r["own"]["items"].tolist() == [1.0]  # the second prompt has no guilty word
    assert r["another's"]["items"].tolist() == [0.5]
    assert asked[1] == ("ref", ["b", "b", "a", "a"]) and asked[2][0] == "liar 0.5"
    assert r["lies"] == [1.0, 1.0]


def test_claims_take_the_arms_they_name(method):
    arm = lambda gold, credit, gradient=1.0: {"gold": gold, "all": credit, "gradient": gradient}  # noqa: E731
    arms = {"dpo": arm(0.6, 0.7, 2.0), "t-reg": arm(0.65, 0.75), "oracle": arm(0.7, 0.9), "shuffled": arm(0.5, 0.6),
            "constant": arm(0.6, 0.7, 3.3)}  # fmt: skip
    r = {"contrast": {"own": {"all": 0.8, "items": "one"}, "another's": {"all": 0.55, "items": "two"},
                      "lies": [0.8, 0.7, 0.6]}, "arms": arms}  # fmt: skip
    assert method.tokens(r) == {"finds-guilty": (0.8, 0.5), "reads-the-prompt": (0.8, 0.55)}
    said = method.policies(r)
    assert said.pop("constant-step") == (pytest.approx(0.1), 0.0)  # 3.3 for 2 x 1.5
    assert said == {
        "better-credit": (0.75, 0.7), "beats-dpo": (0.65, 0.6), "finds-more-than-dpo": (0.8, 0.7),
        "oracle-credit": (0.9, 0.7), "oracle-gold": (0.7, 0.6), "own-order": (0.75, 0.6),
        "lying-tags": (0.8, 0.6),
    }  # fmt: skip
    method.names["trains"] = False
    assert method.tokens(r)["reads-the-prompt"] == ("one", "two")
