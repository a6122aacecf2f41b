"""SRPO's notebook: its pairs and revisions, its tables, matching at equal odds and its measures, worked out by hand."""

import json
from dataclasses import replace
from functools import partial
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from scipy.special import expit

from autodidact.claims import load_paper, papers_folder
from autodidact.environments.instructions.forms import revise as world_form
from autodidact.lab import Answers
from autodidact.losses import dpo, ipo, srpo
from autodidact.models import is_whole
from autodidact.streams import stream, torch_seed
from autodidact.training import Pair, with_drafts
from tests.papers.answered import answered

PARAMETERS = {
    "unended": "open", "revision": "{prompt} ? {draft} !", "alpha": 0.6, "beta": 0.1, "learning_rate": 1e-3,
    "dpo_beta": 0.2, "dpo_learning_rate": 2e-3, "ipo_beta": 0.3, "ipo_learning_rate": 3e-3, "drafts_beta": 0.4,
    "drafts_learning_rate": 4e-3, "sft_learning_rate": 5e-3, "batch_size": 8, "table_beta": 0.5,
    "table_betas": [0.1, 0.5], "table_responses": 4, "revisions": 2,
}  # fmt: skip


class Scores:
    """A rater by a number that is the response's first word: the larger wins, always."""

    def probability(self, prompt, a, b):
        return float(float(a.split()[0]) > float(b.split()[0]))


@pytest.fixture
def method():
    """What the cells of the pairs, the method, the tables and the measures define."""
    cells = json.loads((papers_folder() / "srpo" / "srpo.ipynb").read_text(encoding="utf-8"))["cells"]
    sources = ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"]
    names = {
        "np": np, "torch": torch, "expit": expit, "partial": partial, "replace": replace, "is_whole": is_whole,
        "p": SimpleNamespace(**PARAMETERS), "Pair": Pair, "stream": stream, "torch_seed": torch_seed,
        "everything": True, "with_drafts": with_drafts, "srpo": srpo, "dpo": dpo, "ipo": ipo,
    }  # fmt: skip
    ends = {"def revise(": "\n\nif not all"}
    for start in ("def revise(", "ARMS = ", "def game(", "def preferences(", "def tables(", "def answers("):
        (source,) = [s for s in sources if s.startswith(start)]
        exec(source.partition(ends.get(start, "\0"))[0], names)
    return SimpleNamespace(names=names, **{name: value for name, value in names.items() if callable(value)})


def test_the_prompt_of_the_toy_improver_is_the_world_s_form():
    text = load_paper("srpo").scales["toy"]["revision"]
    assert text.format(prompt="write .", draft="a b") == world_form("write .", "a b")


def test_a_prompt_makes_one_pair_of_its_first_two_answers(method):
    some = answered([["1 a", "3 b", "9 c"], ["5 a", "2 b", "7 c"], ["4 e", "4 e", "1 f"]])
    pairs = method.labelled(some, Scores(), 7)
    assert [(q.prompt, q.chosen, q.rejected) for q in pairs] == [("x", "3 b", "1 a"), ("y", "5 a", "2 b")]


def test_labels_are_drawn_from_the_rater(method):
    rater = SimpleNamespace(probability=lambda prompt, a, b: 0.8 if a == "a" else 0.2)
    many = Answers(["x"] * 2000, ["x"] * 2000, answered([["a", "b"]]).rows * 2000, None)
    share = np.mean([q.chosen == "a" for q in method.labelled(many, rater, 3)])
    assert share == pytest.approx(0.8, abs=0.03)
    assert [q.chosen for q in method.labelled(many, rater, 4)] != [q.chosen for q in method.labelled(many, rater, 3)]


def test_cut_answers_make_no_pair_where_they_are_dropped(method):
    some = answered([["1 a", "3 b", "9 c"], ["5 a", "2 b", "7 c"]], [[True, False, True], [True, False, False]])
    assert len(method.labelled(some, Scores(), 7)) == 2
    method.names["p"].unended = "dropped"
    (pair,) = method.labelled(some, Scores(), 7)
    assert (pair.prompt, pair.chosen, pair.rejected) == ("x", "9 c", "1 a")


class Echo:
    """A lab whose policy answers with the prompt that it was asked, and notes how it was."""

    def __init__(self):
        self.asked, self.trained = [], []

    def sample(self, policy, prompts, n, rng):
        self.asked.append((policy, list(prompts), n))
        return Answers(prompts, prompts, answered([[f"<{x}>"] for x in prompts]).rows, None)

    def train(self, base, pairs, s, t, **how):
        self.trained.append(("train", base, pairs, s, t, how))
        return "trained"

    def supervise(self, base, examples, s, t, **how):
        self.trained.append(("supervise", base, examples, s, t, how))
        return "supervised"

    def run(self, s, t, **over):
        return {"seed": "own", "batch_size": 8} | over


