"""RAIN's search once more, slowly: one tree, no batches, every number recomputed from a list of what happened."""

import math

import numpy as np


class SlowNode:
    """Keeps its history: (weight, score) events and the embeddings of the texts that passed."""

    def __init__(self, tokens, prior, depth, parent=None):
        self.tokens, self.prior, self.depth, self.parent = tokens, prior, depth, parent
        self.events, self.vectors, self.kids, self.pool = [], [], {}, []

    @property
    def n(self):
        return sum(w for w, _ in self.events)

    @property
    def v(self):
        return sum(w * s for w, s in self.events) / self.n if self.events else 0.0

    @property
    def e(self):
        return sum(self.vectors) / len(self.vectors) if self.vectors else None


def cos(a, b):
    return float(sum(x * y for x, y in zip(a, b, strict=True)) / math.sqrt(sum(a * a) * sum(b * b)))


def top(table, text, k):
    p = np.exp(table(text))
    order = sorted(range(len(p)), key=lambda i: (-p[i], i))[:k]
    return [(i, p[i]) for i in order if p[i] > 0]


class SlowSearch:
    """`table`: tokens -> log-probabilities; `judge`: answer tokens -> score; `embed`: tokens -> vector."""

    def __init__(self, table, judge, embed, s, rng, ends, stops):
        self.table, self.judge, self.embed, self.s, self.rng = table, judge, embed, s, rng
        self.ends, self.stops = ends, stops

    def answer(self, prompt):
        self.prompt, self.done = prompt, ()
        root = SlowNode((), 1.0, 0)
        while not self.over(self.done):
            came = len(root.vectors) if root.parent is None and root.depth == 0 else root.real
            rounds = max(self.s.rounds - came, self.s.rounds_after_commit)
            root.real = came
            for _ in range(rounds):
                self.round(root)
                root.real += 1
                best = max(root.kids.values(), key=lambda k: (k.n, k.v))
                if len(best.vectors) > self.s.early_visits and best.v > self.s.early_value:
                    break
            best = max(root.kids.values(), key=lambda k: (k.n, k.v))
            self.done += best.tokens
            best.real = len(best.vectors)
            root, root.parent = best, None
            total = sum(k.prior for k in root.kids.values())
            for k in root.kids.values():
                k.prior = (1 - self.s.uniform) * k.prior / total + self.s.uniform / len(root.kids)
        return self.done[: self.s.max_tokens]

    def over(self, text):
        return len(text) >= self.s.max_tokens or bool(text) and text[-1] in self.ends

    def round(self, root):
        node, text, path = root, self.done, [root]
        while node.kids:
            self.grow_wider(node, text, node is root)
            node = max(node.kids.values(), key=lambda k: self.bound(node, k))
            text += node.tokens
            path.append(node)
        ahead = ()
        while not self.over(text + ahead) and (self.prompt + text + ahead)[-1] not in self.stops:
            p = np.exp(self.table(self.prompt + text + ahead))
            ahead += (self.pick(list(enumerate(p)), self.rng.random()),)
        score = self.judge(text + ahead)
        if not self.over(text):
            self.widen(node, text, node is root)
        for i in range(len(path) - 1, -1, -1):
            node = path[i]
            node.events.append((1.0, score))
            if i == 0:
                break
            said = sum((x.tokens for x in path[i:]), ()) + ahead
            node.vectors.append(self.embed(said))
            for other in path[i - 1].kids.values():
                if other is not node and other.vectors and cos(node.e, other.e) >= self.s.threshold and self.s.gamma:
                    other.events.append((self.s.gamma * cos(node.e, other.e), score))

    def bound(self, parent, kid):
        visits = parent.n if self.s.exploration == "parent" else sum(k.n for k in parent.kids.values())
        u = self.s.c * kid.prior * math.sqrt(visits) / (1 + kid.n)
        if self.s.values == "raw":
            return kid.v + u
        return (0.0 if not kid.events else (kid.v + 1) / 2.00001) + u

    @staticmethod
    def pick(pairs, u):
        total, at = sum(p for _, p in pairs), 0.0
        for token, p in pairs:
            at += p / total
            if u < at:
                return token
        return pairs[-1][0]

    def draw_sets(self, text, length, tries):
        texts, weights = [()] * (tries + 1), [1.0] * (tries + 1)
        for _ in range(length):
            for i in range(tries + 1):
                if texts[i] and texts[i][-1] in self.ends:
                    continue
                u = self.rng.random()
                pairs = top(self.table, self.prompt + text + texts[i], self.s.top_k)
                token = pairs[0][0] if i == 0 else self.pick(sorted(pairs), u)
                weights[i] *= dict(pairs)[token] / sum(p for _, p in pairs)
                texts[i] += (token,)
        sets = {}
        for set_, w in zip(texts, weights, strict=True):
            sets.setdefault(set_, w)
        greedy = texts[0]
        rest = [w for t, w in sets.items() if t != greedy]
        if rest:
            sets[greedy] = max(min(sets[greedy], sum(rest)), max(rest) + min(rest))
        return list(sets.items())

    def share(self, pool, root):
        total = sum(w for _, w in pool)
        mix = self.s.uniform if root else 0.0
        return [(t, (1 - mix) * w / total + mix / len(pool)) for t, w in pool]

    def widen(self, node, text, root):
        length = self.s.lengths[min(node.depth, len(self.s.lengths) - 1)]
        if length == 1:
            node.pool = [((t,), p) for t, p in top(self.table, self.prompt + text, 99)]
            chosen = node.pool[: self.s.children]
        else:
            chosen = node.pool = self.draw_sets(text, length, self.s.children - 1)
        for t, p in self.share(chosen, root):
            node.kids[t] = SlowNode(t, p, node.depth + 1, node)

    def grow_wider(self, node, text, root):
        kids = list(node.kids.values())
        if not 2 <= len(kids) < self.s.most_children or not all(k.vectors for k in kids):
            return
        spread = np.stack([k.e for k in kids])
        variance = ((spread - spread.mean(0)) ** 2).sum(0) / (len(kids) - 1)
        alike = math.sqrt(float(sum(variance**2))) < self.s.spread * len(kids[0].tokens)
        if not alike or max(k.v for k in kids) >= 0:
            return
        length = self.s.lengths[min(node.depth, len(self.s.lengths) - 1)]
        if length > 1:
            node.pool = self.draw_sets(text, length, 1) + node.pool
        for t, p in self.share(node.pool[: len(kids) + 1], root):
            if t not in node.kids:
                node.kids[t] = SlowNode(t, p, node.depth + 1, node)
