"""APO's notebook: its rounds, exact tables and measures, worked out by hand with policies that are numbers."""

import json
from functools import partial
from types import SimpleNamespace

import numpy as np
import pytest
from scipy.special import expit, log_softmax

from autodidact.claims import papers_folder
from autodidact.lab import Answers, play
from autodidact.losses import apo, dpo
from autodidact.models import Response, is_whole
from autodidact.samplers import Sample, extreme_pairs
from autodidact.streams import stream
from autodidact.training import Pair
from tests.papers.notebooks import measure

PRESET = {
    "unended": "open", "rounds": 3, "steps": 7, "orders": 2, "beta": 0.5, "learning_rate": 1e-3, "momentum": 0.5,
    "backward_momentum": -0.25, "large_momentum": 0.75, "apo_learning_rate": 2e-3, "apo_beta": 0.6,
    "dpo_learning_rate": 3e-3, "dpo_beta": 0.7, "one_learning_rate": 4e-3, "one_beta": 0.8,
    "pull_learning_rate": 6e-3, "pull_beta": 8.0, "misled_learning_rate": 5e-3,
    "heldout": 8, "heldout_pairs": 3, "eval_responses": 3, "responses": 2,
    "table_rounds": 4, "table_beta": 0.5, "table_worlds": 6, "table_responses": 5, "noisy_round": 3,
}  # fmt: skip


class Words:
    """A rater by the number that is an answer's first word."""

    def utility(self, prompt, y):
        return float(y.split()[0])


class Numbers:
    """A lab whose policies are numbers: asked, they answer with themselves; trained, they grow by what they learn."""

    def __init__(self):
        self.asked, self.trained = [], []

    def ask(self, policy, s, t):
        self.asked.append((policy, t))
        return answered([[f"{policy} low", "99 high"]])

    def train(self, policy, pairs, s, t, *, loss, **how):
        self.trained.append(SimpleNamespace(policy=policy, pairs=pairs, t=t, loss=loss, **how))
        return policy + 1000 * how.get("learning_rate", PRESET["learning_rate"])


def answered(texts):
    """Answers of no model in particular; an entry may be a `Response` that was cut."""
    rows = [[Sample(y, 0.0, 1, True) for y in row] for row in texts]
    return Answers(list("xyz"[: len(rows)]), list("xyz"[: len(rows)]), rows, None)


def extrapolate(policy, past, by, *, direction=None):
    return policy + by * (policy - past) + (0 if direction is None else 1e6)


def with_logprobs(pairs, past):
    return [Pair(q.prompt, q.chosen, q.rejected, {"past_chosen": past, "past_rejected": -past}) for q in pairs]


@pytest.fixture
def notebook():
    """What the notebook's cells define, with a lab of numbers and a preset of the test's own."""
    cells = json.loads((papers_folder() / "apo" / "apo.ipynb").read_text(encoding="utf-8"))["cells"]
    sources = ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"]
    names = {
        "np": np, "partial": partial, "log_softmax": log_softmax, "p": SimpleNamespace(**PRESET), "lab": Numbers(),
        "rater": Words(), "misleading": "the other rater", "is_whole": is_whole, "extreme_pairs": extreme_pairs,
        "by_gold": True,
        "apo": apo, "dpo": dpo, "extrapolate": extrapolate, "with_logprobs": with_logprobs, "stream": stream,
        "play": lambda step, path, s, rounds: play(step, path if isinstance(path, list) else [path], s, rounds),
        "pair_logprobs": lambda policy, pairs: np.array([[policy * len(q.chosen) for q in pairs], [0.0] * len(pairs)]),
    }  # fmt: skip
    for start in ("ORDER = ", "GROWTH = ", "def table_path(", "def evaluate(", "def at_kl("):
        (source,) = [source for source in sources if source.startswith(start)]
        exec(source, names)
    (source,) = [source for source in sources if "def in_units_of_dpo(" in source]
    exec(source[source.index("def in_units_of_dpo(") : source.index("runs = ")], names)
    (source,) = [source for source in sources if source.startswith("def of_extrapolation(")]
    exec(source[: source.index("if by_gold")], names)
    return SimpleNamespace(names=names, **{name: value for name, value in names.items() if name.isidentifier()})