def test_every_draft_gets_a_revision_of_its_own_in_its_place(method):
    method.names["lab"] = lab = Echo()
    first = answered([["a", "b"], ["c", "d"]])
    path = method.revisions_of("policy", first, 7, 2)
    assert path[0] is first
    assert path[1].texts == [["<x ? a !>", "<x ? b !>"], ["<y ? c !>", "<y ? d !>"]]
    assert path[2].texts[1] == [
        "<y ? <y ? c !> !>",
        "<y ? <y ? d !> !>",
    ]  # the last answer alone, under the plain prompt
    assert [(who, n) for who, _, n in lab.asked] == [("policy", 1)] * 2
    assert path[2].prompts == first.prompts
    swapped = method.revised("policy", first, [["c", "d"], ["a", "b"]], 7, 1)
    assert swapped.texts[0] == ["<x ? c !>", "<x ? d !>"]


def test_each_arm_is_trained_on_the_same_pairs_in_the_same_order(method):
    method.names["lab"] = lab = Echo()
    seen = []
    method.names["train_revisions"] = lambda base, pairs, **how: seen.append((pairs, how)) or ("revised", [])
    pairs = [Pair("x", "good", "bad")]
    assert method.trained("dpo", "base", pairs, 7) == "trained"
    assert method.trained("dpo, drafts", "base", pairs, 7) == "trained"
    assert method.trained("revision sft", "base", pairs, 7) == "supervised"
    assert method.trained("srpo", "base", pairs, 7) == "revised"
    (_, _, plain, s, t, how), (_, _, thrice, *_, wide), (_, _, lessons, *_, sft) = lab.trained
    assert plain is pairs and (s, t) == (7, 0)
    assert how["learning_rate"] == 2e-3 and how["loss"].keywords == {"beta": 0.2}
    assert [q.prompt for q in thrice] == ["x", "x ? bad !", "x ? good !"]
    assert wide["batch_size"] == 24 and wide["learning_rate"] == 4e-3 and wide["loss"].keywords == {"beta": 0.4}
    assert lessons == [("x ? bad !", "good")] and sft["learning_rate"] == 5e-3
    (mine, asked) = seen[0]
    assert mine is pairs and asked["loss"].keywords == {"alpha": 0.6, "beta": 0.1}
    assert asked["revise"]("x", "y") == "x ? y !"
    assert how["seed"] == wide["seed"] == sft["seed"] == asked["seed"] == torch_seed(stream(7, "order"))


def test_the_game_of_two_responses_by_hand(method):
    """P(second beats first) = 1, beta 1: after the first, weights e^0.5 and e; after the second, 1 and e^0.5."""
    wins = np.array([[0.5, 0.0], [1.0, 0.5]])  # wins[b, a]
    generator, improver = method.game(wins, np.array([0.5, 0.5]), 1.0)
    root = np.exp(0.5)
    assert improver == pytest.approx(np.array([[root, np.e], [1, root]]) / [[root + np.e], [1 + root]])
    odds = (root + np.e) / (1 + root)  # Z(first) / Z(second)
    assert generator == pytest.approx(np.array([1, odds]) / (1 + odds))


def test_srpo_s_minimum_is_the_game_and_dpo_s_the_reward_policy(method):
    rng = np.random.default_rng(0)
    ref, writer = rng.dirichlet(np.full(4, 3.0)), rng.dirichlet(np.full(4, 3.0))
    wins = method.preferences(rng, 4, "arbitrary")
    assert wins + wins.T == pytest.approx(np.ones((4, 4))) and np.diag(wins).tolist() == [0.5] * 4
    found = method.minimum(partial(srpo, alpha=0.3, beta=0.4), wins, ref, writer)
    for mine, theirs in zip(found, method.game(wins, ref, 0.4), strict=True):
        assert mine == pytest.approx(theirs, abs=1e-6)
    utility = np.array([0.3, -1.0, 0.8, 0.0])
    fixed = expit(np.subtract.outer(utility, utility))
    policy, _ = method.minimum(lambda *x: dpo(*x[:4], beta=0.5), fixed, ref, writer)
    assert policy == pytest.approx(ref * np.exp(utility / 0.5) / (ref * np.exp(utility / 0.5)).sum(), abs=1e-6)


