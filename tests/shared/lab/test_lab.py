"""The lab: a study's parameters under their usual names, and nothing computed twice."""

from dataclasses import dataclass
from functools import partial
from types import SimpleNamespace

import numpy as np
import pytest

from autodidact import lab as labs
from autodidact.bases import load_policy
from autodidact.lab import (
    Answers,
    Lab,
    arm_rows,
    by_replicate,
    labelled_pairs,
    mean_logprobs,
    measure_arms,
    measure_runs,
    pair_accuracy,
    pair_logprobs,
    play,
    with_logprobs,
)
from autodidact.lab.kept import Kept, key_of
from autodidact.losses import dpo, ipo
from autodidact.models import TinyBase
from autodidact.samplers import Sample
from autodidact.streams import stream, torch_seed
from autodidact.training import Pair, train_preferences, train_supervised
from tests.shared.toy_world import ToyWorld

STEPS = 6


@dataclass(frozen=True)
class Scored(ToyWorld):
    """The toy world with gold, splits and parts."""

    def prompts(self, n, rng, split="train", part=0, parts=1):
        return super().prompts(n, rng)

    def score(self, x, y):
        return float(y.split()[:1] == [x.text.split()[-2]])

    def well_formed(self, y):
        return len(y.split()) == 2


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    patch = pytest.MonkeyPatch()
    patch.setenv("AUTODIDACT_CACHE", str(tmp_path_factory.mktemp("cache")))
    patch.setattr(labs.lab, "load_world", lambda name: Scored(100))
    p = {"model": "tiny", "world": "toy", "base_steps": STEPS, "temperature": 0.9, "max_new_tokens": 3, "steps": 4}
    p |= {"batch_size": 4, "learning_rate": 1e-3, "lora_rank": None, "prompts": 5, "responses": 3, "rounds": 2}
    stages = []
    yield Lab(SimpleNamespace(parameters=SimpleNamespace(**p, heldout=4, eval_responses=2), progress=stages.append))
    assert stages[0] == "base model" and {"round 2: asking", "round 1: training on 5 pairs"} <= set(stages)
    patch.undo()


@pytest.fixture(scope="module")
def base(lab):
    return lab.base(3)


def weights(policy):
    return np.concatenate([w.detach().numpy().ravel() for w in policy.model.parameters()])


def test_base_and_samples_are_the_library_s_own(lab, base):
    other = load_policy("tiny", Scored(100), seed=3, base=TinyBase(steps=STEPS))
    assert (weights(base) == weights(other)).all()
    answers = lab.ask(base, 3, 1)
    prompts = Scored(100).prompts(5, stream(3, "train", 1))
    rows = base.generate([x.text for x in prompts], 3, rng=stream(3, "sample", 1), temperature=0.9, max_new_tokens=3)
    assert answers.texts == [[y.text for y in row] for row in rows] and list(answers.prompts) == prompts
    held = lab.held_out(base, 3, temperature=0.0)
    assert len(held.texts) == 4 and all(len(set(row)) == 1 for row in held.texts)


def test_a_base_of_another_shape(lab, base):
    other = lab.base(3, hidden=16)
    assert other.model.config.hidden_size == 16 != base.model.config.hidden_size


def test_answers_say_what_they_are_worth(lab, base):
    answers = lab.ask(base, 3, 0)
    texts = [y for row in answers.texts for y in row]
    golds = [Scored().score(x, y) for x, row in zip(answers.prompts, answers.texts, strict=True) for y in row]
    means = answers.means(long=lambda x, y: len(y) > 3)
    assert means["gold"] == np.mean(golds) and answers.gold.shape == (5, 3)
    assert means["malformed"] == np.mean([len(y.split()) != 2 for y in texts])
    assert means["long"] == np.mean([len(y) > 3 for y in texts]) and means["words"] == answers.words.mean()
    assert answers.kl(base, base) == 0 < answers.kl(lab.base(4), base)
    assert answers.win_rate(answers) == pytest.approx(0.5)
    cold = lab.sample(base, answers.prompts, 2, stream(0, "sample"), temperature=0.0)
    pairs = [(g, h) for one, two in zip(cold.gold, answers.gold, strict=True) for g in one for h in two]
    assert cold.win_rate(answers) == pytest.approx(np.mean([(g > h) + (g == h) / 2 for g, h in pairs]))
    with pytest.raises(ValueError, match="same 5 prompts"):
        answers.win_rate(lab.held_out(base, 3))


