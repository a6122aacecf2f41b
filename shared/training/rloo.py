"""Reinforcement learning by leave-one-out: TRL's RLOOTrainer on our sampler, our order of prompts and our policies."""

import copy
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import torch
from datasets import Dataset
from torch import Tensor
from trl import RLOOConfig, RLOOTrainer
from trl.trainer.utils import add_fused_lm_head

from autodidact.checks import whole
from autodidact.models.policy import Policy
from autodidact.models.response import Response, vocabulary_of
from autodidact.streams import stream
from autodidact.training.by_trl import Ordered, arguments, train
from autodidact.training.run import Log, Run

if TYPE_CHECKING:
    from peft import PeftConfig

Reward = Callable[..., Sequence[float]]


def leave_one_out(rewards: Tensor) -> Tensor:
    r"""Advantages of n responses to each prompt: A_i = r_i - 1/(n-1) sum_{j != i} r_j.

    rewards: (prompts, n), n >= 2. Returns the same shape; each row sums to 0, and a constant added to a row changes
    nothing. Source: Kool et al. 2019; Ahmadian et al. 2024, arXiv 2402.14740.
    """
    if rewards.ndim != 2 or rewards.shape[1] < 2:
        raise ValueError(f"rewards of shape {tuple(rewards.shape)} must be (prompts, n) with n of at least 2")
    return rewards - (rewards.sum(1, keepdim=True) - rewards) / (rewards.shape[1] - 1)


class LeaveOneOut(Ordered, RLOOTrainer):
    """TRL's trainer; prompts are encoded and responses sampled as by our policies, and it reports nothing home."""

    policy: Policy
    rng: Any

    def _tokenize_prompts(self, prompts: list) -> tuple[list[list[int]], None, dict]:
        self._asked = prompts
        ids = self.policy.encode_prompts(prompts)
        return [ids[prompt] for prompt in prompts], None, {}

    def _generate_single_turn(self, prompt_ids: list, images: Any, multimodal_fields: dict) -> list[list[int]]:
        n = self.num_generations
        how = {"temperature": self.temperature, "max_new_tokens": self.max_completion_length}
        groups = self.policy.generate(self._asked[::n], n, rng=self.rng, **how)
        return [list(sample.ids) for group in groups for sample in group]


