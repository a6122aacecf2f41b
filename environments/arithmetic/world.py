"""The world of worked arithmetic, in which every step can be checked."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from autodidact.environments.arithmetic import demonstrator, mistakes, problems
from autodidact.environments.arithmetic.problems import SPLITS, Operation, Prompt, compute, due
from autodidact.environments.arithmetic.vocabulary import (
    FOREIGN,
    MOST_STEPS,
    VOCABULARY,
    WORDINGS,
    Script,
    cut_answer,
    in_order,
    parse,
    split_steps,
)

_STEPS: dict[str, Any] = {  # few numbers and mostly terms left out: learnt in 2,500 batches of 8
    "k_max": 4,
    "depth": (2, 4),
    "train_depth": (1, 4),
    "carry": 0.04,
    "jump": 0.04,
    "two_terms": 0.14,
    "wordings": 2,
}
PRESETS: dict[str, dict[str, Any]] = {
    "default": {},
    "steps": _STEPS,
    "steps-wide": {"digits": 3, "wordings": 2},
    "steps-narrow": {**_STEPS, "span": (20, 59)},
    "kinds": {"two_terms": 0.1},
    "tree": {"depth": (3, 6)},
    "tool": {"hard": 0.4, "carry": 0.0, "jump": 0.0, "depth": (2, 4)},
    "words": {"spaced": False, "depth": (2, 4)},
}


@dataclass(frozen=True)
class Arithmetic:
    """A number, a handful of instructions, and an answer worked out step by step.

    What a prompt asks: `Start with 6 7 . Add 1 tens . Remove the ones of step 1 .` Answer: `Step1: 6 7 + 1 tens = 7 7 .
    Step2: 7 7 - 7 ones = 7 0 . answer 7 0`; with `spaced` off both are plain English with a line a step.
    Truth (hidden): start, instructions, the value after each, and where a mistake lurks (`HAZARDS`).
    Score: 1 if the answer line gives the right number, else 0; malformed responses score 0 and never raise.
    Steps: each is judged alone, given a right prefix (`step_correct`) or the prefix's own values (`locally_correct`).
    Splits: a fifth is held out by a stable hash of start and first two instructions. Version 1.

    Knobs:
      digits: of every number, 1 to 3. k_max: largest number of units in an instruction. span: least and greatest
        value of a right answer, None for all that the digits can write; a narrow span makes step texts recur.
      depth: least and most instructions of a prompt; train_depth: those of a demonstration, the deeper the oftener.
      carry, jump, two_terms, hard: shares of instructions with a carry, with a look back, with two terms, with a
        product. In step 1, where nothing can be looked back to, the share of carries is carry + jump / 2.
      jump_form: "operand" (a digit of an older result is the term: no step is dead) or "reset" (goes on from an older
        result: steps between are dead, and wrong ones can go unpunished).
      slips: rates of calculation, substitution and omission slips in demonstrations where their hazard is present.
      wordings: how many ways of writing a step demonstrations use, 1 to 3; the last of all, the foreign one, comes in
        at `foreign_share`.
      distractors: share of prompts with a sentence with a number that nothing refers to.
      demonstrations: how many examples `corpus` holds.
      hard_direct, call_easy, call_hard, tool_noise: of products without the calculator, how often they are right; how
        often demonstrations call it; how often it errs. Without products there is no calculator.
      spaced: text for the tiny model, every digit and sign between blanks, numbers with all their places.
    Not built yet: free order of instructions, fixes, thoughts.
    """

    digits: int = 2
    k_max: int = 9
    span: tuple[int, int] | None = None
    depth: tuple[int, int] = (3, 5)
    train_depth: tuple[int, int] = (1, 5)
    carry: float = 0.08
    jump: float = 0.1
    two_terms: float = 0.0
    hard: float = 0.0
    jump_form: str = "operand"
    slips: tuple[float, float, float] = (0.6, 0.6, 0.6)
    wordings: int = 1
    foreign_share: float = 0.02
    distractors: float = 0.0
    demonstrations: int = 16000
    hard_direct: float = 0.2
    call_easy: float = 0.5
    call_hard: float = 0.5
    tool_noise: float = 0.0
    spaced: bool = True
    version: str = "1"

    def __post_init__(self) -> None:
        _whole("digits", self.digits, 1, 3)
        _whole("k_max", self.k_max, 2, 9)
        _whole("wordings", self.wordings, 1, WORDINGS - 1)
        for name in ("depth", "train_depth"):
            low, high = getattr(self, name)
            if not 1 <= low <= high <= MOST_STEPS:
                raise ValueError(f"{name}={(low, high)} must be least and most within 1..{MOST_STEPS}")
        for name in ("foreign_share", "distractors", "hard_direct", "call_easy", "call_hard", "tool_noise"):
            _share(name, getattr(self, name))
        shares = [_share(name, getattr(self, name)) for name in ("carry", "jump", "two_terms", "hard")]
        if sum(shares) > 1:
            raise ValueError(f"carry, jump, two_terms and hard are shares of one whole, their sum {sum(shares)} is not")
        if self.digits == 1 and (self.carry or self.two_terms or self.jump):
            raise ValueError("digits=1 has no place to carry to; set carry, jump and two_terms to 0")
        if self.span is not None and not 0 <= self.span[0] < self.span[1] < 10**self.digits:
            raise ValueError(f"span={self.span} must be least and greatest value within 0..{10**self.digits - 1}")
        if self.jump_form not in ("operand", "reset"):
            raise ValueError(f"jump_form={self.jump_form!r} must be 'operand' or 'reset'")
        for rate in self.slips:
            _share("slips", rate)

    @classmethod
    def preset(cls, name: str, **knobs: Any) -> "Arithmetic":
        """A named row of knobs, with further knobs on top. ValueError for an unknown name."""
        if name not in PRESETS:
            raise ValueError(f"preset={name!r} is unknown; known are {', '.join(PRESETS)}")
        return replace(cls(**PRESETS[name]), **knobs)

    @property
    def vocabulary(self) -> tuple[str, ...]:
        """All tokens of the spaced form, the special ones first."""
        return VOCABULARY

    @property
    def bounds(self) -> tuple[int, int]:
        """Least and greatest value of a right answer's steps."""
        return self.span or (0, 10**self.digits - 1)

    @property
    def script(self) -> Script:
        """How this world writes."""
        return Script(self.spaced, self.digits)

    def prompts(
        self, n: int, rng: np.random.Generator, split: str = "train", depth: tuple[int, int] | None = None
    ) -> list[Prompt]:
        """`n` problems with different truths, depths uniform between least and most (None: the world's own).

        Raises ValueError for an unknown split, for a depth outside 1..8, and where there are not as many problems.
        """
        if split not in SPLITS:
            raise ValueError(f"split={split!r} is unknown; known are {', '.join(SPLITS)}")
        world = self if depth is None else replace(self, depth=depth)
        found: dict[str, Prompt] = {}
        for _ in range(60 * n + 600):
            if len(found) == n:
                break
            truth = problems.draw(int(rng.integers(world.depth[0], world.depth[1] + 1)), self, rng)
            if problems.is_heldout(truth) == (split == "held-out"):
                found.setdefault(repr((truth.start, truth.instructions)), self._say(truth, rng))
        if len(found) < n:
            raise ValueError(f"n={n} problems of depth={world.depth} were asked for; only {len(found)} were found")
        return list(found.values())

    def _say(self, truth: problems.Truth, rng: np.random.Generator) -> Prompt:
        note = None
        if self.distractors and rng.random() < self.distractors:
            note = int(rng.integers(1, len(truth.instructions) + 1)), int(rng.integers(10**self.digits))
        return Prompt(self.script.problem(truth, note), truth)

    def demonstrate(self, prompt: Prompt, rng: np.random.Generator, clean: bool = False) -> str:
        """A worked answer with slips at the world's rates; `clean`: without."""
        return demonstrator.demonstrate(prompt.truth, self, rng, clean)

    def corpus(self, rng: np.random.Generator) -> list[tuple[str, str]]:
        """`demonstrations` x (problem, worked answer) of the training split, shallow problems first.

        Depths begin at the least of `train_depth` and reach all of it after half of the texts.
        """
        low, high = self.train_depth
        texts: list[tuple[str, str]] = []
        while len(texts) < self.demonstrations:
            reached = low + (high - low) * min(1.0, 2 * len(texts) / self.demonstrations)
            most = max(low, round(reached))
            depth = round(low + (most - low) * np.sqrt(rng.random()))  # the deeper the oftener
            truth = problems.draw(depth, self, rng)
            if not problems.is_heldout(truth):
                prompt = self._say(truth, rng)
                texts.append((prompt.text, self.demonstrate(prompt, rng)))
        return texts

    def drill(self, n_steps: int, rng: np.random.Generator) -> tuple[str, list[bool]]:
        """Worked steps without a problem, and for each word whether it counts in the loss (the results do)."""
        return demonstrator.drill(n_steps, self, rng)

    def steps(self, response: str) -> list[str]:
        """The steps without their headers; the last one keeps its answer line. Never raises."""
        return split_steps(response)

    def join(self, steps: Sequence[str], k: int | None = None) -> str:
        """The text of the steps; with `k`, of those before step k, and the bare header of step k."""
        return self.script.join(steps, k)

    def continue_from(self, prompt: Prompt, k: int) -> str:
        """A right prefix in the first wording that ends with the header of step k."""
        truth = prompt.truth
        if not 1 <= k <= len(truth.instructions):
            raise ValueError(f"k={k} must be a step of the problem, 1..{len(truth.instructions)}")
        return self.join([self.right_step(prompt, i) for i in range(1, k)], k)

    def right_step(self, prompt: Prompt, k: int, wording: int = 0) -> str:
        """The right step k in one of the wordings; the last step ends with the answer line."""
        truth = prompt.truth
        step = self.script.step(
            due(truth.instructions[k - 1], truth.start, truth.values[: k - 1], self.digits), wording
        )
        return f"{step} {self.script.answer(truth.answer)}" if k == len(truth.instructions) else step

    def reword(self, step: str, wording: int = FOREIGN) -> str:
        """The same step in another wording, its answer line kept; the foreign one by default.

        Raises ValueError for text that is no step.
        """
        text, answer = cut_answer(step)
        parsed = parse(text)
        if parsed is None:
            raise ValueError(f"step={step!r} is no step that this world can read")
        said = self.script.step(parsed.operation, wording)
        return said if answer is None else f"{said} {self.script.answer(answer)}"

    def wording(self, step: str) -> int | None:
        """Which of the wordings a step has, None for what is no step."""
        parsed = parse(cut_answer(step)[0])
        return None if parsed is None else parsed.wording

    def step_correct(self, prompt: Prompt, prefix: Sequence[str], step: str) -> bool:
        """Whether `step` is right after a right prefix (only the number of its steps counts)."""
        k = len(prefix) + 1
        return mistakes.judge_step(prompt.truth, k, prompt.truth.values[: k - 1], step, self.digits) is None

    def locally_correct(self, prompt: Prompt, prefix: Sequence[str], step: str) -> bool:
        """Whether `step` is right given the prefix as it stands, wrong values included."""
        values = mistakes.results(prefix)
        if values is None:
            return False
        return mistakes.judge_step(prompt.truth, len(prefix) + 1, values, step, self.digits) is None

    def first_error(self, prompt: Prompt, response: str) -> tuple[int, str] | None:
        """(step, kind) of the first mistake, None if there is none; kinds are `KINDS`. See `mistakes.first_error`."""
        return mistakes.first_error(prompt.truth, response, self.digits)

    def locate(self, prompt: Prompt, response: str, rng: np.random.Generator, p: float = 0.0) -> int | None:
        """The step of the first mistake by a judge that with probability `p` points at a neighbouring step instead.

        Of two neighbours either is as likely; an answer of one step has none. None for an answer without mistake, and
        for one whose mistake is a step that is not in the text.
        """
        _share("p", p)
        error, count = self.first_error(prompt, response), len(self.steps(response))
        if error is None or error[0] > count:
            return None
        neighbours = [k for k in (error[0] - 1, error[0] + 1) if 1 <= k <= count]
        off = rng.random() < p
        return int(rng.choice(neighbours)) if off and neighbours else error[0]

    def process_reward(
        self, prompt: Prompt, prefix: Sequence[str], step: str, rng: np.random.Generator, flip: float = 0.0
    ) -> float:
        """1 for a locally correct step, 0 for another, the other way round with probability `flip`."""
        right = self.locally_correct(prompt, prefix, step)
        return float(right != (rng.random() < _share("flip", flip)))

    def score(self, prompt: Prompt, response: str) -> float:
        """1 if the final answer is right, else 0."""
        steps = self.steps(response)
        return float(bool(steps) and cut_answer(steps[-1])[1] == prompt.truth.answer)

    def all_steps_right(self, prompt: Prompt, response: str) -> bool:
        """Whether nothing is wrong anywhere."""
        return self.first_error(prompt, response) is None

    def lucky(self, prompt: Prompt, response: str) -> bool:
        """Whether the final answer is right though a step is wrong."""
        return self.score(prompt, response) == 1 and not self.all_steps_right(prompt, response)

    def well_formed(self, prompt: Prompt, response: str) -> bool:
        """Whether every header is in order, every instruction has a step that can be read, and an answer ends it."""
        steps = self.steps(response)
        return (
            in_order(response)
            and len(steps) == len(prompt.truth.instructions)
            and mistakes.results(steps) is not None
            and [cut_answer(step)[1] is not None for step in steps] == [False] * (len(steps) - 1) + [True]
        )

    def corrupt(
        self, prompt: Prompt, rng: np.random.Generator, k: int, kind: str, how: str = "rule", answer: bool = True
    ) -> str:
        """A worked answer whose first mistake is of this kind at step k, and that goes on correctly from there.

        how: "rule", the mistake that demonstrations make, or "uniform", any of this kind that the world can write.
        answer: with the answer line (without: an artefact that some methods leave). Raises ValueError for a kind that
        step k cannot have, such as a skipped last step's.
        """
        if kind not in mistakes.KINDS[:3] or how not in ("rule", "uniform"):
            raise ValueError(f"kind={kind!r} must be one of {mistakes.KINDS[:3]}, how={how!r} 'rule' or 'uniform'")
        truth, depth = prompt.truth, len(prompt.truth.instructions)
        if not 1 <= k <= depth:
            raise ValueError(f"k={k} must be a step of the problem, 1..{depth}")
        done = [due(i, truth.start, truth.values[:j], self.digits) for j, i in enumerate(truth.instructions[: k - 1])]
        options = self._wrong(prompt, k, kind, how)
        if not options:
            raise ValueError(f"kind={kind!r}: step {k} of this problem has no such mistake")
        done.append(mistakes.pick(options, how, rng))
        for instruction in truth.instructions[k:]:
            done.append(due(instruction, truth.start, tuple(o.result for o in done), self.digits))
        steps = [self.script.step(operation) for operation in done]
        return self.script.whole(steps, done[-1].result) if answer else self.join(steps)

    def _wrong(self, prompt: Prompt, k: int, kind: str, how: str) -> list[Operation]:
        truth, values = prompt.truth, prompt.truth.values[: k - 1]
        instruction = truth.instructions[k - 1]
        right = due(instruction, truth.start, values, self.digits)
        if kind == "calculation":
            near = mistakes.wrong_results(right, self.digits)
            every = [c for c in range(10**self.digits) if c != right.result]
            options = [replace(right, result=c) for c in (near if how == "rule" else every)]
        elif kind == "substitution":
            options = mistakes.wrong_operands(instruction, truth.start, values, self.digits)
            if how == "uniform" and instruction.sign and len(right.terms) == 1:
                place = len(str(right.terms[0])) - 1
                terms = [(j * 10**place,) for j in range(1, 10)]
                wrong = [
                    Operation(right.source, right.sign, t, compute(right.source, right.sign, t, self.digits))
                    for t in terms
                ]
                options = list(dict.fromkeys(options + wrong))
        else:
            options = mistakes.shortened(right, self.digits)
            if k < len(truth.instructions):
                following = truth.instructions[k]
                if following.look is None or following.look[0] < k:
                    options = [*options, due(following, truth.start, values, self.digits)]
        judged = [(o, mistakes.judge_step(truth, k, values, self.script.step(o), self.digits)) for o in options]
        return [o for o, found in judged if found == kind]

    def editable_positions(self, step: str, kind: str) -> tuple[int, int]:
        """(first, last + 1) of the words of a spaced step that an edit of this kind changes.

        The result for a calculation, the term for a substitution, all terms for an omission. Raises ValueError for a
        step that is not in the first wording.
        """
        words = step.split()
        if self.wording(step) != 0 or "=" not in words:
            raise ValueError(f"step={step!r} must be a spaced step in the first wording")
        operator = next(i for i, word in enumerate(words) if word in "+-*")
        equals, stop = words.index("="), words.index(".")
        spans = {
            "calculation": (equals + 1, stop),
            "substitution": (operator + 1, min(operator + 3, equals)),
            "omission": (operator + 1, equals),
        }
        if kind not in spans:
            raise ValueError(f"kind={kind!r} must be one of {', '.join(spans)}")
        return spans[kind]

    def needs_tool(self, prompt: Prompt, k: int) -> bool:
        """Whether step k is one that demonstrations without a call get wrong: a product."""
        return prompt.truth.instructions[k - 1].sign == 0