def test_a_pair_is_the_rater_s_best_and_worst_of_what_counts(notebook):
    cut = Response("9 cut", (1,), False, "v")
    some = answered([["1 a", "3 b", cut], ["2 a", "2 a", "2 a"], ["5 a", cut, cut]])
    pairs = notebook.pairs_of(some)
    assert [(q.prompt, q.chosen, q.rejected) for q in pairs] == [("x", "9 cut", "1 a"), ("z", "9 cut", "5 a")]
    notebook.names["p"].unended = "dropped"
    assert [(q.prompt, q.chosen, q.rejected) for q in notebook.pairs_of(some)] == [("x", "3 b", "1 a")]


def test_momentum_goes_on_from_the_last_two_trained_policies_and_not_in_round_one(notebook):
    """A training adds 1: pihat is 0, 1; pi_1 = 1.5, pihat_2 = 2.5; pi_2 = 2.5 + 0.75, pihat_3 = 4.25."""
    hats = play(partial(notebook.in_weights, momentum=0.5), [0.0], 7, 3)
    assert hats == pytest.approx([0, 1, 2.5, 4.25])
    assert notebook.lab.asked == [(0.0, 0), (1.5, 1), (3.25, 2)]  # the extrapolated policy answers
    assert [run.policy for run in notebook.lab.trained] == [0.0, 1.5, 3.25]  # and is where training starts
    assert all(run.loss.func is dpo and run.loss.keywords == {"beta": 0.5} for run in notebook.lab.trained)
    assert [run.t for run in notebook.lab.trained] == [0, 1, 2]


def test_without_momentum_it_is_iterative_dpo(notebook):
    assert play(notebook.in_weights, [0.0], 7, 3) == [0, 1, 2, 3]
    assert notebook.lab.asked == [(0.0, 0), (1.0, 1), (2.0, 2)]


def test_rates_go_by_round_orders_by_their_number_and_a_random_direction_is_asked_for(notebook):
    rates = np.array([1e-3, 2e-3, 4e-3])
    assert play(partial(notebook.in_weights, rates=rates, order=1), [0.0], 7, 3) == pytest.approx([0, 1, 3, 7])
    assert [run.t for run in notebook.lab.trained] == [100, 101, 102]
    assert play(partial(notebook.in_weights, momentum=0.5, shuffled=True), [0.0], 7, 2)[-1] == 1e6 + 2.5


def test_in_log_probabilities_the_loss_knows_the_policy_before_last(notebook):
    hats = play(partial(notebook.in_log_probabilities, momentum=0.5), [10.0], 7, 3)
    assert hats == [10, 11, 12, 13] and notebook.lab.asked == [(10.0, 0), (11.0, 1), (12.0, 2)]
    past = [run.pairs[0].columns["past_chosen"] for run in notebook.lab.trained]
    assert past == [10, 10, 11]  # in round 1 the policy itself: no momentum
    assert all(run.loss.func is apo and run.loss.keywords == {"beta": 0.5, "momentum": 0.5}
               for run in notebook.lab.trained)  # fmt: skip


