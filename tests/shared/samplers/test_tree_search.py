"""The search: each formula against a value worked out by hand, a whole search against a slow independent one."""

import hashlib
import importlib

import numpy as np
import pytest
from slow_search import SlowSearch

from autodidact.samplers import SearchSettings, Task, sharpened_answers, tree_search
from autodidact.samplers.token_sets import clamp_greedy, draw_token, most_likely, normalised, sampled_sets
from autodidact.samplers.tree_node import Node, backup, most_visited, select, upper_bound, wants_child

WORDS = 9  # 0 ends an answer, 1 ends a clause
ENDS, STOPS = frozenset({0}), frozenset({1})
SMALL = SearchSettings(
    rounds=14, rounds_after_commit=5, early_visits=4, children=4, top_k=5, max_tokens=12, threshold=0.6
)


class Table:
    """A language model over nine tokens whose next token depends on the last two; an end is likelier late."""

    def __init__(self, seed=0):
        rng = np.random.default_rng(seed)
        logits = 1.5 * rng.normal(size=(WORDS, WORDS, WORDS))
        self.logits = logits
        self.asked = 0

    def one(self, prefix):
        last = (1, *prefix)[-2:]
        row = self.logits[last].copy()
        row[0] += len(prefix) / 3 - 3
        return row - np.log(np.exp(row).sum())

    def logprobs(self, prefixes):
        self.asked += len(prefixes)
        return np.stack([self.one(x) for x in prefixes])


def verdict(answer):
    """-1, 0 or 1, fixed by a hash of the answer."""
    return int.from_bytes(hashlib.sha256(str(tuple(answer)).encode()).digest()[:4], "big") % 3 - 1


def bag(tokens):
    return np.bincount(tokens, minlength=WORDS) / len(tokens)


def search(settings, seeds=range(6), table=None, judge=verdict):
    tasks = [Task((3, 2 + s % 5), settings, np.random.default_rng(s)) for s in seeds]
    return tree_search(
        table or Table(),
        tasks,
        lambda items: [judge(tuple(map(int, text.split()))) for _, text in items],
        decode=lambda ids: " ".join(map(str, ids)),
        embed=lambda texts: np.stack([bag(x) for x in texts]),
        ends=ENDS,
        stops=STOPS,
    )


def tree(*children, n=0.0, **parent):
    """A root with children given as (prior, n, value)."""
    root = Node(n=n, **parent)
    for i, (prior, visits, value) in enumerate(children):
        root.add((i,), prior)
        root.children[i].n, root.children[i].value = visits, value
        root.children[i].visits = int(visits > 0)
    return root


def test_selection_as_in_the_code():
    root = tree((0.5, 3.0, 0.5), (0.3, 0.0, 0.0), n=4.0)
    first, second = root.children
    assert upper_bound(first, 2, "normalised", "parent") == pytest.approx(1.5 / 2.00001 + 2 * 0.5 * 2 / 4)
    assert upper_bound(second, 2, "normalised", "parent") == pytest.approx(2 * 0.3 * 2 / 1)  # 0 for an unvisited child
    assert select(root, 0.1, "normalised", "parent") is first
    assert select(root, 2, "normalised", "parent") is first
    assert select(root, 4, "normalised", "parent") is second


def test_selection_as_in_the_paper():
    root = tree((0.5, 3.0, -0.5), (0.3, 1.0, 0.2), n=9.0)
    first, second = root.children
    assert upper_bound(first, 2, "raw", "siblings") == pytest.approx(-0.5 + 2 * 0.5 * 2 / 4)
    assert upper_bound(second, 2, "raw", "siblings") == pytest.approx(0.2 + 2 * 0.3 * 2 / 2)


def test_backup_by_hand():
    root = tree((0.5, 1.0, 1.0), (0.3, 2.0, 0.5), (0.2, 0.0, 0.0), n=3.0)
    a, b, unvisited = root.children
    root.visits, a.visits, b.visits = 3, 1, 2
    a.embedding, b.embedding = np.array([1.0, 0.0]), np.array([0.8, 0.6])
    texts = []

    def embed(sequences):
        texts.extend(sequences)
        return np.array([[1.0, 0.0]] * len(sequences))

    compared = backup(a, -1.0, (7, 1), embed, gamma=0.2, threshold=0.75)
    assert texts == [(0, 7, 1)]  # from the node's first token to the end of the look-ahead
    assert compared == pytest.approx([0.8])  # the unvisited sibling has no embedding
    assert (a.n, a.visits, a.value) == (2.0, 2, 0.0)
    assert b.n == pytest.approx(2.16) and b.visits == 2
    assert b.value == pytest.approx((0.5 * 2 - 0.16) / 2.16)
    assert (unvisited.n, unvisited.value) == (0.0, 0.0)
    assert root.n == 4.0


