"""iREPO's notebook: its pairs and labels, what it reads off rewards, matching at equal KL and its claims, by hand."""

import json
from dataclasses import replace
from functools import partial
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from scipy.special import expit, log_expit, logit, softmax
from scipy.stats import binom

from autodidact.claims import papers_folder
from autodidact.games import vote_share, zermelo
from autodidact.lab import Lab, play, where_reached
from autodidact.losses import dpo, ipo, irepo, osp
from autodidact.models import is_whole
from autodidact.streams import stream, torch_seed
from autodidact.training import Pair
from tests.papers.answered import answered

ARMS = ("irepo", "soft", "dpo", "ipo", "single")
PARAMETERS = {
    "unended": "open", "votes": 9, "rounds": 2, "prompts": 4, "responses": 2, "epochs": [1, 2, 4], "orders": 2,
    "best_epochs": {"irepo": 2, "soft": 1, "dpo": 1, "ipo": 2}, "set_batch_size": 2, "heldout": 3,
    "eval_responses": 2, "heldout_pairs": 3, "set_prompts": 4, "many_prompts": 8,
    "counts": [1, 3, 9], "clips": [0.1], "table_answers": 4,
    "table_rounds": 2, "table_beta": 0.5, "ranked_prompts": 2, "ranked_votes": 3,
    "rates": {name: 0.1 * (i + 1) for i, name in enumerate(ARMS)}, "betas": dict.fromkeys(ARMS, 0.5),
    "read_rates": {name: 10.0 * (i + 1) for i, name in enumerate(ARMS[:4])}, "read_betas": dict.fromkeys(ARMS[:4], 0.5),
}  # fmt: skip


class Scores:
    """Annotators of one mind: utility is the response's first word, all votes go to the higher one."""

    def utility(self, prompt, y):
        return float(y.split()[0])

    def votes(self, prompt, a, b, n, rng):
        return n if self.utility(prompt, a) > self.utility(prompt, b) else 0

    def probability(self, prompt, a, b):
        return expit(self.utility(prompt, a) - self.utility(prompt, b))


@pytest.fixture
def method():
    """What the cells of the method, the arms, the controls and the measures define."""
    cells = json.loads((papers_folder() / "irepo" / "irepo.ipynb").read_text(encoding="utf-8"))["cells"]
    sources = ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"]
    names = {
        "np": np, "torch": torch, "partial": partial, "replace": replace, "expit": expit, "log_expit": log_expit,
        "logit": logit, "softmax": softmax, "binom": binom, "p": SimpleNamespace(**PARAMETERS), "rater": Scores(),
        "vote_share": vote_share, "zermelo": zermelo, "dpo": dpo, "ipo": ipo, "irepo": irepo, "osp": osp, "play": play,
        "is_whole": is_whole, "stream": stream, "torch_seed": torch_seed, "Pair": Pair, "trains": True,
        "where_reached": where_reached,
    }  # fmt: skip
    starts = ("def voted(", "LOSSES = ", "def follow(", "def rounds_of(", "EVEN_CYCLE", "def regressed(",
              "def at_best(", "def readings(", "def qualities(")  # fmt: skip
    for start in starts:
        (source,) = [s for s in sources if s.startswith(start)]
        source = source.split("\nif trains")[0].split("\nmeasure_runs(")[0]
        exec(source, names)
    return SimpleNamespace(names=names, **{name: value for name, value in names.items() if callable(value)})


def test_a_pair_has_the_share_of_its_votes_and_its_true_logit(method):
    pairs = method.voted(answered([["1 a", "3 b"], ["2 a", "2 a"], ["5 a", "5 a", "4 c"]]), None, 9)
    assert [(q.prompt, q.chosen, q.rejected) for q in pairs] == [("x", "1 a", "3 b"), ("z", "5 a", "4 c")]
    assert [q.columns["h"] for q in pairs] == pytest.approx([0.05, 0.95])  # not sorted by the votes
    assert [q.columns["p"] for q in pairs] == [q.columns["h"] for q in pairs]
    assert [q.columns["truth"] for q in pairs] == [-2, 1]


def test_answers_that_were_cut_make_no_pair_where_they_are_dropped(method):
    some = answered([["1 a", "3 b", "2 c"], ["1 a", "2 b", "3 b"]], [[True, False, True], [True, False, False]])
    assert [q.rejected for q in method.voted(some, None, 9)] == ["3 b", "2 b"]
    method.names["p"].unended = "dropped"
    assert [(q.prompt, q.rejected) for q in method.voted(some, None, 9)] == [("x", "2 c")]


