"""A reward model trained on comparisons by TRL's RewardTrainer: the Bradley-Terry judge that has to be learnt."""

import copy
import tempfile
from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol

import torch

from autodidact.checks import whole
from autodidact.models.sampling import refuse_nan

if TYPE_CHECKING:
    from transformers import PreTrainedModel

    from autodidact.models.policy import Policy
    from autodidact.training.preferences import Pair


class HasText(Protocol):
    """A prompt of a world."""

    text: str


class RewardModel:
    """Scores responses by a scalar head on a language model; a judge through the Bradley-Terry model."""

    def __init__(self, model: "PreTrainedModel", policy: "Policy") -> None:
        self.model = model
        self.policy = policy

    @torch.inference_mode()
    def rewards(self, prompts: Sequence[str], responses: Sequence[str], batch_size: int = 256) -> list[float]:
        """One reward a response, in nats of preference; prompts are texts. Raises ValueError where one is NaN."""
        scores: list[float] = []
        pairs = _tokens(self.policy, prompts, responses)
        for start in range(0, len(pairs), batch_size):
            batch = pairs[start : start + batch_size]
            width = max(map(len, batch))
            pad = self.policy.pad
            ids = torch.tensor([row + [pad] * (width - len(row)) for row in batch], device=self.model.device)
            mask = torch.tensor([[1] * len(row) + [0] * (width - len(row)) for row in batch], device=self.model.device)
            logits = self.model(ids, attention_mask=mask).logits[:, 0].float()
            scores += refuse_nan(logits, self.policy).tolist()
        return scores

    def utility(self, prompt: HasText, response: str) -> float:
        """The reward of one response."""
        return self.rewards([prompt.text], [response])[0]

    def probability(self, prompt: HasText, a: str, b: str) -> float:
        """P(a beats b | prompt) = sigmoid(reward a - reward b)."""
        first, second = self.rewards([prompt.text] * 2, [a, b])
        return float(torch.sigmoid(torch.tensor(first - second)))


def train_reward_model(
    policy: "Policy",
    pairs: "Sequence[Pair]",
    *,
    steps: int,
    batch_size: int = 32,
    learning_rate: float = 1e-3,
    seed: int = 0,
) -> RewardModel:
    """Fit a Bradley-Terry reward model on pairs (prompt, chosen, rejected), from the weights of `policy`.

    Raises ValueError for an empty list of pairs, `Diverged` for weights that are not finite. The policy itself stays as
    it is.
    """
    from datasets import Dataset
    from transformers.trainer_callback import PrinterCallback
    from trl import RewardConfig, RewardTrainer

    from autodidact.divergence import check_weights
    from autodidact.training.run import own_garbage, preserved_random_state, quiet

    steps, batch_size, seed = whole("steps", steps, 1), whole("batch_size", batch_size, 1), whole("seed", seed, 0)
    if not pairs:
        raise ValueError("pairs is empty: a reward model needs at least one comparison")
    rows = {
        "chosen_ids": _tokens(policy, [pair.prompt for pair in pairs], [pair.chosen for pair in pairs]),
        "rejected_ids": _tokens(policy, [pair.prompt for pair in pairs], [pair.rejected for pair in pairs]),
    }
    with own_garbage(), preserved_random_state(), quiet(), tempfile.TemporaryDirectory() as folder:
        args = RewardConfig(
            output_dir=folder,
            max_steps=steps,
            per_device_train_batch_size=batch_size,
            learning_rate=learning_rate,
            seed=seed,
            max_length=None,
            report_to="none",
            save_strategy="no",
            logging_strategy="no",
            disable_tqdm=True,
            bf16=policy.device.type == "cuda",
            use_cpu=policy.device.type == "cpu",
            gradient_checkpointing=False,
            dataloader_pin_memory=False,
        )
        model = with_scalar_head(policy, seed)
        trainer = RewardTrainer(
            model=model, args=args, train_dataset=Dataset.from_dict(rows), processing_class=policy.tokenizer
        )
        trainer.remove_callback(PrinterCallback)
        trainer.train()
    check_weights(model, steps)
    return RewardModel(model.eval(), policy)


def _tokens(policy: "Policy", prompts: Sequence[str], responses: Sequence[str]) -> list[list[int]]:
    heads, tails = policy.encode_prompts(prompts), policy.encode_responses(responses)
    return [heads[x] + tail for x, tail in zip(prompts, tails, strict=True)]


def with_scalar_head(policy: "Policy", seed: int) -> "PreTrainedModel":
    """A sequence classifier with one output on a copy of the policy's backbone."""
    from transformers import AutoModelForSequenceClassification

    config = copy.deepcopy(policy.model.config)
    config.num_labels, config.pad_token_id = 1, policy.pad
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        model = AutoModelForSequenceClassification.from_config(config)
    backbone = policy.model.base_model.state_dict()
    model.base_model.load_state_dict(backbone)
    return model.to(policy.device)