def test_plain_arms_get_as_much_more_as_exact_steps(notebook):
    assert notebook.GROWTH.tolist() == [1, 1.5, 1.75]
    end = {arm: step.keywords for arm, step in notebook.ARMS.items()}
    assert end["scheduled rate"]["rates"] == pytest.approx([1e-3, 1.5e-3, 1.75e-3])
    assert end["larger rate"] == {"rates": 2e-3} and end["dpo"] == {}
    assert end["dpo, strong pull"] == {"rates": 6e-3, "beta": 8.0}
    assert end["apo, strong pull"] == {"rates": 6e-3, "beta": 8.0, "momentum": 0.5}
    assert end["smaller beta"] == {"rates": 6e-3, "beta": 4.0}
    assert end["a = -0.25"] == {"momentum": -0.25} and end["a = 0.75"] == {"momentum": 0.75}
    assert end["apo, tuned"] == {"momentum": 0.5, "rates": 2e-3, "beta": 0.6}
    assert end["apo, tuned, a = 0.75"] == {"momentum": 0.75, "rates": 2e-3, "beta": 0.6}
    assert end["dpo, tuned"] == {"rates": 3e-3, "beta": 0.7}
    assert end["apo, misled"] == {"momentum": 0.5, **end["dpo, misled"]}
    assert end["dpo, misled"] == {"rates": 5e-3, "rater": "the other rater"}


def test_one_round_has_the_pairs_and_steps_of_all(notebook):
    notebook.one_round(0.0, 7)
    (run,) = notebook.lab.trained
    assert notebook.lab.asked == [(0.0, 0), (0.0, 1), (0.0, 2)] and len(run.pairs) == 3 and run.steps == 21
    assert run.learning_rate == 4e-3 and run.loss.keywords == {"beta": 0.8}


def test_exact_rounds_of_two_responses(notebook):
    """Rewards 1 and 0, beta 0.5, a 0.5: log-odds 2; on to 3, then 5; on to 6.5, 8.5; on to 10.25, 12.25."""
    gaps, left = notebook.table_path(np.array([[1.0, 0.0], [0.0, 1.0]]), np.full(4, 0.5), 0.5)
    assert gaps == pytest.approx(np.tile(expit([-2, -5, -8.5, -12.25]), (2, 1)))
    assert left == pytest.approx(gaps)  # the other response has no reward
    noise = np.array([[[0.0, 0.5]], [[0.0, 0.0]]])  # in round 1 half of the reward is hidden: log-odds 1
    noisy, _ = notebook.table_path(np.array([[1.0, 0.0]]), [0.5, 0.5], 0.0, noise)
    assert noisy == pytest.approx(expit([[-1, -3]]))


def test_tables_have_the_schedule_the_smaller_beta_and_the_lead(notebook):
    exact = notebook.tables(0.5)
    assert exact["schedule"] == pytest.approx(exact["apo"], abs=1e-12)
    steps = {"dpo": [1, 2, 3, 4], "smaller beta": [2, 4, 6, 8], "apo": [1, 2.5, 4.25, 6.125]}
    for arm, lengths in steps.items():
        for t, length in enumerate(lengths):  # all of them are a soft maximum at a length of their own
            weights = np.exp(log_softmax(2 * length * notebook.REWARDS, axis=1))
            wanted = notebook.REWARDS.max(axis=1) - (weights * notebook.REWARDS).sum(axis=1)
            assert exact[arm][:, t] == pytest.approx(wanted), (arm, t)
    assert notebook.leads(0.0) == pytest.approx((exact["dpo"] - exact["apo"])[:, 2])
    assert (notebook.leads(1.0) != notebook.leads(0.0)).all()


def test_kl_is_the_mean_log_ratio_of_own_answers_and_never_below_zero(notebook):
    def held_out(policy, s):
        own = np.array([[-1.0, -2.0], [-3.0, -4.0]])
        return SimpleNamespace(own_logprobs=own, logprobs=lambda base: own - base, means=lambda rater: {"gold": 0.5})

    notebook.lab.held_out = held_out
    assert notebook.evaluate(1.0, np.array([[1, 2], [3, 4]]), 7) == {"gold": 0.5, "kl": 2.5}
    assert notebook.evaluate(1.0, -1.0, 7)["kl"] == 0


