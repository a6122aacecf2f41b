"""SPPO's notebook: its pairs, the path of a training, matching at equal gaps and its measures, worked out by hand."""

import json
from functools import partial
from types import SimpleNamespace

import numpy as np
import pytest

from autodidact.claims import papers_folder
from autodidact.lab import Answers, Lab, play, where_reached
from autodidact.losses import dpo, ipo, sppo, sppo_linearised
from autodidact.models import is_whole
from autodidact.samplers import Sample, extreme_pairs, win_rate_matrix
from autodidact.streams import stream, torch_seed
from autodidact.training import Pair
from tests.papers.answered import answered

PARAMETERS = {
    "unended": "open", "steps": 4, "checkpoints": [2, 4, 8], "orders": 2, "rounds": 3, "beta": 0.1, "dpo_beta": 0.2,
    "ipo_beta": 0.3, "hard_beta": 0.4, "learning_rate": 1e-3, "dpo_learning_rate": 2e-3, "ipo_learning_rate": 3e-3,
    "hard_learning_rate": 4e-3, "linear_learning_rate": 5e-3,
}  # fmt: skip


class Scores:
    """A rater by a number that is the response's first word: P(a beats b) = 0.9 for the larger, 0.5 for equals."""

    def probability(self, prompt, a, b):
        return 0.5 + 0.4 * np.sign(float(a.split()[0]) - float(b.split()[0]))


def pair_logprobs(policy, pairs):
    """log pi of a policy that is a number: that number for better answers, minus three times it for worse."""
    return np.array([[policy + len(q.chosen) for q in pairs], [-3 * policy - len(q.rejected) for q in pairs]])


@pytest.fixture
def method():
    """What the cells of the method, the arms and the measures define."""
    cells = json.loads((papers_folder() / "sppo" / "sppo.ipynb").read_text(encoding="utf-8"))["cells"]
    sources = ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"]
    names = {
        "np": np, "partial": partial, "p": SimpleNamespace(**PARAMETERS), "rater": Scores(), "is_whole": is_whole,
        "where_reached": where_reached,
        "win_rate_matrix": win_rate_matrix, "extreme_pairs": extreme_pairs, "Pair": Pair, "stream": stream,
        "torch_seed": torch_seed, "pair_logprobs": pair_logprobs, "play": play, "sppo": sppo, "dpo": dpo, "ipo": ipo,
        "sppo_linearised": sppo_linearised, "study": SimpleNamespace(judged=("active-regression",)),
    }  # fmt: skip
    for start in ("def judged(", "ARMS = ", "def gaps(", "def gold_by_round(", "def likelihoods("):
        (source,) = [s for s in sources if s.startswith(start)]
        exec(source, names)
    return SimpleNamespace(names=names, **{name: value for name, value in names.items() if callable(value)})


def test_best_and_worst_carry_their_mean_win_rates_with_a_half_for_themselves(method):
    pairs = method.judged(Scores(), answered([["1 a", "3 b", "2 c", "0 d"], ["5 e", "5 e", "5 e", "5 e"]]))
    assert [(q.prompt, q.chosen, q.rejected) for q in pairs] == [("x", "3 b", "0 d")]
    assert pairs[0].columns == pytest.approx({"p_win": (0.5 + 3 * 0.9) / 4, "p_lose": (0.5 + 3 * 0.1) / 4})


def test_answers_that_were_cut_count_unless_they_are_dropped(method):
    some = answered(
        [["1 a", "3 b", "2 c"], ["1 a", "2 b", "9 c"], ["4 a", "3 b", "2 c"]],
        [[True, False, True], [True, False, False], [True, True, True]],
    )
    assert [(q.chosen, q.rejected) for q in method.judged(Scores(), some)] == [
        ("3 b", "1 a"), ("9 c", "1 a"), ("4 a", "2 c"),
    ]  # fmt: skip
    method.names["p"].unended = "dropped"
    pairs = method.judged(Scores(), some)  # of the second prompt one whole answer is left: no pair
    assert [(q.prompt, q.chosen, q.rejected) for q in pairs] == [("x", "2 c", "1 a"), ("z", "4 a", "2 c")]
    assert pairs[0].columns == pytest.approx({"p_win": 0.7, "p_lose": 0.3})


def test_shuffling_deals_a_prompt_s_own_win_rates_to_other_answers(method):
    texts = [["1 a", "3 b", "2 c", "0 d"]]
    turned = method.judged(Scores(), answered(texts), deal=lambda win: win[::-1])
    plain = method.judged(Scores(), answered(texts))
    assert (turned[0].chosen, turned[0].rejected) == ("2 c", "1 a")  # the places of the second and of the last
    assert turned[0].columns == plain[0].columns


