"""RAIN's tree search: a frozen model decodes, looks ahead, judges what it would say, and takes back what is bad.

Li, Wei, Zhao, Zhang, Zhang: RAIN, arXiv 2309.07124; authors' code SafeAILab/RAIN (folder HH) at 8cedfa7.
"""

from collections.abc import Callable, Generator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, fields
from typing import Any, Protocol

import numpy as np

from autodidact.checks import finite
from autodidact.samplers import token_sets
from autodidact.samplers.tree_node import Embed, Node, backup, most_visited, select, wants_child

Tokens = tuple[int, ...]
Asking = Generator[Any, Any, Any]


class NextTokens(Protocol):
    """A language model by prefix: `PrefixCache`, or a table."""

    def logprobs(self, prefixes: Sequence[Tokens]) -> np.ndarray:
        """log pi(next token | prefix) in nats, (prefixes, vocabulary)."""


@dataclass(frozen=True)
class SearchSettings:
    """The constants of the search; the defaults are those of the authors' code for harmlessness (HH).

    rounds, rounds_after_commit: a search runs until its root has max(rounds, n' + rounds_after_commit) real visits,
      n' being those it came with. early_visits, early_value: or until its most visited child has more than
      `early_visits` real visits and a value above `early_value`.
    c: weight of exploration. gamma, threshold: the similarity update (gamma = 0: none).
    lengths: tokens of a set at depth 0, 1, 2, ...; the last one for all deeper. children: sets a node gets at first
      (one-token sets: the likeliest tokens; longer: a greedy one and samples). top_k, temperature: of sampling. tries:
      samples drawn at most (None: children - 1). uniform: share of the uniform distribution in the root's priors.
    most_children, spread: dynamic node addition (`wants_child`); most_children = 0: none.
    values, exploration: see `upper_bound`. embed_unvisited: a child has its own tokens' embedding before its first
      visit, so that similarity reaches it (the paper's example; in the code it does not).
    max_tokens: of an answer.
    """

    rounds: int = 50
    rounds_after_commit: int = 15
    early_visits: int = 6
    early_value: float = 0.8
    c: float = 2.0
    gamma: float = 0.2
    threshold: float = 0.95
    lengths: tuple[int, ...] = (1, 2, 4, 10)
    children: int = 10
    top_k: int = 15
    temperature: float = 1.0
    tries: int | None = None
    uniform: float = 0.25
    most_children: int = 20
    spread: float = 0.03
    values: str = "normalised"
    exploration: str = "parent"
    embed_unvisited: bool = False
    max_tokens: int = 2048

    def __post_init__(self) -> None:
        for name in ("rounds", "rounds_after_commit", "children", "top_k", "max_tokens"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name}={getattr(self, name)} must be at least 1")
        if not self.lengths or min(self.lengths) < 1:
            raise ValueError(f"lengths={self.lengths} must be numbers of at least 1")
        if not 0 <= self.uniform <= 1:
            raise ValueError(f"uniform={self.uniform} must lie in [0, 1]")
        for name in ("early_value", "c", "gamma", "threshold", "temperature", "spread"):
            finite(name, getattr(self, name))
        if self.temperature <= 0:
            raise ValueError(f"temperature={self.temperature} must be greater than 0")
        if self.c < 0 or self.gamma < 0:
            raise ValueError(f"c={self.c} and gamma={self.gamma} must not be negative")
        for name, known in (("values", ("normalised", "raw")), ("exploration", ("parent", "siblings"))):
            if getattr(self, name) not in known:
                raise ValueError(f"{name}={getattr(self, name)!r} is unknown; known are {', '.join(known)}")

    @classmethod
    def as_in_paper(cls, **settings: Any) -> "SearchSettings":
        """The method as printed: raw v, siblings' visits, `rounds` fresh rounds a commit, unvisited nodes embedded."""
        rounds = settings.get("rounds", cls.rounds)
        printed = {"values": "raw", "exploration": "siblings", "embed_unvisited": True, "rounds_after_commit": rounds}
        unknown = set(settings) - {f.name for f in fields(cls)}
        if unknown:
            raise ValueError(f"settings {', '.join(sorted(unknown))} are unknown")
        return cls(**{**printed, **settings})

    def length(self, depth: int) -> int:
        """Tokens of a set whose parent lies at `depth`."""
        return self.lengths[min(depth, len(self.lengths) - 1)]


@dataclass
class Found:
    """What a search came back with.

    tokens: the answer, its end token included if it `ended`. generated: tokens drawn (token sets and look-aheads; a
    node's likeliest first tokens count as one), known to a cache or not. judged: text -> score of every different text
    put to the judge. rounds, commits; additions: token sets added dynamically; compared: cosines of siblings that the
    similarity update looked at.
    """

    text: str = ""
    tokens: Tokens = ()
    ended: bool = False
    generated: int = 0
    judged: dict[str, float] = field(default_factory=dict)
    rounds: int = 0
    commits: int = 0
    additions: int = 0
    compared: list[float] = field(default_factory=list)