def test_nearness_is_half_the_variance_of_the_log_ratio_within_a_prompt(notebook):
    """Log-probabilities of pihat 2, of the one before 1, extrapolated by a half 2.5 (in units of the table below)."""
    unit = np.array([[0.0, 2.0, 4.0], [5.0, 5.0, 5.0]])
    off = np.array([[0.0, 0.0, 3.0], [7.0, 7.0, 7.0]])  # what the weights do besides; a constant is log Z
    notebook.lab.world = SimpleNamespace(prompts=lambda n, rng, split: ["x"] * n)
    notebook.lab.sample = lambda pi, prompts, n, rng: SimpleNamespace(
        logprobs=lambda policy: policy * unit + (off if policy == 2.5 else 0.0)
    )
    to_logs, to_trained = notebook.nearness([0.0, 1.0, 2.0], 7, 0.5)
    assert to_logs == pytest.approx((3.0 + 0.0) / 2 / 2)  # variances of the two prompts: 3 and 0
    assert to_trained == pytest.approx((np.var([0, 1, 5], ddof=1) + 0) / 2 / 2)


def test_gaps_around_an_extrapolation(notebook):
    pairs = [Pair("x", "aa", "b"), Pair("y", "aaaa", "b")]
    past, now, on, anywhere = notebook.further([0.0, 1.0, 3.0], pairs, 7)
    assert (past.tolist(), now.tolist(), on.tolist()) == ([2, 4], [6, 12], [8, 16])
    assert anywhere.tolist() == [2 * (1e6 + 4), 4 * (1e6 + 4)]


def test_unseen_pairs_are_followed_in_every_order_from_a_common_first_round(notebook):
    notebook.lab.world = SimpleNamespace(prompts=lambda n, rng, split: ["x"] * n)
    notebook.lab.sample = lambda base, prompts, n, rng: answered([["1 a", "3 bbb"]])
    r = notebook.of_unseen_pairs(0.0, 7)
    assert {arm: np.shape(growth) for arm, growth in r["growth"].items()} == dict.fromkeys(notebook.FOLLOWED, (2, 1))
    length = len("3 bbb")
    assert r["growth"]["dpo"][0] == [3 * length] and r["growth"]["apo"][1] == pytest.approx([4.25 * length])
    assert r["growth"]["scheduled rate"][0] == pytest.approx([4.25 * length])  # 1 + 1.5 + 1.75
    assert len([run for run in notebook.lab.trained if run.t in (0, 100)]) == 2  # round 1 once an order
    past, now, on, _ = r["further"]
    assert (past[0], now[0], on[0]) == pytest.approx((2.5 * length, 4.25 * length, 5.125 * length))


def test_without_gold_only_apo_s_extrapolation_is_followed(notebook):
    notebook.names["by_gold"] = False
    notebook.lab.world = SimpleNamespace(prompts=lambda n, rng, split: ["x"] * n)
    notebook.lab.sample = lambda base, prompts, n, rng: answered([["1 a", "3 bbb"]])
    r = notebook.of_unseen_pairs(0.0, 7)
    assert [run.t for run in notebook.lab.trained] == [0, 1, 2] and list(r["growth"]) == ["apo"]
    assert {claim: (list(a), list(b)) for claim, (a, b) in notebook.of_pairs(r).items()} == {
        "weights-follow": ([pytest.approx(0)], [pytest.approx(0.875 * len("3 bbb"))]),
        "random-gap": ([pytest.approx(0.875 * len("3 bbb"))], [pytest.approx((1e6 + 0.875) * len("3 bbb"))]),
    }  # fmt: skip


def test_gold_at_a_distance_lies_on_a_straight_line_over_the_root_of_kl(notebook):
    path = [{"kl": 0.0, "gold": 0.5}, {"kl": 1.0, "gold": 0.6}, {"kl": 4.0, "gold": 0.8}]
    assert notebook.at_kl(path, 0.25) == pytest.approx(0.55)
    assert notebook.at_kl(path, 2.25) == pytest.approx(0.7)
    assert notebook.at_kl(path[::-1], 9.0) == pytest.approx(0.8)  # beyond its end: its end