@pytest.mark.parametrize(("gamma", "threshold"), [(0.0, 0.0), (0.2, 0.9)])
def test_no_similarity_update_without_gamma_or_below_the_threshold(gamma, threshold):
    root = tree((0.5, 1.0, 1.0), (0.3, 2.0, 0.5), n=3.0)
    a, b = root.children
    a.embedding, b.embedding = np.array([1.0, 0.0]), np.array([0.8, 0.6])
    backup(a, -1.0, (), lambda x: np.array([[1.0, 0.0]]), gamma=gamma, threshold=threshold)
    assert (b.n, b.value) == (2.0, 0.5)


def test_similarity_compares_running_means_over_real_visits():
    root = tree((1.0, 0.0, 0.0), (1.0, 1.0, 0.0))
    a, b = root.children
    b.embedding = np.array([1.0, 1.0])
    for vector in ([1.0, 0.0], [0.0, 1.0]):
        compared = backup(a, 1.0, (), lambda x, v=vector: np.array([v]), gamma=0.0, threshold=1.0)
    assert a.embedding == pytest.approx([0.5, 0.5])
    assert compared == pytest.approx([1.0])


def test_node_addition_needs_all_visited_all_bad_all_alike():
    def node(values, vectors):
        root = tree(*[(0.5, 1.0, v) for v in values])
        for child, vector in zip(root.children, vectors, strict=True):
            child.embedding = np.array(vector)
        return root

    alike, apart = [[1.0, 0.0], [1.0, 0.1]], [[1.0, 0.0], [0.0, 1.0]]
    assert wants_child(node([-1, -0.5], alike), 20, 0.03)  # variance (0, 0.005), norm 0.005 < 0.03
    assert not wants_child(node([-1, 0], alike), 20, 0.03)
    assert not wants_child(node([-1, -0.5], apart), 20, 0.03)  # variance (0.5, 0.5)
    assert not wants_child(node([-1, -0.5], alike), 2, 0.03)
    assert not wants_child(node([-1, -0.5], alike), 0, 0.03)
    unvisited = node([-1, -0.5], alike)
    unvisited.children[1].visits = 0
    assert not wants_child(unvisited, 20, 0.03)


def test_most_visited_breaks_ties_by_value():
    assert most_visited(tree((1, 2.0, -1.0), (1, 2.0, 0.5), (1, 1.0, 1.0))).tokens == (1,)


def test_priors_by_hand():
    assert clamp_greedy(0.9, [0.2, 0.1]) == pytest.approx(0.3)  # at most the sum of the others
    assert clamp_greedy(0.01, [0.2, 0.1]) == pytest.approx(0.3)  # at least the largest plus the smallest
    assert clamp_greedy(0.5, [0.2, 0.2, 0.2, 0.1]) == pytest.approx(0.5)
    assert clamp_greedy(0.5, [0.1]) == pytest.approx(0.2)
    assert clamp_greedy(0.5, []) == 0.5
    assert normalised([3, 1], 0.25) == pytest.approx([0.75 * 0.75 + 0.125, 0.75 * 0.25 + 0.125])
    top = most_likely(np.log([0.1, 0.4, 0.3, 0.2]), 2)
    assert [t for t, _ in top] == [(1,), (2,)] and [w for _, w in top] == pytest.approx([0.4, 0.3])


def test_sampled_sets_are_truncated_and_weighted_by_renormalised_products():
    table, rng = Table(), np.random.default_rng(0)
    asking, rows = sampled_sets((2, 3), 3, 8, 8, rng, top_k=3, ends=ENDS), None
    try:
        while True:
            rows = table.logprobs(asking.send(rows))
    except StopIteration as done:
        sets = done.value
    assert len({tokens for tokens, _ in sets}) == len(sets) > 3
    for k, (tokens, weight) in enumerate(sets):
        product, text = 1.0, (2, 3)
        for token in tokens:
            p = np.exp(table.one(text))
            best = np.sort(p)[-3:]
            assert p[token] >= best[0]
            assert k or token == p.argmax()
            product, text = product * p[token] / best.sum(), (*text, token)
        expected = clamp_greedy(product, [w for _, w in sets[1:]]) if k == 0 else product
        assert weight == pytest.approx(expected)


def test_draw_token_follows_the_distribution():
    p = np.array([0.2, 0.5, 0.3])
    drawn = [draw_token(np.log(p), u) for u in (np.arange(1000) + 0.5) / 1000]
    assert np.bincount(drawn) / 1000 == pytest.approx(p)


@pytest.mark.parametrize(
    "changes",
    [{}, {"gamma": 0.0}, {"most_children": 0}, {"c": 0.0}, {"values": "raw", "exploration": "siblings"},
     {"spread": 10.0, "lengths": (2, 3)}],
)  # fmt: skip
def test_whole_search_equals_the_slow_one(changes):
    settings = SearchSettings(**{**vars(SMALL), **changes})
    fast = search(settings)
    for seed, found in enumerate(fast):
        slow = SlowSearch(Table().one, lambda y: verdict([t for t in y if t not in ENDS]), lambda x: bag(x), settings,
                          np.random.default_rng(seed), ENDS, STOPS)  # fmt: skip
        assert found.tokens == slow.answer((3, 2 + seed % 5))