def test_hard_labels_are_one_and_nothing(method):
    (pair,) = method.hard([Pair("x", "a", "b", {"p_win": 0.7, "p_lose": 0.2})])
    assert (pair.chosen, pair.rejected, pair.columns) == ("a", "b", {"p_win": 1.0, "p_lose": 0.0})


def test_a_training_is_followed_at_its_checkpoints_and_in_an_order_of_its_own(method):
    asked = []

    def train(base, pairs, s, t, *, watch, at, **how):
        asked.append(how | {"at": at, "pairs": pairs})
        for step in at:
            watch(step, base + 0.1 * step)

    method.names["lab"] = SimpleNamespace(train=train)
    seen, unseen = [Pair("x", "aa", "b")], [Pair("y", "a", "b"), Pair("z", "aaa", "b")]
    path = method.follow(1.0, seen, unseen, 7, 0, learning_rate=0.5)
    assert path["unseen"].shape == (4, 2, 2) and path["unseen"][0].tolist() == [[0, 0], [0, 0]]
    assert path["unseen"][:, 0] == pytest.approx(np.array([[0, 0], [0.2, 0.2], [0.4, 0.4], [0.8, 0.8]]))
    assert path["unseen"][:, 1] == pytest.approx(-3 * path["unseen"][:, 0])
    assert path["seen"] == pytest.approx(np.array([[0.4], [-1.2]]))  # at the arm's own length, not at the last step
    method.follow(1.0, seen, unseen, 7, 1, learning_rate=0.5)
    plain = Lab.run(SimpleNamespace(p=SimpleNamespace(), _named=lambda names: {}), 7, 0)["seed"]
    assert asked[0] == {"learning_rate": 0.5, "steps": 8, "seed": plain, "at": (2, 4, 8), "pairs": seen}
    assert asked[1]["seed"] == torch_seed(stream(7, "order", 3)) != plain


def path_of(better, worse, seen=((0.0,), (0.0,))):
    """A path of one arm: changes of two unseen pairs, 0.5 above and below the means that are given."""
    sides = np.stack([np.array([0.0, *better]), np.array([0.0, *worse])], axis=1)
    offsets = np.array([0.5, -0.5]) * (np.arange(len(sides)) > 0)[:, None]
    return {"unseen": sides[:, :, None] + offsets[:, None, :], "seen": np.array(seen)}


def test_a_gap_may_shrink_at_last(method):
    path = path_of([-0.25, -0.75, -1.0], [-1.25, -2.75, -2.0])
    assert method.gaps(path).tolist() == [0, 1, 2, 1]


def test_the_common_gap_is_sppo_s_own_or_the_least_that_is_reached(method):
    first, second = path_of([0, 0, 0], [-1, -2, -5]), path_of([0, 0, 0], [-1, -3, -4])
    far, short = path_of([0, 0, 0], [-2, -7, -9]), path_of([0, 0, 0], [-1, -1.5, -1])
    paths = {"sppo": [first, second], "dpo": [far], "ipo": [short]}
    assert method.common_gap(paths, ("sppo", "dpo")) == 2
    assert method.common_gap(paths, ("sppo", "dpo", "ipo")) == method.common_gap(paths, ("sppo", "ipo")) == 1.5
    halves = method.at_equal_gap(paths, ("sppo", "dpo"), 0.5)
    assert {arm: of.shape for arm, of in halves.items()} == {"sppo": (2, 2), "dpo": (1, 2)}
    assert halves["dpo"].tolist() == [[0.25, -0.25]]  # half way to its first checkpoint