def test_claims_on_pairs(notebook):
    """DPO's gaps grow by 2 on average, its pairs' by 1 and 3, in units of that by 0.5 and 1.5."""
    growth = {"dpo": [[1.0, 2.0], [1.0, 4.0]], "apo": [[2.0, 3.0], [4.0, 4.0]], "scheduled rate": [[2.0, 2.0]]}
    further = [[0.0, 0.0], [2.0, 4.0], [3.5, 6.0], [2.1, 3.9]]
    r = {"growth": {arm: np.array(orders) for arm, orders in growth.items()}, "further": list(map(np.array, further))}
    wanted = {
        "gap-grows-faster": ([1.5, 1.75], [0.5, 1.5]), "gap-as-scheduled": ([1.5, 1.75], [1, 1]),
        "orders-agree": ([0.5, 0.5], [1.5, 0]), "weights-follow": ([0.5, 0], [1.5, 2]),
        "random-gap": ([1.5, 2], [0.1, -0.1]),
    }  # fmt: skip
    said = notebook.of_pairs(r)
    assert said.keys() == wanted.keys()
    for claim, pair in wanted.items():
        assert [list(side) for side in said[claim]] == [pytest.approx(side) for side in pair], claim


def test_claims_on_gold_take_the_round_and_the_distance_that_they_name(notebook):
    def path(*golds, kl=(0.0, 1.0, 4.0, 9.0)):
        return [{"gold": gold, "kl": far} for gold, far in zip(golds, kl, strict=True)]

    arms = {
        "dpo": path(0.5, 0.55, 0.6, 0.65, kl=(0, 0.25, 1, 2.25)), "apo": path(0.5, 0.55, 0.62, 0.69, kl=(0, 1, 2, 4)),
        "apo, log-probabilities": path(0.5, 0.5, 0.5, 0.66, kl=(0, 0, 0, 6.25)),
        "larger rate": path(0.5, 0.6, 0.7, 0.8), "dpo, tuned": path(0.5, 0.7, 0.75, 0.78),
        "apo, tuned": path(0.5, 0.7, 0.76, 0.8, kl=(0, 1, 4, 16)),
        "dpo, misled": path(0.5, 0.52, 0.4, 0.3, kl=(0, 1, 2, 6.25)), "apo, misled": path(0.5, 0.52, 0.36, 0.2),
    }  # fmt: skip
    wanted = {
        "a-round-saved": (0.62, 0.65), "third-round-adds": (0.65, 0.6), "a-round-saved-tuned": (0.76, 0.78),
        "more-rounds-help": (0.78, 0.7), "rater-misleads": (0.3, 0.52), "overshoots-sooner": (0.36, 0.4),
        "equal-kl": (0.69, 0.7), "equal-kl-dpo": (0.65, 0.65),
        "equal-kl-log-probabilities": (0.66, 0.75), "equal-kl-misled": (0.28, 0.3),
        "equal-kl-tuned": (0.78, 0.78),  # at 9 nats, half way between the rounds of APO that end at 4 and 16
    }  # fmt: skip
    said = notebook.of_gold({"arms": arms})
    assert said.keys() == wanted.keys()
    for claim, pair in wanted.items():
        assert said[claim] == pytest.approx(pair), claim


def test_small_judges_unseen_pairs_and_runs_no_other_arm():
    """The path of `small` on the tiny model: no exact claim, no gold, and a replicate for every pair."""
    record = measure(
        "apo", scale="small", model="tiny", world="instructions/default", base_steps=40, threads=1, prompts=8,
        heldout_pairs=6, max_new_tokens=14, unended="open", steps=2, batch_size=4, learning_rate=1e-3, rounds=2,
    )  # fmt: skip
    claims = {claim["id"]: claim for claim in record["claims"]}
    assert set(claims) == {"weights-follow", "random-gap"}
    follow, random = claims["weights-follow"], claims["random-gap"]
    assert 2 <= len(follow["control"]) == len(random["treatment"]) <= 6
    assert np.abs(random["treatment"]) == pytest.approx(follow["control"])  # both are how far a pair's gap was moved
    assert min(follow["treatment"]) >= 0 and follow["treatment"] != follow["control"]