@dataclass(frozen=True)
class Task:
    """One answer to search for: the prompt's tokens, the settings, and a generator of this search's own."""

    prompt: Tokens
    settings: SearchSettings
    rng: np.random.Generator


def tree_search(
    model: NextTokens,
    tasks: Sequence[Task],
    judge: Callable[[list[tuple[int, str]]], Sequence[float]],
    *,
    decode: Callable[[Sequence[int]], str],
    embed: Embed,
    ends: frozenset[int],
    stops: frozenset[int],
) -> list[Found]:
    """Search for all answers in lock-step: what the trees ask of model and judge in one step goes into one batch.

    judge: [(index of the task, text of a partial answer)] -> scores in [-1, 1] (else ValueError); each text is put
    to it once a task.
    decode: answer tokens, end token left out, to text. embed: see `backup`. ends: tokens that end an answer. stops:
    tokens at which a look-ahead may stop (the end of a clause).
    A task's result depends on its own generator alone, up to the rounding of the model's batches.
    """
    found = [Found() for _ in tasks]
    trees = [_Tree(task, found[i], decode, embed, ends, stops).grow() for i, task in enumerate(tasks)]
    _lock_step(trees, model, judge)
    return found


def _lock_step(trees: list[Asking], model: NextTokens, judge: Callable) -> None:
    asked = {i: next(tree) for i, tree in enumerate(trees)}
    while asked:
        answers = {}
        prefixes = {i: ask for i, ask in asked.items() if isinstance(ask, list)}
        if prefixes:
            rows = model.logprobs([x for ask in prefixes.values() for x in ask])
            start = 0
            for i, ask in prefixes.items():
                answers[i] = rows[start : start + len(ask)]
                start += len(ask)
        texts = [(i, ask) for i, ask in asked.items() if isinstance(ask, str)]
        if texts:
            answers.update(zip((i for i, _ in texts), judge(texts), strict=True))
        asked = {}
        for i, answer in answers.items():
            with suppress(StopIteration):  # this tree has its answer
                asked[i] = trees[i].send(answer)