def test_kl_of_answers_is_near_the_exact_one():
    """Two policies that are tables of three answers: the exact KL is a sum."""
    p, q = np.array([0.5, 0.3, 0.2]), np.array([0.2, 0.2, 0.6])
    drawn = stream(0, "sample").choice(3, p=p, size=(1, 20_000))
    rows = [[Sample(str(i), float(np.log(p[i])), 1, True) for i in drawn[0]]]

    def table(values):
        return SimpleNamespace(sequence_logprobs=lambda inputs, texts: np.log(values[[int(y) for y in texts]]))

    answers = Answers(["x"], ["x"], rows, Scored())
    assert answers.kl(table(q), table(p)) == pytest.approx(p @ np.log(p / q), rel=0.03)


def test_training_is_the_library_s_own_and_done_once(lab, base, monkeypatch):
    answers = lab.ask(base, 3, 0)
    pairs = labelled_pairs(answers, stream(0, "rater").random((5, 3)))
    after = lab.train(base, pairs, 3, 0, loss=partial(dpo, beta=0.5))
    how = {"steps": 4, "batch_size": 4, "learning_rate": 1e-3, "seed": torch_seed(stream(3, "order", 0))}
    assert (weights(after) == weights(train_preferences(base, pairs, loss=partial(dpo, beta=0.5), **how)[0])).all()
    examples = [(q.prompt, q.chosen) for q in pairs]
    taught = lab.supervise(base, examples, 3, 1, steps=2)
    how |= {"steps": 2, "seed": torch_seed(stream(3, "order", 1))}
    assert (weights(taught) == weights(train_supervised(base, examples, **how)[0])).all()

    monkeypatch.setattr(labs.lab, "train_preferences", lambda *a, **k: (None, []))
    assert lab.train(base, list(pairs), 3, 0, loss=partial(dpo, beta=0.5)) is after
    assert lab.ask(base, 3, 0) is answers
    for other in ({"loss": partial(dpo, beta=0.6)}, {"loss": partial(ipo, beta=0.5)}):
        assert lab.train(base, pairs, 3, 0, **other) is None
    loss = partial(dpo, beta=0.5)
    assert lab.train(base, pairs, 3, 0, loss=loss, steps=5) is None
    assert lab.train(base, pairs[:-1], 3, 0, loss=loss) is None and lab.train(base, pairs, 3, 1, loss=loss) is None
    assert lab.train(after, pairs, 3, 0, loss=loss) is None
    assert lab.train(base, [], 3, 0, loss=loss) is base


@pytest.mark.parametrize("unended", [None, "open", "closed", "dropped"])
def test_cut_answers_are_treated_as_the_preset_says(lab, base, monkeypatch, unended):
    stages, seen = [], []
    study = SimpleNamespace(parameters=SimpleNamespace(**vars(lab.p), unended=unended), progress=stages.append)
    monkeypatch.setattr(labs.lab, "load_world", lambda name: Scored(100))
    other = Lab(study)

    def take(policy, given, **how):
        seen[:] = given
        return policy.copy(), []

    for name in ("train_preferences", "train_supervised"):
        monkeypatch.setattr(labs.lab, name, take)
    prompts = lab.world.prompts(24, stream(0, "train"))
    rows = other.sample(base, prompts, 2, stream(0, "sample"), max_new_tokens=2).rows
    answers = [y for row in rows for y in row]
    cut = sum(not y.ended for y in answers)
    assert 0 < cut < 48
    assert all(y.ended or (y.ids[-1] == base.end) == (unended == "closed") for y in answers)

    pairs = [Pair("say fox :", a.text, b.text) for a, b in rows]
    whole = [q for q, row in zip(pairs, rows, strict=True) if all(y.ended for y in row)]
    other.train(base, pairs, 0, 0, loss=partial(dpo, beta=0.1))
    assert seen == (whole if unended == "dropped" else pairs) and whole
    left = f", {len(pairs) - len(whole)} left out: cut at the token limit"
    assert stages[-1].endswith(left) == (unended == "dropped")
    other.supervise(base, [("say fox :", y.text) for y in answers], 0, 0)
    assert len(seen) == 48 - cut * (unended == "dropped")


