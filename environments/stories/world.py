"""Short stories about getting and giving away things, as sums of a few steps."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from autodidact.environments.arithmetic.problems import (
    SPLITS,
    Instruction,
    Operation,
    Prompt,
    Truth,
    carries,
    due,
    is_heldout,
)
from autodidact.environments.arithmetic.vocabulary import MOST_STEPS, Script
from autodidact.environments.arithmetic.world import Arithmetic

_FIRST: dict[str, Any] = {"span": (1, 9), "depth": (2, 2), "examples": 3}  # for models of some hundred million weights
PRESETS: dict[str, dict[str, Any]] = {
    "default": {},
    "narrow": {"span": (2, 20)},
    "first": _FIRST,
    "first-narrow": {**_FIRST, "span": (1, 6)},
}
NAMES = ("Ann", "Ben", "Clara", "David", "Emma", "Farid", "Grace", "Hugo")
THINGS = ("apples", "books", "coins", "marbles", "pencils", "shells", "stamps", "stickers")
GETS = ("gets {} more", "buys {} more", "finds {} more", "is given {} more")
GIVES = ("gives away {}", "loses {}", "sells {}", "lends {} to a friend")
ASK = "Work the problem out step by step, one line a step, as in "
EXAMPLES = (
    "Problem: Tom has 12 cards. Then Tom gets 30 more. Then Tom loses 5. How many cards does Tom have now?\n"
    "Step 1: 12 + 30 = 42.\nStep 2: 42 - 5 = 37. The answer is 37.\n",
    "Problem: Mia has 8 balls. Then Mia loses 3. Then Mia buys 2 more. How many balls does Mia have now?\n"
    "Step 1: 8 - 3 = 5.\nStep 2: 5 + 2 = 7. The answer is 7.\n",
    "Problem: Leo has 3 cups. Then Leo finds 6 more. Then Leo sells 4. How many cups does Leo have now?\n"
    "Step 1: 3 + 6 = 9.\nStep 2: 9 - 4 = 5. The answer is 5.\n",
)


@dataclass(frozen=True)
class StoryScript(Script):
    """Plain English: amounts are numbers without units."""

    def amount(self, amount: int) -> str:
        """`30`."""
        return str(amount)


@dataclass(frozen=True)
class Stories(Arithmetic):
    """A few things, gained and lost, and how many there are in the end.

    What a prompt asks: an example, then `Ann has 14 shells. Then Ann finds 9 more. How many shells does Ann have now?`
    Answer: `Step 1: 14 + 9 = 23.` and so on, a line a step, the last one with `The answer is 23.` All else is as in
    `Arithmetic`: truth, steps, kinds of mistakes, splits. Version 1.

    span: least and greatest number of things at any time; amounts are 2 and more. examples: how many worked ones come
    before the problem, 1 to 3. The knobs on hazards and slips have
    no meaning here: mistakes are the model's own.
    """

    digits: int = 3
    span: tuple[int, int] | None = (2, 99)
    depth: tuple[int, int] = (2, 4)
    spaced: bool = False
    foreign_share: float = 0.0
    examples: int = 1

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 1 <= self.examples <= len(EXAMPLES):
            raise ValueError(f"examples={self.examples} must be 1 to {len(EXAMPLES)}")

    @classmethod
    def preset(cls, name: str, **knobs: Any) -> "Stories":
        """A named row of knobs, with further knobs on top. ValueError for an unknown name.

        `default` (numbers to 99), `narrow` (to 20), `first` (to 9, two steps, three examples), `first-narrow` (to 6).
        """
        if name not in PRESETS:
            raise ValueError(f"preset={name!r} is unknown; known are {', '.join(PRESETS)}")
        return replace(cls(**PRESETS[name]), **knobs)

    @property
    def script(self) -> StoryScript:
        """How this world writes."""
        return StoryScript(spaced=False, digits=self.digits)

    def prompts(
        self, n: int, rng: np.random.Generator, split: str = "train", depth: tuple[int, int] | None = None
    ) -> list[Prompt]:
        """`n` problems with different truths, depths uniform between least and most (None: the world's own).

        Raises ValueError for an unknown split, for a depth outside 1..8, and where there are not as many problems.
        """
        if split not in SPLITS:
            raise ValueError(f"split={split!r} is unknown; known are {', '.join(SPLITS)}")
        least, most = depth or self.depth
        if not 1 <= least <= most <= MOST_STEPS:
            raise ValueError(f"depth={(least, most)} must be least and most within 1..{MOST_STEPS}")
        found: dict[str, Prompt] = {}
        for _ in range(60 * n + 600):
            if len(found) == n:
                break
            truth = self._draw(int(rng.integers(least, most + 1)), rng)
            if is_heldout(truth) == (split == "held-out"):
                found.setdefault(repr((truth.start, truth.instructions)), Prompt(self._tell(truth, rng), truth))
        if len(found) < n:
            raise ValueError(f"n={n} problems were asked for; only {len(found)} were found")
        return list(found.values())

    def _draw(self, depth: int, rng: np.random.Generator) -> Truth:
        low, high = self.bounds
        start = int(rng.integers(low, high + 1))
        values: list[int] = []
        instructions = []
        for _ in range(depth):
            value = values[-1] if values else start
            up = high - value >= 2 and (value - low < 2 or rng.random() < 0.5)
            amount = int(rng.integers(2, (high - value if up else value - low) + 1))
            instructions.append(Instruction(1 if up else -1, ((amount, 0),)))
            values.append(value + amount if up else value - amount)
        pairs = zip(instructions, [start, *values], strict=False)
        done = [due(i, value, (), self.digits) for i, value in pairs]
        hazards = tuple("carry" if _carries(operation) else "plain" for operation in done)
        return Truth(start, tuple(instructions), tuple(values), hazards)

    def _tell(self, truth: Truth, rng: np.random.Generator) -> str:
        name, thing = NAMES[int(rng.integers(len(NAMES)))], THINGS[int(rng.integers(len(THINGS)))]
        sentences = [f"{name} has {truth.start} {thing}."]
        for i in truth.instructions:
            does = (GETS if i.sign > 0 else GIVES)[int(rng.integers(4))]
            sentences.append(f"Then {name} {does.format(i.terms[0][0])}.")
        shown = (
            f"{ASK}{'this example' if self.examples == 1 else 'these examples'}.\n{''.join(EXAMPLES[: self.examples])}"
        )
        return f"{shown}Problem: {' '.join(sentences)} How many {thing} does {name} have now?"


def _carries(operation: Operation) -> bool:
    """Whether the ones overflow or underflow."""
    ones = Operation(operation.source % 10, operation.sign, (operation.terms[0] % 10,), 0)
    return carries(ones)
