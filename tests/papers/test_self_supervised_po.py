"""SPO's notebook: pairs, what is removed, truncated answers, the fresh head and its measures, worked out by hand."""

import json
from collections import Counter
from functools import partial
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from scipy.stats import spearmanr

from autodidact.claims import papers_folder
from autodidact.environments import load_world
from autodidact.environments.instructions import BradleyTerry
from autodidact.judges import DegreeHead
from autodidact.judges.degree import removed, shown
from autodidact.losses import degree, dpo
from autodidact.models import Response, TinyBase, is_whole
from autodidact.models.tiny import new_tiny
from autodidact.streams import stream
from autodidact.training import Pair

PARAMETERS = {
    "source": "answers", "importance": "exact", "stop_words": ["and", "with", "or"], "beta": 0.2, "learning_rate": 1e-3,
    "spo_learning_rate": 3e-3, "truncated_learning_rate": 2e-3,
    "batch_size": 4, "gamma": 0.7, "doses": [0.9, 2.0], "degrees": 3, "head_rate": 0.05, "read_pairs": 8,
    "read_decay": 1e-3, "rater_scale": 6.0,
}  # fmt: skip
PROMPT = "write 8 words about trees : use pine , end please , begin well ."
ANSWER = "well pine happy oak or calm maple please"


@pytest.fixture
def method():
    """What the cells between the parameters and the results define."""
    text = (papers_folder() / "self-supervised-po" / "self-supervised-po.ipynb").read_text(encoding="utf-8")
    cells = json.loads(text)["cells"]
    sources = ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"]
    names = {
        "np": np, "torch": torch, "partial": partial, "Counter": Counter, "spearmanr": spearmanr, "stream": stream,
        "BradleyTerry": BradleyTerry, "DegreeHead": DegreeHead, "removed": removed, "shown": shown, "degree": degree,
        "dpo": dpo, "is_whole": is_whole, "Pair": Pair, "p": SimpleNamespace(**PARAMETERS),
        "lab": SimpleNamespace(world=load_world("instructions/default")), "trains": True,
    }  # fmt: skip
    ends = {"def labelled(": '\n\nif p.source == "answers"', "def readings(": "\n\nmeasure_runs("}
    starts = ("def labelled(", "def bare(", "ARMS = ", "def trained(", "def pooled(", "def read(", "def correlation(")
    for start in (*starts, "def readings("):
        (source,) = [s for s in sources if s.startswith((start, "@torch.no_grad()\n" + start))]
        exec(source.partition(ends.get(start, "\0"))[0], names)
    return SimpleNamespace(names=names, **{name: value for name, value in names.items() if callable(value)})


@pytest.fixture(scope="module")
def policy():
    torch.set_num_threads(1)
    return new_tiny(load_world("instructions/default"), 0, TinyBase(hidden=32))


def words_at(text, indices):
    return [text.split()[i] for i in indices]


def test_labels_are_drawn_from_the_rater_and_margins_are_gold(method):
    (prompt,) = [method.names["lab"].world.parse(PROMPT)]
    n = 1500
    some = SimpleNamespace(prompts=[prompt] * n, inputs=[PROMPT] * n, texts=[[ANSWER, "oak"]] * n,
                           gold=np.array([[1.0, 0.75]] * n))  # fmt: skip
    pairs = method.labelled(some, 3, 0)
    right = [q for q in pairs if q.chosen == ANSWER]
    assert len(right) / n == pytest.approx(1 / (1 + np.exp(-6 * (1.0 - 0.0))), abs=0.03)
    assert {q.columns["margin"] for q in right} == {0.25}
    assert {q.columns["margin"] for q in pairs if q.chosen == "oak"} <= {-0.25}
    same = SimpleNamespace(prompts=[prompt], inputs=[PROMPT], texts=[["oak", "oak"]], gold=np.zeros((1, 2)))
    assert method.labelled(same, 3, 0) == []


def test_pairs_of_people_keep_who_was_preferred(method):
    rows = [(SimpleNamespace(text=x), y, good) for x in "ab" for y, good in ((f"{x} good", True), (f"{x} bad", False))]
    method.names["lab"] = SimpleNamespace(world=SimpleNamespace(labelled=lambda n, rng, split: rows[:n]))
    assert [(q.prompt, q.chosen, q.rejected) for q in method.people(2, 0, "train")] == [
        ("a", "a good", "a bad"), ("b", "b good", "b bad")]  # fmt: skip


def test_what_goes_by_each_rule(method):
    counts = Counter({"well": 9, "pine": 5, "happy": 1, "oak": 4, "or": 1, "calm": 2, "maple": 3, "please": 9})
    rng = np.random.default_rng(0)
    say = lambda rule: words_at(ANSWER, method.important(rule, PROMPT, ANSWER, counts, rng))  # noqa: E731
    assert say("exact") == ["well", "pine", "please"]
    assert say("keywords") == ["happy", "calm", "maple"]  # the rarest, and never the joining word
    drawn = [say("random") for _ in range(200)]
    assert {len(words) for words in drawn} == {3}
    assert {word for words in drawn for word in words} == set(ANSWER.split())
    method.names["p"].importance = "keywords"
    assert say("keywords") == ["happy", "calm"]  # a third of eight words
    assert len(say("random")) == 2
    assert method.bare("“Well,") == "“well" and method.bare('"Well,') == "well"