def test_a_majority_turns_pairs_round_and_leaves_ties_out(method):
    pairs = [Pair("x", "a", "b", {"h": h, "p": h}) for h in (0.75, 0.25, 0.5)]
    for name in ("irepo", "soft"):
        assert method.labelled(name, pairs) == pairs
    for name in ("dpo", "ipo", "single"):
        assert [(q.chosen, q.rejected) for q in method.labelled(name, pairs)] == [("a", "b"), ("b", "a")]


def test_excess_loss_is_the_divergence_of_two_coins(method):
    stated, truth = np.array([0.0, logit(0.8), logit(0.5)]), np.array([logit(0.8), logit(0.8), logit(0.2)])
    even = 0.8 * np.log(0.8 / 0.5) + 0.2 * np.log(0.2 / 0.5)
    np.testing.assert_allclose(method.excess(stated, truth), [even, 0, even], atol=1e-12)
    assert np.isfinite(method.excess(np.array([800.0]), np.array([-30.0]))).all()


def test_slopes_go_through_the_origin(method):
    truth = np.array([1.0, -2.0, 3.0])
    assert method.slope(0.3 * truth, truth) == pytest.approx(0.3)
    assert method.slope(np.ones(3), truth) == pytest.approx(2 / 14)


def test_allowed_slopes_are_those_of_the_targets_in_the_mean(method):
    """One vote: h is 3/4 or 1/4; at a true probability of 0.8 its mean is 0.65, the mean of its logit 0.6 log 3."""
    method.names["p"].votes = 1
    truth = np.array([logit(0.8), -logit(0.8)])
    assert method.allowed("irepo", truth) == pytest.approx(0.6 * np.log(3) / np.log(4))
    assert method.allowed("soft", truth) == pytest.approx(logit(0.65) / np.log(4))
    assert method.allowed("dpo", truth) == pytest.approx(1)  # single votes are honest
    method.names["p"].votes = 3
    most = 0.8**3 + 3 * 0.8**2 * 0.2
    assert method.allowed("dpo", truth) == pytest.approx(logit(most) / np.log(4))  # 1.55: a majority exaggerates
    method.names["p"].votes = 100_000
    assert method.allowed("irepo", truth) == pytest.approx(1, abs=1e-3)


def test_an_arm_has_its_own_loss_rate_and_beta(method):
    arms, own = method.names["ARMS"], method.names["READING"]
    assert {name: arm["loss"].func for name, arm in arms.items()} == {
        "irepo": irepo, "soft": osp, "dpo": dpo, "ipo": ipo, "single": dpo,
    }  # fmt: skip
    assert [arm["learning_rate"] for arm in arms.values()] == pytest.approx([0.1, 0.2, 0.3, 0.4, 0.5])
    assert own["dpo"]["learning_rate"] == 30.0 and own["dpo"]["loss"].keywords == {"beta": 0.5}


def test_a_set_is_followed_by_epochs_and_in_an_order_of_its_own(method):
    """Policies are numbers, log pi of the first answer is that number and of the second its negative."""
    asked, looked = [], []

    def train(base, pairs, s, t, *, watch, at, **how):
        asked.append(how | {"at": at})
        for step in at:
            watch(step, base + 0.1 * step)
        return base + 0.1 * at[-1]

    def held_out(policy, s, index):
        looked.append(index)
        return SimpleNamespace(
            gold=np.array([policy]), own_logprobs=np.array([0.0]), logprobs=lambda base: np.array([-1.0])
        )

    method.names["lab"] = SimpleNamespace(train=train, held_out=held_out)
    method.names["pair_logprobs"] = lambda policy, pairs: np.array([[policy] * len(pairs), [-policy] * len(pairs)])
    pairs, unseen = [Pair("x", "a", "b", {"h": 0.7})] * 4, [Pair("y", "a", "b")] * 3
    before, own = np.array([[1.0] * 3, [-1.0] * 3]), method.names["READING"]
    path = method.follow(1.0, 7, "irepo", pairs, unseen, before, [1, 2, 4], own, gold=True)
    # two steps an epoch: steps 2, 4, 8; beta 0.5 times a gap of twice the growth
    assert path["stated"] == pytest.approx(np.array([[0.0] * 3, [0.2] * 3, [0.4] * 3, [0.8] * 3]))
    assert path["epochs"] == [0, 1, 2, 4]
    assert path["own"] == pytest.approx(np.array([0.8] * 4))
    assert path["gold"] == pytest.approx([1, 1.2, 1.4, 1.8]) and looked == [1, 3, 5, 9]
    assert path["kl"] == pytest.approx([np.exp(-1)] * 4)  # e^-1 - 1 + 1
    short = method.follow(1.0, 7, "dpo", pairs, unseen, before, [0.5], own, order=1)
    assert short["stated"].shape == (2, 3) and short["gold"] == [] and len(looked) == 4
    assert [how["at"] for how in asked] == [(2, 4, 8), (1,)] and [how["steps"] for how in asked] == [8, 1]
    assert asked[0]["seed"] != asked[1]["seed"] and asked[0]["batch_size"] == 2
    assert asked[0]["loss"].func is irepo and asked[1]["learning_rate"] == 30.0