def recurrence(train: Sequence[str], heldout: Sequence[str]) -> float:
    """The share of held-out step texts that are seen among those of training, in [0, 1]; blanks do not count.

    Raises ValueError where there is no held-out step.
    """
    if not heldout:
        raise ValueError("heldout is empty: the share of no steps is undefined")
    seen = {"".join(step.split()) for step in train}
    return sum("".join(step.split()) in seen for step in heldout) / len(heldout)


def call_rates(world: Arithmetic, prompts: Sequence[Prompt], called: Sequence[Sequence[int]]) -> tuple[float, float]:
    """(over, under): the share of easy steps with a call, and of hard steps without one; nan where there are none.

    called: for every prompt the steps that call the calculator, as `calculator.calls` finds them.
    """
    over, under = [], []
    for prompt, steps in zip(prompts, called, strict=True):
        for k in range(1, len(prompt.truth.instructions) + 1):
            (under if world.needs_tool(prompt, k) else over).append((k in steps) != world.needs_tool(prompt, k))
    return tuple(float(np.mean(x)) if x else float("nan") for x in (over, under))


def _share(name: str, value: float) -> float:
    if not 0 <= value <= 1:
        raise ValueError(f"{name}={value} must lie in [0, 1]")
    return value


def _whole(name: str, value: int, low: int, high: int) -> None:
    if not isinstance(value, int) or not low <= value <= high:
        raise ValueError(f"{name}={value!r} must be a whole number in {low}..{high}")