def test_places_are_those_of_all_tokens_of_a_word_and_never_of_the_end(method):
    """A tokenizer of two letters a token; a word that ends there may be one letter short."""
    pieces = ["ab", "c", " de", "f", " g"]
    tokenizer = SimpleNamespace(decode=lambda ids: "".join(pieces[i] for i in ids if i < 5))
    policy = SimpleNamespace(tokenizer=tokenizer, encode_response=lambda y: [0, 1, 2, 3, 4] + [9] * is_whole(y))
    assert method.places(policy, "abc def g", [2, 0]) == [4, 0, 1]
    cut = Response("abc def g", (0, 1, 2, 3, 4), False, "v")
    assert method.places(policy, cut, [1, 2]) == [2, 3, 4]


def test_a_token_a_word_in_the_toy_world(method, policy):
    assert method.places(policy, ANSWER, [0, 7]) == [0, 7]
    ((chosen, rejected),) = method.ranked(policy, "exact", [Pair(PROMPT, ANSWER, "well oak now")], Counter(), 3)
    assert (chosen, rejected) == ([0, 1, 7], [0])


def test_truncated_answers_lose_important_words_and_nothing_else(method):
    pairs = [Pair(PROMPT, ANSWER, "oak"), Pair(PROMPT, "oak birch", "ash")] * 40
    extra = method.truncated(pairs, [([0, 1, 7], []), ([], [])] * 40, 3)
    assert len(extra) == 40 and {(q.prompt, q.chosen) for q in extra} == {(PROMPT, ANSWER)}
    assert {q.rejected for q in extra} == {"pine happy oak or calm maple please", "happy oak or calm maple"}


def test_each_arm_gets_the_same_pairs_batches_and_its_own_settings(method):
    calls = []
    method.names["lab"] = SimpleNamespace(
        train=lambda base, pairs, s, t, **how: calls.append((pairs, how)) or "dpo",
        run=lambda s, t, **over: {"steps": 5, "seed": 11} | over,
    )
    method.names["train_with_degree"] = lambda base, pairs, ranks, **how: calls.append((pairs, ranks, how)) or ("spo",)
    pairs, base = [Pair(PROMPT, ANSWER, "oak")] * 8, SimpleNamespace(tokenizer=SimpleNamespace(unk_token_id=3))
    ranks = {rule: [([0, 1, 7], [])] * 8 for rule in ("exact", "keywords")} | {"random": "drawn"}
    for arm in ("dpo", "truncated", "spo", "random", "shuffled", "blanks", "frozen", "spo, gamma 2"):
        assert method.trained(arm, base, pairs, ranks, 3) == ("dpo" if arm in ("dpo", "truncated") else "spo")
    (plain, how), (more, twice), *heads = calls
    assert plain is pairs and how["loss"].keywords == {"beta": 0.2} and len(how) == 1
    assert more[:8] == pairs and len(more) == 16
    assert (twice["batch_size"], twice["learning_rate"]) == (8, 2e-3)  # in as many steps
    for given, _, settings in heads:
        assert given is pairs and settings["loss"].keywords == {"beta": 0.2}
        assert {k: settings[k] for k in ("steps", "seed", "K", "head_rate")} == {
            "steps": 5, "seed": 11, "K": 3, "head_rate": 0.05}  # fmt: skip
    assert [how["learning_rate"] for _, _, how in heads] == [3e-3] * 4 + [
        1e-3,
        3e-3,
    ]  # the frozen one is compared with DPO
    assert [ranks["exact"] is rule for _, rule, _ in heads] == [True, False, True, True, True, True] and heads[1][
        1
    ] == "drawn"
    assert [how["gamma"] for _, _, how in heads] == [0.7] * 5 + [2.0]
    own = [{k: h.get(k) for k in ("shuffled", "frozen", "neutral") if h.get(k)} for _, _, h in heads]
    assert own == [{}, {}, {"shuffled": True}, {"neutral": 3}, {"frozen": True}, {}]


def test_pooled_states_are_means_of_the_last_layer(method, policy):
    head, tail = policy.encode(PROMPT), policy.encode_response("well oak please")
    rows = [(head, tail, [1]), (head[:5], tail, []), (head, tail, [0, 2])]
    found = method.pooled(policy, rows, at_once=2)
    for state, (x, y, gone) in zip(found, rows, strict=True):
        left = [token for i, token in enumerate(y) if i not in gone]
        with torch.no_grad():
            wanted = policy.model.model(torch.tensor([x + left])).last_hidden_state[0, len(x) :].mean(0)
        torch.testing.assert_close(state, wanted, rtol=1e-4, atol=1e-5)