def test_claims_on_likelihoods_compare_at_the_arm_s_end_or_at_one_gap(method):
    paths = {
        "sppo": [path_of([-0.2, -0.4, -1], [-1.2, -2.4, -5], ((2.0, 3.0), (-4.0, -6.0))),
                 path_of([-0.2, -0.6, -1], [-1.2, -2.6, -5], ((4.0, 5.0), (-6.0, -8.0)))],
        "dpo": [path_of([-1, -3, -9], [-2, -7, -20], ((1.0, -2.0), (0.0, 0.0))),
                path_of([-0.5, -4, -9], [-1.5, -6, -20], ((1.5, -2.5), (0.0, 0.0)))],
        "ipo": [path_of([-0.1, -0.1, -0.1], [-1.1, -1.35, -1.6], ((0.75,), (-1.0,)))],
        "sppo linearised": [path_of([-2, -4, -9], [-3, -6, -20])],
        "sppo, eta 1000": [path_of([-2, -5, -9], [-3, -6, -20])],
    }  # fmt: skip
    said = {claim: (np.mean(one), np.mean(two)) for claim, (one, two) in method.likelihoods({"paths": paths}).items()}
    # the common gap is 2: DPO is there a third of the way to its gap of 4 in one order, at its own end in the other
    dpo_then = -1 - 2 / 3, -4.0
    expected = {
        "chosen-rises": (3.5, 0), "rejected-falls": (-6, 0), "rise-carries-over": (-0.5, 0),
        "dpo-lowers": (-0.5, 0), "ipo-lowers": (0.75, 0),
        "chosen-likelihood": (-0.5, -3.5), "chosen-likelihood-ipo": (-0.5, -0.1),
        "equal-margin": (-0.5, np.mean(dpo_then)), "half-gap": (-0.2, -0.75),
        "finite-target": (-0.2 - 0.5 * (0.2 + 0.4) / 2, -0.1),  # IPO never comes further than a gap of 1.5
        "orders-agree": (-0.4 - dpo_then[0], -0.6 - dpo_then[1]),
        "active-regression": (-0.5, -4), "paper-eta-is-linear": (-5, -4),
    }  # fmt: skip
    assert set(said) == set(expected)
    for claim, numbers in expected.items():
        assert said[claim] == pytest.approx(numbers), claim


def test_a_round_that_adds_nothing_is_the_one_that_counts(method):
    gold = {
        arm: {"win": [0.5, 0.6, 0.58, 0.7], "raw": [0.5, 0.6, 0.6, 0.75], "words": [7, 7, 8, 9]}
        for arm in ("sppo", "dpo")
    }
    gold |= {"ipo": {"win": [0.5, 0.6, 0.65, 0.66], "raw": [0.5] * 4, "words": [7, 8, 9, 10]}}
    gold |= {name: {"win": [0.5, 0.4], "raw": [0.5, 0.4], "words": [7, 7]} for name in ("sppo hard", "sppo, shuffled")}
    said = method.qualities({"gold": gold, "cycle": {"sppo": [0.2, 0.1], "bradley-terry": [0.2, 0.3]}})
    assert said["every-round-adds"] == (pytest.approx(-0.02), 0.0)
    assert said["beats-base"] == (0.7, 0.5) and said["beats-ipo"] == (0.7, 0.66) and said["beats-dpo"] == (0.7, 0.7)
    assert said["length-is-not-it"] == (0.7, 0.75) and said["shuffled-labels"] == said["hard-labels"] == (0.6, 0.4)
    assert (
        said["moderate-length"] == (9, 10) and said["answers-grow"] == (10, 7) and said["cycle-learned"] == (0.1, 0.3)
    )


def test_every_arm_answers_for_itself_in_later_rounds(method):
    """Policies are numbers: a round adds what its arm's rate is, and gold is the policy."""
    trained = []

    def train(policy, pairs, s, t, **arm):
        trained.append((policy, t, arm["learning_rate"], pairs[0].columns["p_win"]))
        return policy + arm["learning_rate"]

    def held_out(policy, s):
        rows = [[Sample(f"{policy}", 0.0, 1, True)]]
        return Answers(["x"], ["x"], rows, SimpleNamespace(score=lambda x, y: float(y)))

    ask = lambda policy, s, t: answered([["1 a", "3 b", "2 c"]])  # noqa: E731
    method.names["lab"] = SimpleNamespace(train=train, ask=ask, held_out=held_out)
    gold = method.gold_by_round(0.0, 3, method.judged(Scores(), ask(0.0, 3, 0)))
    assert {arm: len(of["win"]) for arm, of in gold.items()} == {
        "sppo": 4, "dpo": 4, "ipo": 4, "sppo hard": 2, "sppo, shuffled": 2,
    }  # fmt: skip
    assert gold["dpo"]["win"] == [0.5, 1, 1, 1] == gold["dpo"]["raw"]
    own = [row for row in trained if row[2] == PARAMETERS["dpo_learning_rate"]]
    assert [(policy, t) for policy, t, *_ in own] == [(0.0, 0), (pytest.approx(0.002), 1), (pytest.approx(0.004), 2)]
    assert [row for row in trained if row[3] == 1.0] == [(0.0, 0, PARAMETERS["hard_learning_rate"], 1.0)]
