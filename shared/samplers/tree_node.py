"""A node of RAIN's search tree: how a child is chosen, and what one evaluation changes on its way to the root."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np

Embed = Callable[[Sequence[Sequence[int]]], np.ndarray]  # token sequences -> (sequences, width)


@dataclass(eq=False)
class Node:
    """A token set after its ancestors.

    prior: p, of all children of a parent 1 in sum. n: visits, a real number, since similar siblings add fractions.
    visits: evaluations that passed through, a whole number. value: mean score. embedding: mean over the evaluated texts
    that passed, None before any did. depth: token sets from the prompt, commits included.
    """

    tokens: tuple[int, ...] = ()
    parent: "Node | None" = None
    prior: float = 1.0
    depth: int = 0
    n: float = 0.0
    visits: int = 0
    value: float = 0.0
    embedding: np.ndarray | None = None
    children: list["Node"] = field(default_factory=list)
    proposed: list[tuple[tuple[int, ...], float]] = field(default_factory=list)  # token sets and their weights

    def add(self, tokens: tuple[int, ...], prior: float) -> None:
        """Append a child."""
        self.children.append(Node(tokens, self, prior, self.depth + 1))

    def path(self) -> Iterator["Node"]:
        """This node, its parent and so on, the root last."""
        node: Node | None = self
        while node is not None:
            yield node
            node = node.parent


def upper_bound(child: Node, c: float, values: str, exploration: str) -> float:
    """What selection maximises.

    values: "normalised" (the authors' code: (v + 1) / (2 + 1e-5), and 0, the worst, for n = 0) or "raw" (the paper: v,
    which is 0, neutral, for n = 0). exploration: u = c p sqrt(N) / (1 + n) with N the "parent"'s own visits (code) or
    the sum over the "siblings", the child itself included (paper).
    """
    v = child.value
    if values == "normalised":
        v = (child.value + 1) / (2 + 1e-5) if child.n else 0.0
    total = child.parent.n if exploration == "parent" else sum(x.n for x in child.parent.children)
    return v + c * child.prior * np.sqrt(total) / (1 + child.n)


def select(node: Node, c: float, values: str, exploration: str) -> Node:
    """The child with the highest upper bound, the first of equals."""
    return max(node.children, key=lambda child: upper_bound(child, c, values, exploration))


def most_visited(node: Node) -> Node:
    """The child with the most visits n, of equals the one with the higher value, of these the first."""
    return max(node.children, key=lambda child: (child.n, child.value))


def cosine(a: np.ndarray, b: np.ndarray) -> float:
    """Cosine similarity, 0 if either vector is zero."""
    scale = np.linalg.norm(a) * np.linalg.norm(b)
    return float(a @ b / scale) if scale else 0.0


def backup(
    leaf: Node, score: float, look_ahead: Sequence[int], embed: Embed, gamma: float, threshold: float
) -> list[float]:
    """Enter one score into the leaf and its ancestors, and by similarity into their siblings.

    For each node of the path, leaf first: n and visits grow by 1; its embedding, a running mean over visits, takes in
    the text from its own first token to the end of the look-ahead; every sibling X that has an embedding and whose
    cosine s with the node's is at least `threshold` becomes v_X <- (v_X n_X + gamma s score) / (n_X + gamma s),
    n_X <- n_X + gamma s; v moves to the mean, v <- v + (score - v) / n.
    Returns the cosines that were compared with the threshold.
    """
    nodes, texts, text = list(leaf.path()), [], tuple(look_ahead)
    for node in nodes[:-1]:
        text = (*node.tokens, *text)
        texts.append(text)
    vectors = embed(texts) if texts else []
    compared = []
    for i, node in enumerate(nodes):
        node.n += 1
        node.visits += 1
        if node.parent is not None:
            known = 0.0 if node.embedding is None or node.visits == 1 else node.embedding
            node.embedding = known + (np.asarray(vectors[i], float) - known) / node.visits
            compared += _share(node, score, gamma, threshold)
        node.value += (score - node.value) / node.n
    return compared


def _share(node: Node, score: float, gamma: float, threshold: float) -> list[float]:
    compared = []
    for sibling in node.parent.children:
        if sibling is node or sibling.embedding is None:
            continue
        similarity = cosine(node.embedding, sibling.embedding)
        compared.append(similarity)
        if gamma > 0 and similarity >= threshold:
            weight = gamma * similarity
            sibling.value = (sibling.value * sibling.n + weight * score) / (sibling.n + weight)
            sibling.n += weight
    return compared


def wants_child(node: Node, most: int, spread: float) -> bool:
    """Whether one more child is due: all were visited, all are bad, and they are alike.

    Fewer than `most` children, every one with visits, the highest value below 0, and the norm of their embeddings'
    variance (unbiased, a dimension at a time) below spread x tokens of a set.
    """
    children = node.children
    if not 2 <= len(children) < most or any(not child.visits for child in children):
        return False
    if max(child.value for child in children) >= 0:
        return False
    variance = np.var([child.embedding for child in children], axis=0, ddof=1)
    return bool(np.linalg.norm(variance) < spread * len(children[0].tokens))