def test_the_head_is_shown_each_side_at_each_of_its_degrees(method, policy):
    pairs = [Pair(PROMPT, "well oak please", "oak"), Pair(PROMPT, "oak", "well pine")]
    rows, k, pair, side = method.shows(policy, pairs, [([0, 2], []), ([], [0])])
    assert k.tolist() == [0, 1, 2, 0, 0, 0, 2]
    assert pair.tolist() == [0, 0, 0, 0, 1, 1, 1] and side.tolist() == [0, 0, 0, 1, 0, 1, 1]
    assert [gone for _, _, gone in rows] == [[], [0], [0, 2], [], [], [], [0]]
    method.names["p"].read_pairs = 1  # of further pairs the intact answers
    assert method.shows(policy, pairs, [([0, 2], []), ([], [0])])[1].tolist() == [0, 1, 2, 0, 0, 0]


def test_a_fresh_head_reads_what_the_states_hold(method):
    """States that hold the degree, and nought for intact answers: all hits, nothing missing; others hold nothing."""
    pairs = [Pair("x", "y", "z")] * 12

    def shows(policy, pairs, ranks):
        k = np.tile([0, 1, 2, 0, 0], len(pairs))
        return k.tolist(), k, np.repeat(np.arange(len(pairs)), 5), np.tile([0, 0, 0, 1, 0], len(pairs))

    method.names["shows"] = shows
    method.names["pooled"] = lambda policy, rows, blank: torch.eye(3)[list(rows)] * 4
    method.names["p"].read_decay = 1e-6
    told = method.read(None, (pairs, None), (pairs[:4], None))
    assert told["hits"].tolist() == [1.0] * 4 and told["commonest"].tolist() == pytest.approx([0.6] * 4)
    assert told["missing"] == pytest.approx(np.zeros((4, 2)), abs=0.01)
    method.names["pooled"] = lambda policy, rows, blank: torch.ones(len(rows), 3)
    blind = method.read(None, (pairs, None), (pairs[:4], None))
    assert blind["hits"] == pytest.approx(blind["commonest"])
    assert blind["missing"] == pytest.approx(np.full((4, 2), 0.2 * 1 + 0.2 * 2), abs=0.01)  # the frequencies


def test_correlation_counts_a_pair_in_both_orders(method):
    assert method.correlation(np.array([1.0, 2.0, 3.0]), np.array([0.1, 0.2, 0.3])) == pytest.approx(1)
    assert method.correlation(np.array([-1.0, -2.0]), np.array([0.1, 0.2])) == pytest.approx(-1)
    assert method.correlation(np.array([1.0, 2.0]), np.zeros(2)) == 0
    one, two = [3, 1, -3, -1], [1, 3, -1, -3]  # ranks 4 3 1 2 and 3 4 2 1: 1 - 6 * 4 / (4 * 15)
    assert method.correlation(np.array(one[:2]), np.array(two[:2])) == pytest.approx(0.6)


def test_a_pair_without_a_better_answer_counts_half_for_either(method):
    pairs = [Pair("x", "a b c", "d", {"margin": 0.5}), Pair("x", "a", "b c", {"margin": -0.25}),
             Pair("x", "a", "b c", {"margin": 0.0}), Pair("x", "a b", "c d", {"margin": 1.0})]  # fmt: skip
    missing = np.array([[0.1, 0.4], [0.2, 0.3], [0.9, 0.1], [0.6, 0.6]])
    said = method.by_gold({"missing": missing}, pairs)
    assert said["better"] == pytest.approx([0.1, 0.3, 0.5, 0.6])
    assert said["worse"] == pytest.approx([0.4, 0.2, 0.5, 0.6])
    assert said["head right"].tolist() == [1.0, 0.0, 0.5, 0.5]
    assert said["longer right"].tolist() == [1.0, 1.0, 0.5, 0.5]


def test_claims_take_the_arms_they_name(method):

    def arm(gold, rank, *scores, **more):
        return {"gold": gold, "rank": rank, "scores": np.array(scores)} | more

    arms = {
        "base": {"gold": 0.5}, "dpo": arm(0.6, 0.3, 1.0, 2.0, reads=0.7), "spo": arm(0.7, 0.4, 1.5, 2.0, reads=0.8),
        "random": arm(0.61, 0.31, 0.0), "shuffled": arm(0.62, 0.32, 0.0), "truncated": arm(0.63, 0.33, 0.0),
        "spo, gamma 2": arm(0.55, 0.2, 0.0),
        "frozen": {"rank": 0.3, "scores": np.array([1.0, 1.75])},
    }  # fmt: skip
    assert method.trainings({"arms": arms}) == {
        "gold-gain": (0.7, 0.6), "margin-rank": (0.4, 0.3), "degree-aware": (0.8, 0.7), "important-words": (0.4, 0.31),
        "shuffled-degrees": (0.4, 0.32), "learns": (0.6, 0.5), "frozen-body": (0.25, 0.0), "more-weight": (0.55, 0.6),
        "truncated-rejected": (0.7, 0.63),
    }  # fmt: skip
    premise = {"worse": 1, "better": 2, "head right": 3, "longer right": 4}
    assert method.readings({"premise": premise, "base": {"hits": 5, "commonest": 6}}) == {
        "head-learns": (5, 6), "degree-is-preference": (1, 2), "more-than-length": (3, 4)}  # fmt: skip