def test_what_is_kept_goes_with_its_policy(base):
    kept, policy = Kept(), base.copy()
    assert kept.get(policy, "a", lambda: 1) == kept.get(policy, "a", lambda: 2) == 1
    assert kept.get(base, "a", lambda: 2) == 2
    del policy
    assert len(kept._of) == 1
    large = SimpleNamespace(model=SimpleNamespace(num_parameters=lambda: 10**8))
    assert [kept.get(large, "a", lambda n=n: n) for n in (1, 2)] == [1, 2]


def test_keys_go_by_content():
    assert key_of({"a": 1, "b": [2, {"c": 3}]}, partial(dpo, beta=1)) == key_of(
        {"b": [2, {"c": 3}], "a": 1}, partial(dpo, beta=1)
    )
    assert key_of(partial(dpo, beta=1)) != key_of(partial(dpo, beta=2)) != key_of(partial(ipo, beta=2))


def test_rounds_go_on_from_what_is_there():
    step = lambda path, s, t: path[-1] + 10 * s + t  # noqa: E731
    assert play(step, 0.5, 7, 2) == [0.5, 70.5, 141.5]
    assert play(step, [0.5, 1], 7, 2) == [0.5, 1, 72]


def test_pairs_carry_log_probabilities(lab, base):
    pairs = labelled_pairs(lab.ask(base, 3, 0), np.arange(15).reshape(5, 3), p_win=np.arange(5))
    assert pairs and all(set(q.columns) == {"p_win"} for q in pairs)
    carried = with_logprobs(pairs, past=base)
    wins = base.sequence_logprobs([q.prompt for q in pairs], [q.chosen for q in pairs])
    assert [q.columns["past_chosen"] for q in carried] == wins.tolist()
    assert set(carried[0].columns) == {"p_win", "past_chosen", "past_rejected"}
    loses = np.mean([q.columns["past_rejected"] for q in carried])
    words = np.mean([[len(y.split()) + y.ended for y in (q.chosen, q.rejected)] for q in pairs], axis=0)
    assert labs.pair_lengths(base, pairs).tolist() == words.tolist()
    assert labs.pair_lengths(base, []).tolist() == [0, 0]
    assert mean_logprobs(base, pairs) == pytest.approx([wins.mean(), loses])


RUNS = {0: {"dpo": {"gold": 1.0, "kl": 2.0}, "base": {"gold": 0.5}, "path": [1, 2]}}
RUNS[1] = {"dpo": {"gold": 3.0, "kl": 4.0}, "base": {"gold": 0.25}, "path": [3, 4]}


def test_rows_of_arms():
    rows = arm_rows(RUNS, ["dpo", "base"], {"gold (share)": "gold", "KL (nats)": "kl"})
    assert rows[0]["arm"] == "dpo" and rows[0]["KL (nats)"].tolist() == [2.0, 4.0]
    assert rows[1]["gold (share)"].tolist() == [0.5, 0.25] and "KL (nats)" not in rows[1]
    rows = arm_rows(RUNS, {"last": "path", "first of all": ("path", 0)}, {"x": lambda v: np.max(v)}, head="round")
    assert [row["round"] for row in rows] == ["last", "first of all"] and rows[0]["x"].tolist() == [2, 4]
    with pytest.raises(ValueError, match="column 'rate': no arm has 'rats'"):
        arm_rows(RUNS, ["dpo", "base"], {"gold": "gold", "rate": "rats"})


