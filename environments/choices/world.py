"""The world of multi-attribute choices: contexts, options, and choosers whose weights are known."""

from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np

from autodidact.environments.choices import prompts
from autodidact.environments.choices.authors import INSTILLED, Authors, authors_contexts
from autodidact.environments.choices.contexts import ATTRIBUTES, Context, procedural_contexts
from autodidact.environments.choices.decisions import Decisions

HUNDRED = 100  # the largest weight of a context in absolute value


@dataclass(frozen=True, slots=True)
class Truth:
    """The weights (5,) behind a choice, and whether the argmax chooser takes A."""

    context: Context
    weights: tuple[float, ...]
    chose_a: bool


@dataclass(frozen=True, slots=True)
class Prompt:
    """A text for the policy and the truth behind it, for scorers only."""

    text: str
    truth: Truth


@dataclass(frozen=True)
class Choices:
    """Multi-attribute choices with instilled weights.

    What a prompt asks: which of two options, A or B, someone prefers; each has five attributes with numbers. Truth:
    the weights w of the context, from -100 to 100, the largest exactly 100 or -100, and the choice: with utility
    U = sum_i w_i (x_i - low_i) / (high_i - low_i) it is A if U(A) > U(B), else B. There is no noise.
    Score: 1 for the letter of that choice, else 0. `parse_report` reads what a model says of its weights.
    Attribute values are uniform in their range, rounded as `Attribute.digits` says.
    Contexts: the first `instilled` are those that weights are instilled in, the rest are native: nobody trains choices
    on them. Random streams: whatever draws takes a `numpy.random.Generator`; nothing else is random. Version 1.

    Presets: `default`, procedural contexts with common attributes; `authors`, the contexts, weights and examples that
    the authors of arXiv 2505.17120 released (`autodidact.environments.choices.authors`); only what measures is drawn.
    """

    contexts: tuple[Context, ...]
    instilled: int
    version: str = "1"
    authors: Authors | None = field(default=None, compare=False, repr=False)

    @classmethod
    def preset(cls, name: str) -> "Choices":
        """A ready world by name; ValueError for an unknown one."""
        if name == "default":
            return cls(procedural_contexts(400), instilled=200)
        if name == "authors":
            return cls(authors_contexts(), INSTILLED, authors=Authors.released())
        raise ValueError(f"preset={name!r} is unknown; known are default, authors")

    def cut(self, instilled: int, native: int) -> "Choices":
        """The same world with only the first `instilled` and the first `native` of the native contexts.

        Raises ValueError for numbers that the world cannot serve.
        """
        for name, value, least, most in (
            ("instilled", instilled, 1, self.instilled),
            ("native", native, 0, len(self.contexts) - self.instilled),
        ):
            if not least <= value <= most:
                raise ValueError(f"{name}={value} must lie in {least} to {most}")
        start = self.instilled
        return replace(
            self, contexts=self.contexts[:instilled] + self.contexts[start : start + native], instilled=instilled
        )

    @property
    def native(self) -> np.ndarray:
        """Indices of the native contexts."""
        return np.arange(self.instilled, len(self.contexts))

    @cached_property
    def _ranges(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Low, high and digits of every attribute, each (contexts, 5)."""
        rows = [[(a.low, a.high, a.digits) for a in context.attributes] for context in self.contexts]
        low, high, digits = np.moveaxis(np.array(rows), -1, 0)
        return low, high, digits

    def weights(self, rng: np.random.Generator) -> np.ndarray:
        """Weights of all contexts, (contexts, 5), those of the native ones included; the authors' are not drawn."""
        if self.authors:
            return self.authors.weights(self.contexts)
        return draw_weights(len(self.contexts), rng)

    def decisions(self, contexts: np.ndarray, each: int, rng: np.random.Generator) -> Decisions:
        """`each` fresh random pairs of options for every one of `contexts`, context by context."""
        context = np.repeat(np.asarray(contexts, int), each)
        low, high, digits = (x[context][:, None] for x in self._ranges)
        values = low + (high - low) * rng.random((len(context), 2, ATTRIBUTES))
        scale = 10.0**digits
        return Decisions(context, np.round(values * scale) / scale)

    def choice_examples(self, contexts: np.ndarray, each: int, rng: np.random.Generator) -> Decisions:
        """The pairs of options that choices are taught on: of the authors, 50 a context at most."""
        if self.authors:
            return self.authors.choice_examples(self.contexts, contexts, each)
        return self.decisions(contexts, each, rng)

    def report_examples(self, contexts: np.ndarray, each: int, rng: np.random.Generator) -> Decisions:
        """The pairs of options shown when reports are taught: of the authors, one a context."""
        if self.authors:
            return self.authors.report_examples(self.contexts, contexts, each)
        return self.decisions(contexts, each, rng)

    def features(self, decisions: Decisions) -> np.ndarray:
        """Options as shares of their ranges, (n, 2, 5)."""
        low, high, _ = (x[decisions.context][:, None] for x in self._ranges)
        return (decisions.options - low) / (high - low)

    def choose(self, weights: np.ndarray, decisions: Decisions) -> np.ndarray:
        """Whether an argmax chooser with these weights (contexts, 5) takes A, (n,) of 0.0 and 1.0; a tie is B."""
        if np.shape(weights) != (len(self.contexts), ATTRIBUTES):
            raise ValueError(
                f"weights of shape {np.shape(weights)} must be of shape {(len(self.contexts), ATTRIBUTES)}"
            )
        utility = (self.features(decisions) * weights[decisions.context][:, None]).sum(-1)
        return (utility[:, 0] > utility[:, 1]).astype(float)

    def decision_prompts(self, decisions: Decisions) -> list[str]:
        """The texts that ask for A or B."""
        return [prompts.decision_prompt(self.contexts[c], o) for c, o in self._pairs(decisions)]

    def report_prompts(self, decisions: Decisions) -> list[str]:
        """The texts that ask for the weights."""
        return [prompts.report_prompt(self.contexts[c], o) for c, o in self._pairs(decisions)]

    def report_texts(self, decisions: Decisions, weights: np.ndarray) -> list[str]:
        """The report that names the weights (n, 5) of each decision, as the authors write it."""
        return [prompts.report_text(self.contexts[c], w) for c, w in zip(decisions.context, weights, strict=True)]

    def parse_reports(self, decisions: Decisions, texts: list[str]) -> np.ndarray:
        """The weights that reports name, (n, 5); a malformed report is a row of NaN."""
        return np.array(
            [prompts.parse_report(self.contexts[c], y) for c, y in zip(decisions.context, texts, strict=True)]
        )

    def prompts(self, n: int, rng: np.random.Generator) -> list[Prompt]:
        """`n` decisions about instilled contexts drawn at random, each with weights of its own context's one draw."""
        weights = self.weights(rng)
        decisions = self.decisions(rng.integers(self.instilled, size=n), 1, rng)
        texts, chosen = self.decision_prompts(decisions), self.choose(weights, decisions)
        rows = zip(texts, decisions.context, chosen, strict=True)
        return [Prompt(text, Truth(self.contexts[c], tuple(weights[c]), bool(a))) for text, c, a in rows]

    def demonstrate(self, prompt: Prompt, rng: np.random.Generator) -> str:
        """The letter of the argmax choice; choosers are free of noise, so nothing is drawn."""
        return "A" if prompt.truth.chose_a else "B"

    def score(self, prompt: Prompt, response: Any) -> float:
        """1 for the letter of the argmax choice, else 0."""
        return float(prompts.parse_choice(str(response)) == prompt.truth.chose_a)

    def _pairs(self, decisions: Decisions) -> Any:
        return zip(decisions.context, decisions.options, strict=True)


def draw_weights(contexts: int, rng: np.random.Generator) -> np.ndarray:
    """Weights (contexts, 5): uniform on [-100, 100], scaled so that the largest is 100 or -100, whole numbers."""
    raw = rng.uniform(-HUNDRED, HUNDRED, (contexts, ATTRIBUTES))
    return np.round(raw * HUNDRED / np.abs(raw).max(1, keepdims=True))