def test_node_addition_happens_where_everything_is_bad():
    settings = SearchSettings(**{**vars(SMALL), "spread": 10.0, "early_visits": 50, "rounds": 30})
    added = search(settings, judge=lambda y: -1)
    assert sum(found.additions for found in added) > 0
    none = search(SearchSettings(**{**vars(settings), "most_children": 0}), judge=lambda y: -1)
    assert sum(found.additions for found in none) == 0


def test_a_task_does_not_depend_on_its_batch():
    together = search(SMALL, range(6))
    alone = [search(SMALL, [s])[0] for s in range(6)]
    assert [f.tokens for f in together] == [f.tokens for f in alone]
    assert [f.judged for f in together] == [f.judged for f in alone]
    assert [f.tokens for f in search(SMALL)] == [f.tokens for f in together]


def test_counts():
    table = Table()
    found = search(SMALL, table=table)
    assert sum(f.generated for f in found) == table.asked  # one distribution a token drawn
    for f in found:
        assert f.rounds >= len(f.judged) and f.commits >= 1
        assert f.rounds <= SMALL.rounds + (f.commits - 1) * max(SMALL.rounds, SMALL.rounds_after_commit)
        assert len(f.tokens) <= SMALL.max_tokens and f.ended == (f.tokens[-1] == 0)


def test_visits_are_conserved_and_priors_sum_to_one(monkeypatch):
    module = importlib.import_module("autodidact.samplers.tree_search")

    def check(node):
        if node.children:
            assert sum(child.prior for child in node.children) == pytest.approx(1)
            assert node.visits == 1 + sum(child.visits for child in node.children)
            assert node.n == node.visits
            scores = [child.value * child.n for child in node.children]
            assert abs(node.value * node.n - sum(scores)) <= 1 + 1e-9  # its own evaluation is one score
            for child in node.children:
                check(child)

    searched = []
    keep = module._Tree._search

    def checked(self, root):
        yield from keep(self, root)
        check(root)
        searched.append(root)

    monkeypatch.setattr(module._Tree, "_search", checked)
    search(SearchSettings(**{**vars(SMALL), "gamma": 0.0, "most_children": 0}), range(3))
    assert len(searched) > 6


def test_early_stop():
    found = search(SMALL, judge=lambda y: 1)
    assert max(f.rounds for f in found) < SMALL.rounds + 12 * SMALL.rounds_after_commit
    first = search(SearchSettings(**{**vars(SMALL), "early_visits": 0, "rounds": 50}), judge=lambda y: 1)
    assert all(f.rounds < 10 * f.commits for f in first)


def test_the_search_follows_its_judge():
    def dislikes_five(answer):
        return -1 if 5 in answer else 1

    def share(answers):
        return np.mean([5 in f.tokens for f in answers])

    with_search = search(SMALL, range(20), judge=dislikes_five)
    tasks = [Task((3, 2 + s % 5), SMALL, np.random.default_rng(s)) for s in range(20)]
    without = sharpened_answers(Table(), tasks, decode=lambda ids: " ".join(map(str, ids)), ends=ENDS)
    assert share(with_search) < share(without) - 0.2


def test_the_sharpened_proposal_draws_by_prior():
    settings = SearchSettings(**{**vars(SMALL), "lengths": (1,), "max_tokens": 1})
    tasks = [Task((3, 2), settings, np.random.default_rng(s)) for s in range(4000)]
    drawn = [f.tokens[0] for f in sharpened_answers(Table(), tasks, decode=str, ends=ENDS)]
    top = most_likely(Table().one((3, 2)), 4)
    expected = dict(zip([t[0] for t, _ in top], normalised([w for _, w in top], 0.25), strict=True))
    for token, p in expected.items():
        assert np.mean(np.array(drawn) == token) == pytest.approx(p, abs=4 * np.sqrt(p / 4000))


@pytest.mark.parametrize(
    ("setting", "says"),
    [({"rounds": 0}, "rounds=0"), ({"lengths": ()}, "lengths"), ({"uniform": 2}, "uniform=2"),
     ({"temperature": 0}, "temperature=0"), ({"values": "x"}, "values='x'"), ({"gamma": -1}, "gamma=-1")],
)  # fmt: skip
def test_bad_settings_are_named(setting, says):
    with pytest.raises(ValueError, match=says):
        SearchSettings(**setting)
    with pytest.raises(ValueError, match="wrong"):
        SearchSettings.as_in_paper(wrong=1)


def test_as_in_the_paper():
    paper = SearchSettings.as_in_paper(rounds=20)
    assert (paper.values, paper.exploration, paper.rounds_after_commit) == ("raw", "siblings", 20)
    assert paper.embed_unvisited and SearchSettings().values == "normalised"
    assert len(search(SearchSettings(**{**vars(paper), "max_tokens": 8, "children": 4}), range(2))) == 2