class Noted:
    """A study that writes down what is measured."""

    def __init__(self, **kinds):
        claims = [SimpleNamespace(id=name, treatment="dpo", control="base") for name in ("better", "elsewhere")]
        self.paper, self.noted = SimpleNamespace(claims=claims), []
        self.replicate_kinds = kinds or {"better": "seed"}
        self.judged = tuple(self.replicate_kinds)

    def measure(self, claim, *, treatment, control, replicate):
        self.noted.append((claim, treatment, control, replicate))

    def measure_each(self, claim, *, treatment, control, replicates):
        self.noted += [(claim, *pair) for pair in zip(treatment, control, replicates, strict=True)]


def test_claims_about_arms_measure_themselves():
    study = Noted()
    measure_arms(study, RUNS, lambda r, arm: r[arm]["gold"], "better")
    assert study.noted == [("better", 1.0, 0.5, 0), ("better", 3.0, 0.25, 1)]
    with pytest.raises(ValueError, match="claim 'beter' is unknown; known are better, elsewhere"):
        measure_arms(study, RUNS, lambda r, arm: 0, "beter")
    measure_arms(study, RUNS, lambda r, arm: r["not run here"], "elsewhere")  # not judged at this scale: passed over
    study = Noted()
    measure_runs(study, RUNS, lambda r: {"better": (r["dpo"]["kl"], r["path"][0])})
    assert study.noted == [("better", 2.0, 1, 0), ("better", 4.0, 3, 1)]


ITEMS = {0: {"dpo": [1.0, 3.0, 5.0], "base": [0.0, 0.0, 3.0]}, 1: {"dpo": [2.0, 2.0, 2.0], "base": 1.0}}


def test_items_count_by_their_mean_where_seeds_are_replicates_and_one_by_one_where_they_are():
    study = Noted()
    measure_arms(study, ITEMS, lambda r, arm: r[arm], "better")
    assert study.noted == [("better", 3.0, 1.0, 0), ("better", 2.0, 1.0, 1)]
    study = Noted(better="prompt")
    measure_arms(study, ITEMS, lambda r, arm: r[arm], "better")
    assert study.noted == [("better", 1.5, 0.5, 0), ("better", 2.5, 0.5, 1), ("better", 3.5, 2.0, 2)]
    with pytest.raises(ValueError, match=r"claim 'better': its replicates are items, .* the shapes \[\(\)\]"):
        measure_runs(study, ITEMS, lambda r: {"better": (1.0, 0.0)})
    with pytest.raises(ValueError, match=r"shapes \[\(1,\), \(3,\)\]"):
        measure_runs(study, ITEMS, lambda r: {"better": (np.ones(1 if r["base"] == 1.0 else 3), 0.0)})


def test_rows_are_seeds_or_items_as_the_claim_has_it():
    seeds = [np.array([[1.0, 2.0], [3.0, 6.0]]), np.array([[5.0, 0.0], [5.0, 2.0]])]  # (items, points)
    assert by_replicate(Noted(), "better", seeds).tolist() == [[2.0, 4.0], [5.0, 1.0]]
    assert by_replicate(Noted(), "better", [np.ones(3), np.zeros(2)]).tolist() == [1.0, 0.0]
    assert by_replicate(Noted(better="pair"), "better", seeds).tolist() == [[3.0, 1.0], [4.0, 4.0]]
    assert by_replicate(Noted(better="pair"), "better", seeds[:1]).tolist() == seeds[0].tolist()
    with pytest.raises(ValueError, match=r"its replicates are items, .* the shapes \[\(2,\), \(3,\)\]"):
        by_replicate(Noted(better="pair"), "better", [np.ones(3), np.zeros(2)])
    with pytest.raises(ValueError, match="claim 'elsewhere' is not judged at this scale; judged are better"):
        by_replicate(Noted(), "elsewhere", seeds)
    for none in ([], [np.float64(1.0)], [np.zeros((0, 2))]):
        with pytest.raises(ValueError, match="with an item or more"):
            by_replicate(Noted(), "better", none)