@pytest.mark.parametrize("many", [8, None])
def test_sets_are_long_or_many_and_orders_go_where_they_are_compared(method, many):
    went = []
    method.names["p"].many_prompts = many
    method.names["pair_logprobs"] = lambda policy, pairs: np.zeros((2, len(pairs)))
    method.names["votes_on"] = lambda base, s, i, n, split: [Pair("x", "a", "b", {"truth": float(i)})] * n
    method.names["follow"] = lambda base, s, name, pairs, unseen, before, epochs, arms=None, order=0, gold=False: (
        went.append((name, len(pairs), tuple(epochs), order, gold, arms is not None)) or f"{name} {order}"
    )
    r = method.followed(1.0, 7)
    names = ("irepo", "soft", "dpo", "ipo")
    assert r["own"].tolist() == [0] * 4 and r["truth"].tolist() == [1] * 3
    twice = {name: [f"{name} 0", f"{name} 1"] if name in ("irepo", "dpo") else [f"{name} 0"] for name in names}
    assert r["best"] == twice
    if many:
        assert r["long"] == {name: [f"{name} 0"] for name in ("irepo", "soft", "dpo")}
        assert ("dpo", 8, (1,), 1, False, True) in went and ("irepo", 8, (2,), 0, False, True) in went
        assert ("soft", 4, (1, 2, 4), 0, True, False) in went and len(went) == len(names) + 2 + 3
    else:
        assert r["long"] is r["best"] and len(went) == len(names) + 2
        assert ("dpo", 4, (1, 2, 4), 0, True, False) in went and ("dpo", 4, (1, 2, 4), 1, False, False) in went


def test_arms_play_their_rounds_with_their_own_labels(method):
    """Policies are numbers: a round adds the arm's rate; gold is the policy."""
    trained = []

    def train(policy, pairs, s, t, *, loss, learning_rate):
        better = [q.chosen > q.rejected for q in pairs]
        trained.append((round(learning_rate, 6), loss.func, better, [q.columns.get("h") for q in pairs]))
        return policy + learning_rate

    asked = answered([["1 a", "3 b"], ["5 a", "2 b"], ["1 a", "2 b"]])
    many = []

    def prompts(n, rng, split, part, parts):
        many.append((n, part, parts))
        return ["x", "y", "z"]

    method.names["lab"] = SimpleNamespace(
        train=train, ask=lambda policy, s, t: asked, sample=lambda policy, x, n, rng: asked,
        world=SimpleNamespace(prompts=prompts), held_out=lambda policy, s: SimpleNamespace(gold=np.array([policy])),
    )  # fmt: skip
    gold = method.rounds_of(0.0, 3)
    expected = {"irepo": 0.1, "soft": 0.2, "dpo": 0.3, "ipo": 0.4, "shuffled": 0.1, "single": 0.5}
    assert gold == pytest.approx({"base": 0} | {k: 2 * v for k, v in expected.items()})
    assert many == [(36, 0, 2), (36, 1, 2)]  # nine times the prompts, of the round's own part
    shares = [row[3] for row in trained if row[0] == 0.1]
    assert shares[0] == pytest.approx([0.05, 0.95, 0.05])
    assert all(sorted(row) == pytest.approx([0.05, 0.05, 0.95]) for row in shares)  # dealt: the same numbers
    hard = [better for _, loss, better, _ in trained if loss in (dpo, ipo)]
    assert len(hard) == 6 and all(all(better) for better in hard)  # the side with more votes comes first


