"""A world of ten words for tests of the instruments: it asks for a word and the right answer is that word, twice."""

from dataclasses import dataclass

import numpy as np

from autodidact.training import Pair

WORDS = ("ant", "bee", "cat", "dog", "elk", "fox")


@dataclass(frozen=True)
class ToyPrompt:
    """A prompt that names one word."""

    text: str


@dataclass(frozen=True)
class ToyWorld:
    """Says a word; wants it back twice."""

    examples: int = 200
    version: str = "1"
    vocabulary: tuple[str, ...] = ("<pad>", "<bos>", "<eos>", "<blank>", "say", "please", ":", *WORDS)

    def prompts(self, n: int, rng: np.random.Generator) -> list[ToyPrompt]:
        words = [WORDS[i] for i in rng.integers(len(WORDS), size=n)]
        return [ToyPrompt(f"say {'please ' * int(rng.integers(4))}{word} :") for word in words]

    def corpus(self, rng: np.random.Generator) -> list[tuple[str, str]]:
        return [(p.text, " ".join([p.text.split()[-2]] * 2)) for p in self.prompts(self.examples, rng)]


def comparisons(n, seed):
    """The right answer beats a wrong one."""
    rng = np.random.default_rng(seed)
    pairs = []
    for prompt in ToyWorld().prompts(n, rng):
        word = prompt.text.split()[-2]
        other = rng.choice([w for w in WORDS if w != word])
        pairs.append(Pair(prompt.text, f"{word} {word}", f"{other} {other}"))
    return pairs