class _Tree:
    """The search of one answer. Its generators yield a list of prefixes, or a text to judge."""

    def __init__(self, task: Task, found: Found, decode: Callable, embed: Embed, ends: frozenset, stops: frozenset):
        self.prompt, self.s, self.rng = tuple(task.prompt), task.settings, task.rng
        self.found, self.decode, self.embed, self.ends, self.stops = found, decode, embed, ends, stops

    def grow(self) -> Asking:
        """The outer loop: search, commit the most visited child, go on from there."""
        found, root = self.found, Node()
        while not self._over(found.tokens):
            yield from self._search(root)
            chosen = most_visited(root)
            found.tokens += chosen.tokens
            found.commits += 1
            root = chosen  # its subtree and its counts are kept
            root.parent = None
            priors = token_sets.normalised([x.prior for x in root.children], self.s.uniform) if root.children else []
            for child, prior in zip(root.children, priors, strict=True):
                child.prior = prior
        found.tokens = found.tokens[: self.s.max_tokens]
        found.ended = found.tokens[-1] in self.ends
        found.text = self._text(found.tokens)

    def _search(self, root: Node) -> Asking:
        """Rounds of the inner loop from one root."""
        came_with = root.visits
        for _ in range(came_with, max(self.s.rounds, came_with + self.s.rounds_after_commit)):
            yield from self._round(root)
            best = most_visited(root)
            if best.visits > self.s.early_visits and best.value > self.s.early_value:
                break

    def _round(self, root: Node) -> Asking:
        """Down to a leaf, judge what it leads to, expand it, and back up."""
        self.found.rounds += 1
        leaf, answer = root, self.found.tokens
        while leaf.children:
            if wants_child(leaf, self.s.most_children, self.s.spread):
                yield from self._add_child(leaf, answer, at_root=leaf is root)
            leaf = select(leaf, self.s.c, self.s.values, self.s.exploration)
            answer += leaf.tokens
        ahead = yield from self._look_ahead(answer)
        score = yield from self._judge(answer + ahead)
        if not self._over(answer):
            yield from self._expand(leaf, answer, at_root=leaf is root)
        self.found.compared += backup(leaf, score, ahead, self.embed, self.s.gamma, self.s.threshold)

    def _over(self, answer: Tokens) -> bool:
        return len(answer) >= self.s.max_tokens or answer[-1:] != () and answer[-1] in self.ends

    def _text(self, answer: Tokens) -> str:
        return self.decode(answer[:-1] if answer and answer[-1] in self.ends else answer)

    def _look_ahead(self, answer: Tokens) -> Asking:
        """Plain sampling to the end of the clause; judged with the text, then thrown away."""
        ahead: Tokens = ()
        while not self._over(answer + ahead) and (self.prompt + answer + ahead)[-1] not in self.stops:
            rows = yield [self.prompt + answer + ahead]
            ahead += (token_sets.draw_token(rows[0], self.rng.random()),)
        self.found.generated += len(ahead)
        return ahead

    def _judge(self, answer: Tokens) -> Asking:
        text = self._text(answer)
        if text not in self.found.judged:
            score = float((yield text))
            if not -1 <= score <= 1:  # NaN too
                raise ValueError(f"the judge gave {text[:60]!r} the score {score}; it must lie in [-1, 1]")
            self.found.judged[text] = score
        return self.found.judged[text]

    def _expand(self, leaf: Node, answer: Tokens, *, at_root: bool) -> Asking:
        """The first children of a leaf and their priors."""
        length = self.s.length(leaf.depth)
        if length == 1:
            leaf.proposed = yield from self._likeliest(answer, max(self.s.children, self.s.most_children))
            sets = leaf.proposed[: self.s.children]
        else:
            sets = leaf.proposed = yield from self._sample(answer, length, self.s.children - 1, self.s.tries)
        priors = token_sets.normalised([weight for _, weight in sets], self.s.uniform if at_root else 0.0)
        for (tokens, _), prior in zip(sets, priors, strict=True):
            self._adopt(leaf, tokens, prior)

    def _add_child(self, node: Node, answer: Tokens, *, at_root: bool) -> Asking:
        """Dynamic node addition: the next likeliest token, or one more sampled set if it is a new one.

        Its prior is its share among one proposal more than there are children, its own included; old priors stay, as
        in the authors' code, so that their sum then exceeds 1. New proposals stand before the older ones.
        """
        length, k = self.s.length(node.depth), len(node.children) + 1
        if length > 1:
            fresh = yield from self._sample(answer, length, 1, 1)
            node.proposed = fresh + node.proposed
        known = {child.tokens for child in node.children}
        sets = node.proposed[:k]
        priors = token_sets.normalised([weight for _, weight in sets], self.s.uniform if at_root else 0.0)
        for (tokens, _), prior in zip(sets, priors, strict=True):
            if tokens not in known:
                self._adopt(node, tokens, prior)
                known.add(tokens)
                self.found.additions += 1

    def _adopt(self, node: Node, tokens: Tokens, prior: float) -> None:
        node.add(tokens, prior)
        if self.s.embed_unvisited:
            node.children[-1].embedding = np.asarray(self.embed([tokens])[0], float)

    def _likeliest(self, answer: Tokens, k: int) -> Asking:
        rows = yield [self.prompt + answer]
        self.found.generated += 1
        return token_sets.most_likely(rows[0], k, self.s.temperature)

    def _sample(self, answer: Tokens, length: int, samples: int, tries: int | None) -> Asking:
        tries = samples if tries is None else tries
        options = {"top_k": self.s.top_k, "temperature": self.s.temperature, "ends": self.ends}
        proposing = token_sets.sampled_sets(self.prompt + answer, length, samples, tries, self.rng, **options)
        rows = None
        while True:
            try:
                asked = proposing.send(rows)
            except StopIteration as done:
                return done.value
            self.found.generated += len(asked)
            rows = yield asked


def sharpened_answers(
    model: NextTokens, tasks: Sequence[Task], *, decode: Callable, ends: frozenset[int]
) -> list[Found]:
    """The proposal without the search: expand, draw one child by its prior, commit it, to the end of the answer.

    The same truncation to the likeliest tokens, the same greedy sets, clamp and root mixture as `tree_search`, and no
    judge: what is left of RAIN when its evaluator says nothing.
    """
    found = [Found() for _ in tasks]
    trees = [_Tree(t, f, decode, _nothing, ends, frozenset()) for t, f in zip(tasks, found, strict=True)]
    _lock_step([_walk(tree) for tree in trees], model, _nothing)
    return found


def _walk(tree: _Tree) -> Asking:
    found, node = tree.found, Node()
    while not tree._over(found.tokens):
        yield from tree._expand(node, found.tokens, at_root=True)
        cumulative = np.cumsum([child.prior for child in node.children])
        at = np.searchsorted(cumulative, tree.rng.random() * cumulative[-1], side="right")
        node = node.children[min(int(at), len(node.children) - 1)]
        found.tokens += node.tokens
        found.commits += 1
    found.tokens = found.tokens[: tree.s.max_tokens]
    found.ended = found.tokens[-1] in tree.ends
    found.text = tree._text(found.tokens)


def _nothing(*_: Any) -> list:
    raise AssertionError("the sharpened proposal judges and embeds nothing")
