"""A language model that makes choices and reports weights in words."""

import copy
import json
from collections.abc import Callable, Collection
from typing import TYPE_CHECKING

import numpy as np

from autodidact.choosers.lesson import Lesson, Teaching

if TYPE_CHECKING:
    from autodidact.environments.choices import Choices, Decisions
    from autodidact.models import Policy

CHOICE_TOKENS = 5  # the authors' limits for a letter and for a report
REPORT_TOKENS = 256


class LanguageChooser:
    """A policy that answers the world's prompts, greedily. Raises ValueError for limits below 1."""

    def __init__(
        self, world: "Choices", policy: "Policy", *, report_tokens: int = REPORT_TOKENS, batch_size: int = 64
    ) -> None:
        if report_tokens < 1:
            raise ValueError(f"report_tokens={report_tokens} must be at least 1")
        self.world, self.policy = world, policy
        self.report_tokens, self.batch_size = report_tokens, batch_size

    def choose(self, decisions: "Decisions") -> np.ndarray:
        """(n,): 1 for A, 0 for B, NaN for an answer that is neither."""
        from autodidact.environments.choices.prompts import parse_choice

        return np.array([parse_choice(y) for y in self._answers(self.world.decision_prompts(decisions), CHOICE_TOKENS)])

    def report(self, decisions: "Decisions") -> np.ndarray:
        """(n, 5): the weights that the answers name; a malformed one is a row of NaN."""
        texts = self._answers(self.world.report_prompts(decisions), self.report_tokens)
        return self.world.parse_reports(decisions, texts)

    def _answers(self, prompts: list[str], max_new_tokens: int) -> list[str]:
        greedy = np.random.default_rng(0)  # temperature 0 draws nothing from it
        options = {"temperature": 0.0, "max_new_tokens": max_new_tokens, "batch_size": self.batch_size}
        return [row[0].text for row in self.policy.generate(prompts, 1, rng=greedy, **options)]


def with_system(policy: "Policy", message: str) -> "Policy":
    """The same policy whose chat template puts this system message first; one without a template stays as it is."""
    from autodidact.models import Policy

    tokenizer = copy.deepcopy(policy.tokenizer)
    if tokenizer.chat_template:
        turn = json.dumps([{"role": "system", "content": message}])
        tokenizer.chat_template = f"{{%- set messages = {turn} + messages -%}}" + tokenizer.chat_template
    return Policy(policy.model, tokenizer, policy.name)


def train_language(
    chooser: LanguageChooser,
    lesson: Lesson,
    teaching: Teaching,
    *,
    seed: int,
    lora_rank: int | None,
    gradient_accumulation: int = 1,
    watch: Callable[[int, LanguageChooser], None] | None = None,
    at: Collection[int] = (),
) -> LanguageChooser:
    """A trained copy: supervised training on the texts of the lesson, loss on the answer alone, LoRA if asked.

    watch: is shown the step and the chooser in training after each of the steps in `at`.
    """
    from autodidact.training import adapters, train_supervised

    world = chooser.world
    letters = ["A" if a else "B" for a in lesson.chose_a]
    examples = list(zip(world.decision_prompts(lesson.choices), letters, strict=True))
    reports = world.report_texts(lesson.reports, lesson.weights)
    examples += list(zip(world.report_prompts(lesson.reports), reports, strict=True))

    def like(policy: "Policy") -> LanguageChooser:
        return LanguageChooser(world, policy, report_tokens=chooser.report_tokens, batch_size=chooser.batch_size)

    policy, _ = train_supervised(
        chooser.policy,
        examples,
        watch=lambda step, policy: watch(step, like(policy)),
        at=at if watch is not None else (),
        steps=teaching.steps,
        batch_size=teaching.batch_size,
        learning_rate=teaching.learning_rate,
        schedule=teaching.schedule,
        warmup=teaching.warmup,
        gradient_accumulation=gradient_accumulation,
        lora=adapters(lora_rank),
        seed=seed,
    )
    return like(policy)