def test_numbers_that_are_none_are_refused():
    class Dumb(Scored):
        def score(self, x, y):
            return float("nan")

    answers = Answers(["p"], ["p"], [[Sample("a", -1.0, 1, True)]], Dumb())
    with pytest.raises(ValueError, match=r"gold\[0\]\[0\]=nan must be finite"):
        answers.win_rate(answers)
    with pytest.raises(ValueError, match=r"score of chosen\[0\]=nan must be finite"):
        pair_accuracy(lambda x, y: [float("nan")], [Pair("p", "a", "b")])


def test_accuracy_on_pairs_counts_ties_half():
    pairs = [Pair("q", "long", "x"), Pair("q", "x", "long"), Pair("qq", "ab", "cd"), Pair("q", "abc", "x")]
    score = lambda prompts, responses: [len(x) + len(y) for x, y in zip(prompts, responses, strict=True)]  # noqa: E731
    assert pair_accuracy(score, pairs) == (1 + 0 + 0.5 + 1) / 4
    with pytest.raises(ValueError, match="pairs is empty"):
        pair_accuracy(score, [])


def test_prompts_may_be_texts(lab, base):
    prompts = lab.world.prompts(2, stream(0, "train"))
    texts = [x.text for x in prompts]
    ours, plain = (lab.sample(base, some, 2, stream(0, "sample")) for some in (prompts, texts))
    assert ours.texts == plain.texts and ours.inputs == plain.inputs == texts


def scored(rows):
    """Answers of (gold, words) a row of them for each prompt."""
    texts = [[" ".join([f"{gold}"] * words) for gold, words in row] for row in rows]
    world = type("World", (), {"score": staticmethod(lambda x, y: float(y.split()[0]))})
    inputs = [f"q{i}" for i in range(len(rows))]
    return Answers(inputs, inputs, [[Sample(y, 0.0, 1, True) for y in row] for row in texts], world)


def test_length_control_reads_a_regression_of_wins_at_equal_length():
    rng = np.random.default_rng(0)
    here, there = (
        scored([[(g / 2, w) for g, w in row] for row in rng.integers((0, 1), (3, 9), (6, 4, 2))]) for _ in "ab"
    )
    wins, longer = [], []
    for i in range(6):
        for g, w in zip(here.gold[i], here.words[i], strict=True):
            for h, v in zip(there.gold[i], there.words[i], strict=True):
                wins.append((g > h) + (g == h) / 2)
                longer.append(w - v)
    x = np.tanh(np.array(longer) / np.std(longer))
    intercept, slope = np.linalg.lstsq(np.stack([np.ones_like(x), x], axis=1), np.array(wins), rcond=None)[0]
    assert abs(slope) > 1e-3 and here.length_controlled(there) == pytest.approx(intercept)
    assert here.length_controlled(there) + there.length_controlled(here) == pytest.approx(1)


def test_length_control_takes_away_what_length_alone_wins():
    """Longer answers win, by as much as they are longer: 0.83 of comparisons, and nothing at equal length."""
    short, both = scored([[(0.5, 4)]] * 3), scored([[(0.5, 4)], [(0.9, 6)], [(0.9, 6)]])
    assert both.win_rate(short) == pytest.approx(5 / 6) and both.length_controlled(short) == pytest.approx(0.5)
    better = scored([[(0.9, 6)]] * 3)  # all differences are the same: nothing tells length from worth
    assert better.length_controlled(short) == better.win_rate(short) == 1
    with pytest.raises(ValueError, match="same 1 prompts"):
        scored([[(0.5, 4)]]).length_controlled(short)


def test_log_probabilities_of_pairs_and_their_means(base):
    pairs = [Pair("q a b", "a b", "b"), Pair("q c d", "d", "c a")]
    both = pair_logprobs(base, pairs)
    assert both.shape == (2, 2) and both[1, 0] == base.sequence_logprobs(["q a b"], ["b"])[0]
    assert mean_logprobs(base, pairs).tolist() == both.mean(axis=1).tolist()