def train_rloo(
    policy: Policy,
    prompts: Sequence[str],
    reward: Reward,
    *,
    columns: Mapping[str, Sequence] | None = None,
    generations: int = 4,
    steps: int,
    batch_size: int,
    learning_rate: float,
    seed: int,
    beta: float = 0.05,
    epsilon: float = 0.2,
    temperature: float = 1.0,
    max_new_tokens: int = 16,
    lora: "PeftConfig | None" = None,
    on_step: Callable[[Log], None] | None = None,
    progress: bool = False,
    **options: Any,
) -> tuple[Policy, list[Log]]:
    """Maximise E[reward] - beta KL(policy || policy as it comes) with the other responses to a prompt as its baseline.

    reward: (prompts, responses, **columns) -> one finite number a response, in any unit; the prompts are texts, each
    `generations` times in a row, and responses know their tokens. columns: what else the reward is told of a prompt,
    one value each, as a reference response. batch_size: prompts a step, so that a step samples batch_size x
    generations responses and takes one update on them. beta: nats of reward a nat of the sequence's log-ratio, which is
    taken off the reward before the baseline; 0 for none. epsilon: clipping of the ratio of sequences, which does not
    act with one update a sample. options: further fields of `Run`; its gradient_accumulation counts in responses.

    Returns a trained copy and the log of every step: reward, reward_std, kl (nats a token), entropy, loss ... The same
    seed gives the same policy. Raises ValueError for a reward that is not finite or not one a response, fewer than two
    generations, hyper-parameters out of range; `Diverged`.
    Source: Ahmadian et al. 2024, arXiv 2402.14740; TRL's RLOOTrainer.
    """
    generations, batch_size = whole("generations", generations, 2), whole("batch_size", batch_size, 1)
    run = Run(steps=steps, batch_size=batch_size * generations, learning_rate=learning_rate, seed=seed, **options)
    for name, value in {"beta": beta, "epsilon": epsilon}.items():
        if not 0 <= value < math.inf:
            raise ValueError(f"{name}={value!r} must be finite and not below 0")
    if not temperature > 0:
        raise ValueError(f"temperature={temperature!r} must be greater than 0")
    if run.max_length is not None:
        raise ValueError(f"max_length={run.max_length} has no effect here; say max_new_tokens")
    columns = dict(columns or {})
    wrong = {name: len(values) for name, values in columns.items() if len(values) != len(prompts)}
    if wrong:
        raise ValueError(f"columns must have one value for each of {len(prompts)} prompts, but have {wrong}")
    dataset = Dataset.from_dict({"prompt": list(prompts), "place": list(range(len(prompts)))})
    frugal = replace(run, batch_size=batch_size, gradient_accumulation=1)

    def build(model: torch.nn.Module, folder: str, adapter: "PeftConfig | None") -> LeaveOneOut:
        speaker = Policy(model, policy.tokenizer, policy.name)
        settings = {name: value for name, value in arguments(run, model, folder).items() if name != "max_length"}
        peft = adapter is not None or hasattr(model, "peft_config")
        reference = copy.deepcopy(model) if beta > 0 and not peft else None
        trainer = LeaveOneOut(
            model=model,
            reward_funcs=_rewards(speaker, reward, columns),
            args=RLOOConfig(
                **settings,
                num_generations=generations,
                max_completion_length=max_new_tokens,
                temperature=temperature,
                epsilon=epsilon,
                beta=beta if peft else 0.0,  # TRL would load the reference from disk by the model's name
            ),
            train_dataset=dataset,
            processing_class=policy.tokenizer,
            peft_config=adapter,
        )
        if reference is not None:
            add_fused_lm_head(reference, temperature=temperature)
            trainer.ref_model, trainer.beta = reference.requires_grad_(False).eval(), beta
        speaker.model, trainer.policy, trainer.rng = trainer.model, speaker, stream(seed, "sample")
        return trainer

    repeats = run.gradient_accumulation  # TRL reads a generation batch anew for each of its parts
    order = frugal.order(len(prompts))
    batches = [order[i : i + batch_size] for i in range(0, len(order), batch_size)]
    sequence = [i for batch in batches for _ in range(repeats) for i in batch for _ in range(generations)]
    return train(policy, build, run, sequence=sequence, lora=lora, on_step=on_step, progress=progress)


def _rewards(policy: Policy, reward: Reward, columns: Mapping[str, Sequence]) -> Callable[..., list[float]]:
    """The reward in the form that TRL calls: responses with their tokens, columns by place, numbers checked."""

    def rewards(prompts: list[str], completion_ids: list[list[int]], place: list[int], **trl: Any) -> list[float]:
        ended = [bool(ids) and ids[-1] in policy.ends for ids in completion_ids]
        texts = policy.decode_all([ids[:-1] if end else ids for ids, end in zip(completion_ids, ended, strict=True)])
        vocabulary = vocabulary_of(policy.tokenizer)
        told = zip(texts, completion_ids, ended, strict=True)
        responses = [Response(text, tuple(ids), end, vocabulary) for text, ids, end in told]
        own = {name: [values[i] for i in place] for name, values in columns.items()}
        values = [float(value) for value in reward(prompts, responses, **own)]
        if len(values) != len(responses):
            raise ValueError(f"reward gave {len(values)} numbers for {len(responses)} responses")
        bad = next((i for i, value in enumerate(values) if not math.isfinite(value)), None)
        if bad is not None:
            raise ValueError(f"reward of response {responses[bad][:40]!r} is {values[bad]}; it must be a finite number")
        return values

    return rewards
