"""The verbs that every notebook on a language policy needs, with a study's parameters bound under their usual names.

What stays in the notebook: the loop, what makes pairs, the loss, the controls.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from autodidact.bases import load_policy
from autodidact.environments import load_world
from autodidact.lab.answers import Answers
from autodidact.lab.kept import Kept, key_of
from autodidact.models.response import is_whole
from autodidact.models.tiny import base_of
from autodidact.streams import stream, torch_seed
from autodidact.training import adapters, train_preferences, train_supervised, whole_pairs

if TYPE_CHECKING:
    from autodidact.claims import Study
    from autodidact.models import Policy
    from autodidact.training import Pair

SAMPLING = ("temperature", "top_p", "max_new_tokens")
RUN = ("steps", "batch_size", "learning_rate", "gradient_accumulation", "optimizer", "schedule", "warmup")


class Lab:
    """World, base, sampling, training and held-out evaluation of a study.

    Reads of the study's parameters: `world`, `model`, `base_*` (fields of `TinyBase`), `tower` (a policy that sees);
    `temperature`, `top_p`, `max_new_tokens`; `steps`, `batch_size`, `learning_rate`, `gradient_accumulation`,
    `optimizer`, `schedule`, `warmup`, `lora_rank`; `prompts`, `responses`, `rounds`; `heldout`, `eval_responses`;
    `unended`: what becomes of an answer cut at its token limit, "open" (scored and trained without an end token, the
    default), "closed" (with one that was never written) or "dropped" (scored as "open", and left out of training, with
    its pair). Those that a preset lacks are at the library's own defaults; a keyword of a verb overrules. Answers and
    trainings that two arms share (same policy, same pairs, same loss, same run) are computed once. The study's progress
    names the stage, and how many pairs or examples were left out. world: another one than the preset's.
    """

    def __init__(self, study: "Study", world: str | None = None) -> None:
        self.p = study.parameters
        self._stage = study.progress
        self.world = load_world(world or self.p.world)
        self._kept = Kept()
        self._drops = getattr(self.p, "unended", None) == "dropped"

    def base(self, s: int, model: str | None = None, **over: Any) -> "Policy":
        """The base model of a seed; model: another name than the preset's `model`; over: fields of `TinyBase`."""
        self._stage("base model")
        if hasattr(self.p, "tower"):
            from autodidact.vision import load_vision_policy, sight_of

            return load_vision_policy(model or self.p.model, self.world, seed=s, base=sight_of(vars(self.p)))
        return load_policy(model or self.p.model, self.world, seed=s, base=replace(base_of(vars(self.p)), **over))

    def sample(
        self, policy: "Policy", prompts: Sequence[Any], n: int, rng: np.random.Generator, **over: Any
    ) -> Answers:
        """n answers to every prompt, one of the world or a text; over: any of `SAMPLING`, `batch_size`."""
        inputs = list(prompts) if hasattr(self.p, "tower") else [getattr(x, "text", x) for x in prompts]
        closing = {} if self._drops else self._named(["unended"])
        options = self._named(SAMPLING) | closing | over
        return Answers(prompts, inputs, policy.generate(inputs, n, rng=rng, **options), self.world)

    def ask(self, policy: "Policy", s: int, t: int, **over: Any) -> Answers:
        """`responses` answers to each of round t's own `prompts` of the training split."""

        def draw() -> Answers:
            self._stage(f"round {t + 1}: asking")
            p = self.p
            prompts = self.world.prompts(p.prompts, stream(s, "train", t), split="train", part=t, parts=p.rounds)
            return self.sample(policy, prompts, p.responses, stream(s, "sample", t), **over)

        return self._kept.get(policy, key_of("ask", s, t, over), draw)

    def held_out(self, policy: "Policy", s: int, index: int = 0, **over: Any) -> Answers:
        """`eval_responses` answers to each of `heldout` held-out prompts; one index, one draw of answers."""

        def draw() -> Answers:
            self._stage("held-out answers")
            prompts = self.world.prompts(self.p.heldout, stream(s, "held-out"), split="held-out")
            return self.sample(policy, prompts, self.p.eval_responses, stream(s, "evaluate", index), **over)

        return self._kept.get(policy, key_of("held-out", s, index, over), draw)

    def train(
        self, policy: "Policy", pairs: "Sequence[Pair]", s: int, t: int, *, loss: Callable, **over: Any
    ) -> "Policy":
        """The policy after a round of preference training, itself where there are no pairs.

        over: any field of `Run`, `lora`, `average_log_prob`.
        """
        return self.train_logged(policy, pairs, s, t, loss=loss, **over)[0]

    def train_logged(
        self, policy: "Policy", pairs: "Sequence[Pair]", s: int, t: int, *, loss: Callable, **over: Any
    ) -> "tuple[Policy, list[Mapping[str, float]]]":
        """The same, and the log of every step."""
        pairs, cut = whole_pairs(pairs) if self._drops else (pairs, 0)
        if not pairs:
            return policy, []
        how = self.run(s, t, **over)
        key = key_of("train", [(q.prompt, q.chosen, q.rejected, q.columns) for q in pairs], loss, how)

        def fit() -> "tuple[Policy, list[Mapping[str, float]]]":
            self._stage(f"round {t + 1}: training on {len(pairs)} pairs{_left_out(cut)}")
            return train_preferences(policy, pairs, loss=loss, **how)

        return self._kept.get(policy, key, fit)

    def supervise(self, policy: "Policy", examples: Sequence[tuple[Any, str]], s: int, t: int, **over: Any) -> "Policy":
        """The policy after supervised training on (prompt, response) texts; over: any field of `Run`, `lora`."""
        kept = [(x, y) for x, y in examples if is_whole(y) or not self._drops]
        cut, examples = len(examples) - len(kept), kept
        how = self.run(s, t, **over)
        key = key_of("supervise", examples, how)

        def fit() -> "tuple[Policy, list[Mapping[str, float]]]":
            self._stage(f"round {t + 1}: training on {len(examples)} examples{_left_out(cut)}")
            return train_supervised(policy, examples, **how)

        return self._kept.get(policy, key, fit)[0]

    def run(self, s: int, t: int, **over: Any) -> dict[str, Any]:
        """What a training takes: the preset's fields of `Run`, adapters, and the seed of the order of batches."""
        own = {"lora": adapters(getattr(self.p, "lora_rank", None)), "seed": torch_seed(stream(s, "order", t))}
        return self._named(RUN) | own | over

    def show(self, s: int, n: int = 3, answers: int = 1, **policies: "Policy") -> None:
        """Print n training prompts, and answers of each policy with their gold score."""
        prompts = self.world.prompts(n, stream(s, "train"), split="train")
        drawn = {name: self.sample(policy, prompts, answers, stream(s, "sample")) for name, policy in policies.items()}
        for i, x in enumerate(prompts):
            print(x.text[:300])
            for name, some in drawn.items():
                for text, gold in zip(some.texts[i], some.gold[i], strict=True):
                    print(f"    {name}, gold {gold:.2f}  {text[:100]!r}")

    def _named(self, names: Sequence[str]) -> dict[str, Any]:
        """The preset's parameters of these names, those that it has and sets."""
        return {n: getattr(self.p, n) for n in names if getattr(self.p, n, None) is not None}


def _left_out(cut: int) -> str:
    return f", {cut} left out: cut at the token limit" if cut else ""