def test_ipo_s_minimum_is_a_weighted_least_squares_fit(method):
    rng = np.random.default_rng(1)
    ref, writer, wins = (
        rng.dirichlet(np.ones(4) * 3),
        rng.dirichlet(np.ones(4) * 3),
        method.preferences(rng, 4, "arbitrary"),
    )
    policy, _ = method.minimum(lambda *x: ipo(*x[:4], beta=0.5), wins, ref, writer)
    rows, wanted = [], []
    for a in range(4):
        for b in range(4):
            weight = np.sqrt(writer[a] * writer[b])
            rows.append(weight * (np.eye(4)[a] - np.eye(4)[b]))
            wanted.append(weight * (2 * wins[a, b] - 1))  # (2p - 1) / (2 beta)
    ratio = np.linalg.lstsq(np.array(rows), np.array(wanted), rcond=None)[0]
    assert policy == pytest.approx(ref * np.exp(ratio) / (ref * np.exp(ratio)).sum(), abs=1e-6)


def test_a_table_says_how_far_solutions_are_apart_and_what_a_revision_does(method):
    free, tied = (method.table(3, kind, i) for i, kind in enumerate(("arbitrary", "bradley-terry")))
    assert free["apart"]["srpo"] < 1e-5 < free["apart"]["ipo"] and free["off"] < 1e-5 and tied["apart"]["dpo"] < 1e-5
    rng = stream(3, "table", 0)  # the same draws, and gain and wins by sums over responses
    wins, ref = method.preferences(rng, 4, "arbitrary"), rng.dirichlet(np.full(4, 3.0))
    for k, beta in enumerate(PARAMETERS["table_betas"]):
        pi, after = method.game(wins, ref, beta)
        quality = [sum(wins[y, z] * ref[z] for z in range(4)) for y in range(4)]
        gain = sum(pi[a] * after[a, b] * (quality[b] - quality[a]) for a in range(4) for b in range(4))
        beats = sum(pi[a] * after[a, b] * wins[b, a] for a in range(4) for b in range(4))
        assert (free["gain"][k], free["beats"][k]) == pytest.approx((gain, beats))


def test_claims_on_answers_and_tables_take_the_arms_they_name(method):
    arm = lambda *gold, **more: {"gold": list(gold), "foreign": gold[1] - 0.25} | more  # noqa: E731
    arms = {
        "base": arm(0.5, 0.5), "srpo": arm(0.625, 0.75, 0.875, shifted=[0.1, 0.7], copies=0.125),
        "dpo": arm(0.75, 0.625, 0.5, shifted=[0.2, 0.4]), "ipo": arm(0.5, 0.625), "dpo, drafts": arm(0.5, 0.375),
        "revision sft": arm(0.5, 0.25),
    }  # fmt: skip
    arms["srpo"] |= {"foreign": 0.375, "second sample": 0.6875}
    said = method.answers({"arms": arms})
    assert said == {
        "revision-gains": (0.125, -0.125), "revision-raises": (0.75, 0.625), "gains-over-ipo": (0.125, 0.125),
        "dpo-gains-nothing": (-0.125, 0.0), "five-revisions": (0.7, 0.4), "ahead-at-once": (0.625, 0.75),
        "more-revisions": (0.875, 0.75), "beats-plain-dpo": (0.75, 0.75), "learns": (0.625, 0.5),
        "another-draft": (0.75, 0.375), "learnt-to-read": (0.375, 0.25), "second-sample": (0.75, 0.6875),
        "more-than-the-base": (0.125, 0.0), "dpo-as-the-base": (-0.125, 0.0),
        "no-copies": (0.125, 0.0), "revision-sft": (0.75, 0.25), "drafts-for-dpo": (0.75, 0.375),
    }  # fmt: skip
    method.names["everything"] = False
    few = {claim.id: said[claim.id] for claim in load_paper("srpo").claims_at("small")}
    assert method.answers({"arms": {arm: arms[arm] for arm in ("base", "srpo", "dpo")}}) == few
    method.names["everything"] = True
    arms["srpo"]["perfect"] = 0.9
    assert method.answers({"arms": arms})["perfect-draft"] == (0.9, 0.75)
    one = {"apart": {"srpo": 0.0, "dpo": 0.3, "ipo": 0.1}, "off": 0.01, "gain": [0.5, -0.2], "beats": [0.9, 0.7]}
    two = {"apart": {"srpo": 0.0, "dpo": 0.02, "ipo": 0.04}, "off": 0.03, "gain": [0.6, -0.1], "beats": [0.8, 0.5]}
    assert method.tables({"arbitrary": one, "bradley-terry": two}) == {
        "one-solution": (0.0, 0.0), "solves-the-game": (0.03, 0.0), "dpo-depends": (0.3, 0.0),
        "ipo-depends": (0.1, 0.0),
        "dpo-with-utilities": (0.02, 0.0), "ipo-with-utilities": (0.04, 0.0), "table-gain": (-0.1, 0.0),
        "table-beats-draft": (0.7, 0.5),
    }  # fmt: skip