def test_doses_spend_as_many_votes_in_all(method):
    counts, trained = [], []

    def prompts(n, rng, split, part, parts):
        counts.append((n, part, parts))
        return ["x", "y", "z"]

    def train(policy, pairs, s, t, *, loss, learning_rate):
        trained.append((loss.func, [q.columns.get("h") for q in pairs]))
        return learning_rate

    method.names["lab"] = SimpleNamespace(
        train=train, sample=lambda policy, x, n, rng: answered([["1 a", "3 b"], ["5 a", "2 b"]]),
        world=SimpleNamespace(prompts=prompts), held_out=lambda policy, s: SimpleNamespace(gold=np.array([policy])),
    )  # fmt: skip
    gold = method.doses(0.0, 3)
    assert counts == [(36, 0, 2), (12, 0, 2), (4, 0, 2)]  # of the first round's own prompts
    assert set(gold) == {(name, n) for name in ("irepo", "soft", "dpo") for n in (1, 3, 9)} | {(0.1, 1)}
    assert gold[0.1, 1] == gold["irepo", 1] == pytest.approx(0.1)  # the clip is an arm of iREPO's
    assert (irepo, [0.25, 0.75]) in trained and (irepo, [0.1, 0.9]) in trained and (irepo, [0.125, 0.875]) in trained


def test_errors_of_strengths_and_of_shares(method):
    """Votes that go by rank: the error of a share is that of log 7, strengths say more; each prompt by itself."""
    texts = [["3 a", "2 b", "1 c", "0 d"], ["6 a", "4 b", "2 c", "0 d"]]
    world = SimpleNamespace(prompts=lambda n, rng, split: ["x", "y"])
    sample = lambda base, x, n, rng: SimpleNamespace(texts=texts)  # noqa: E731
    method.names["lab"] = SimpleNamespace(world=world, sample=sample)
    error = method.ranking(None, 3, Scores())
    wins = np.triu(np.full((4, 4), 3.0), 1)
    strengths = np.log(zermelo(wins, smoothing=0.5))
    i, j = np.triu_indices(4, 1)
    for k, gap in enumerate((1, 2)):
        truth = gap * np.array([1, 2, 3, 1, 2, 1.0])
        assert error["shares"][k] == pytest.approx(np.sqrt(np.mean((np.log(7) - truth) ** 2)))
        assert error["strengths"][k] == pytest.approx(np.sqrt(np.mean((strengths[i] - strengths[j] - truth) ** 2)))


def test_claims_on_strengths_have_an_entry_a_prompt(method):
    rank = {"bradley-terry": {"strengths": [0.5, 0.7], "shares": [0.8, 0.6]}}
    assert method.ranks({"ranking": rank}) == {"strengths-pool": ([0.5, 0.7], [0.8, 0.6])}
    both = method.ranks({"ranking": rank | {"cycle": {"strengths": [1.5], "shares": [0.9]}}})
    assert both["strengths-fail-on-a-cycle"] == ([1.5], [0.9]) and len(both) == 2


def test_the_table_ends_where_theory_says(method):
    for s in (3, 4):
        said = method.table(s)
        assert said["one"] < 1e-10 and said["several"] < 1e-10 and said["level"] < 1e-10
        lost, bound = said["lost"]
        assert 1e-4 < lost <= bound
    start, reward = np.array([0.5, 0.3, 0.2]), np.array([1.0, 0.0, -1.0])
    found = method.regressed(start, np.subtract.outer(reward, reward), np.ones((3, 3)))
    by_hand = start * np.exp(reward / 0.5)
    np.testing.assert_allclose(found, by_hand / by_hand.sum(), atol=1e-10)


def path_of(truth, slopes, epochs=(1, 2, 4)):
    """A path whose stated logits are slopes of the truth, checkpoint by checkpoint, the start first."""
    return {"epochs": [0, *epochs], "stated": np.array([k * truth for k in (0, *slopes)]), "own": slopes[-1] * truth}


def test_margins_by_how_clear_a_pair_is(method):
    truth = np.array([0.0, 1.0, -1.0, 2.0, -2.0, 3.0, -3.0, 4.0, -4.0])
    r = {"best": {"irepo": [path_of(truth, [0.1, 0.5, 9])]}, "truth": truth}
    clear, margin = method.by_clearness(r, "irepo")  # its best epoch is the second
    assert clear.tolist() == [1, 2, 3, 4] and margin == pytest.approx(0.5 * clear)


def test_claims_on_reading_take_the_best_epoch_and_the_last(method):
    truth = np.array([1.0, -2.0, 0.5, -0.5, 3.0])
    r = {
        "truth": truth,
        "own": truth,
        "long": {"irepo": [path_of(truth, [0.1, 0.4, 0.6])], "soft": [path_of(truth, [0.4, 0.5, 0.8])],
                 "dpo": [path_of(truth, [0.3, 1.5, 4.0])]},
        "best": {"irepo": [path_of(truth, [k], [2]) for k in (0.5, 0.7)], "soft": [path_of(truth, [0.45], [1])],
                 "dpo": [path_of(truth, [k], [1]) for k in (0.35, 0.2)], "ipo": [path_of(truth, [0.1], [2])]},
    }  # fmt: skip
    at = lambda k: method.excess(k * truth, truth)  # noqa: E731
    expected = {
        "calibrated-when-long": (at(0.6), at(4)), "soft-when-long": (at(0.6), at(0.8)),
        "reads-better-than-hard": ((at(0.5) + at(0.7)) / 2, (at(0.35) + at(0.2)) / 2),
        "reads-better-than-soft": (at(0.5), at(0.45)), "reads-something": ((at(0.5) + at(0.7)) / 2, at(0)),
        "orders-agree": (at(0.5) - at(0.35), at(0.7) - at(0.2)),
    }  # fmt: skip
    said = method.readings(r)
    assert set(said) == set(expected)
    for claim, sides in expected.items():
        for mine, other in zip(said[claim], sides, strict=True):
            np.testing.assert_allclose(mine, other, err_msg=claim)
    slopes, allowed = method.slopes(r), method.allowed("irepo", truth)
    assert slopes["slope-stays"] == pytest.approx((np.log(0.6 / 0.4), np.log(4 / 1.5)))  # 2 is next to 3 epochs
    assert slopes["slope-carries-over"] == slopes["targets-are-met"] == pytest.approx((0.6, allowed))
    contrast = (3 - 0.5) / (0.5 + 1 + 2 + 3)  # quarters: both of 0.5, then one each
    assert slopes["margins-know-clearness"] == pytest.approx((contrast, contrast))


def test_both_orders_of_a_long_path_count_where_they_went_to_its_end(method):
    truth = np.array([1.0, -2.0, 0.5, -0.5, 3.0])
    paths = {"irepo": [path_of(truth, [0.1, 0.4, k]) for k in (0.6, 1.0)], "soft": [path_of(truth, [0.1, 0.2, 0.3])],
             "dpo": [path_of(truth, [0.3, 1.5, k]) for k in (4.0, 5.0)]}  # fmt: skip
    at = lambda k: method.excess(k * truth, truth)  # noqa: E731
    said = method.readings({"truth": truth, "own": truth, "long": paths, "best": paths})
    np.testing.assert_allclose(said["calibrated-when-long"][0], (at(0.6) + at(1.0)) / 2)
    np.testing.assert_allclose(said["orders-agree"][1], at(1.0) - at(5.0))
    np.testing.assert_allclose(said["reads-better-than-hard"][1], at(0.3))


def test_claims_on_quality_take_the_end_and_the_fall_from_the_peak(method):
    rounds = {"base": 0.5} | {name: 0.6 + 0.01 * i for i, name in enumerate((*ARMS, "shuffled"))}
    paths = {
        "irepo": [{"kl": [0, 1, 2], "gold": [0.5, 0.7, 0.68]}],
        "dpo": [{"kl": [0, 2, 6], "gold": [0.5, 0.7, 0.6]}],
    }
    exact = {"one": 1e-12, "several": 2e-12, "level": 0.0, "lost": (0.1, 0.2)}
    doses = {(name, n): 0.6 + 0.01 * n + (name == "soft") for name in ("irepo", "soft", "dpo") for n in (1, 3, 9)}
    said = method.qualities({"rounds": rounds, "long": paths, "table": exact, "doses": doses})
    expected = {
        "beats-base": (0.6, 0.5), "beats-soft": (0.6, 0.61), "beats-hard": (0.6, 0.62), "beats-ipo": (0.6, 0.63),
        "more-pairs": (0.6, 0.64), "votes-matter": (0.6, 0.65), "few-votes": (0.63, 1.63),
        "hard-labels-overfit": (-0.02, -0.1), "equal-kl": (0.68, 0.7), "cycle-is-level": (0, 0),
        "one-step-is-optimal": (1e-12, 0), "rounds-add-up": (2e-12, 0), "loss-is-bounded": (0.1, 0.2),
    }  # fmt: skip
    assert set(said) == set(expected)
    for claim, sides in expected.items():
        assert said[claim] == pytest.approx(sides), claim


def test_lab_asks_of_an_order_what_it_always_does():
    """The path's first order is no round's order: round 0 of the arms has another seed."""
    plain = Lab.run(SimpleNamespace(p=SimpleNamespace(), _named=lambda names: {}), 7, 0)["seed"]
    assert torch_seed(stream(7, "order", 100)) != plain
