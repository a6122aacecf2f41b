"""TRL's `DPOTrainer` with the loss handed in: any function of `autodidact.losses`, and the columns that it asks for."""

import math
from collections.abc import Callable, Sequence
from typing import Any

import torch
from datasets import Dataset, IterableDataset
from torch.utils.data import DataLoader
from trl import DPOConfig, DPOTrainer

from autodidact.checks import finite
from autodidact.training.objectives import second_choices
from autodidact.training.pairs import LOGPS, extra_columns, loss_beta

TOKENS = ("prompt_ids", "chosen_ids", "rejected_ids")
TEXTS = ("prompt", "chosen", "rejected")
# What TRL's config can say about the loss, and the value that says nothing.
LOSS_ARGUMENTS = {
    "loss_type": ["sigmoid"],
    "loss_weights": None,
    "label_smoothing": 0.0,
    "use_weighting": False,
    "ld_alpha": None,
    "f_divergence_type": "reverse_kl",
}


class WithColumns:
    """A collator that lets another build the batch and adds columns of numbers to it, float32 of shape (batch,).

    Raises ValueError for a value that is no finite number: rows that are streamed are seen here for the first time.
    """

    def __init__(self, collator: Callable[[list[dict]], dict], columns: Sequence[str]) -> None:
        self.collator = collator
        self.columns = columns

    def __call__(self, examples: list[dict[str, Any]]) -> dict[str, Any]:
        """The other collator's batch and the columns."""
        for name in (n for n in LOGPS if n in examples[0]):
            _check_values(name, "a batch", [example[name] for example in examples])
        columns = {}
        for name in self.columns:
            values = [example.get(name) for example in examples]
            _check_values(name, "a batch", values)
            columns[name] = torch.tensor(values, dtype=torch.float32)
        return {**self.collator(examples), **columns}


class PreferenceTrainer(DPOTrainer):
    """`trl.DPOTrainer` that minimises `loss(chosen, rejected, ref_chosen, ref_rejected, *columns).mean()`.

    loss: a function in the form of `losses`, hyper-parameters bound by `functools.partial`. Parameters after the
    first four are columns of the data set by the same names, one number an example, handed on as float32 tensors.
    average_log_prob: the log-probabilities are means over the response tokens (nats a token) and not sums (nats a
    sequence). All else, LoRA, gradient accumulation and a precomputed reference included, is TRL's own and under its
    names, with these differences:

    - a data set may come tokenised, with the columns prompt_ids, chosen_ids, rejected_ids;
    - ref_chosen_logps and ref_rejected_logps are kept if the data set brings them (in the unit that the loss gets), and
      a precomputed reference stays in memory, not in a cache file;
    - logged `logps/*` and `rewards/*` are in the unit that the loss gets, rewards with the beta of the loss.

    Raises ValueError at construction for a column that is missing or no finite number, for arguments of TRL's config
    that would choose another loss, and for mixture-of-experts models with an auxiliary loss.
    """

    def __init__(
        self,
        model: Any,
        *,
        loss: Callable[..., torch.Tensor],
        args: DPOConfig,
        train_dataset: Dataset | IterableDataset,
        average_log_prob: bool = False,
        **trl: Any,
    ) -> None:
        self.loss = loss
        self.average_log_prob = average_log_prob
        self.columns = _columns(loss, train_dataset, trl.get("eval_dataset"))
        beta = _beta(loss, args)
        if trl.get("compute_metrics") is not None:
            raise ValueError("compute_metrics needs logits, which this trainer does not build; leave it out")
        super().__init__(model=model, args=args, train_dataset=train_dataset, **trl)
        if self.aux_loss_enabled:
            raise ValueError(f"{type(model).__name__} adds an auxiliary loss of its own; set router_aux_loss_coef=0.0")
        self.beta = beta
        self.data_collator = WithColumns(self.data_collator, self.columns)

    def _prepare_dataset(self, dataset: Any, *args: Any, **kwargs: Any) -> Any:
        if set(TOKENS) <= set(_names(dataset)):
            return dataset
        return super()._prepare_dataset(dataset, *args, **kwargs)

    def _set_signature_columns_if_needed(self) -> None:
        super()._set_signature_columns_if_needed()
        self._signature_columns += [name for name in self.columns if name not in self._signature_columns]

    def _precompute_ref_logps(self, dataset: Dataset, name: str, batch_size: int) -> Dataset:
        if set(LOGPS) <= set(_names(dataset)):
            return dataset
        if isinstance(dataset, IterableDataset):
            raise ValueError("precompute_ref_log_probs=True needs a map-style Dataset; this one is an IterableDataset")
        batches = self.accelerator.prepare(DataLoader(dataset, batch_size, collate_fn=self.data_collator))
        rows = []
        for batch in batches:
            logps = self.compute_ref_log_probs(self.ref_model or self.model, batch)
            rows.append(self.accelerator.gather_for_metrics(logps))
        for column, values in zip(LOGPS, zip(*rows, strict=True), strict=True):
            dataset = dataset.add_column(column, torch.cat(values).float().tolist())
        return dataset

    def compute_ref_log_probs(self, model: Any, inputs: dict[str, Any]) -> tuple[torch.Tensor, torch.Tensor]:
        """Log-probabilities of chosen and rejected under the reference, (batch,) each, in the unit of the loss."""
        plain = {name: value for name, value in inputs.items() if name not in self.columns}
        chosen, rejected = super().compute_ref_log_probs(model, plain)
        if self.average_log_prob:
            lengths = _lengths(inputs).chunk(2)
            return chosen / lengths[0], rejected / lengths[1]
        return chosen, rejected

    def _compute_loss(self, model: Any, inputs: dict[str, Any], return_outputs: bool) -> torch.Tensor:
        if return_outputs:
            raise ValueError("this trainer builds no logits; evaluate with prediction_loss_only=True")
        outputs = self._forward(model, inputs)
        length = inputs["completion_mask"].size(1) - 1  # prompt-learning adapters put virtual tokens in front
        logps = outputs.log_probs[:, -length:].sum(dim=1)
        chosen, rejected = (logps / _lengths(inputs) if self.average_log_prob else logps).chunk(2)
        if self.precompute_ref_logps:
            reference = tuple(inputs[name] for name in LOGPS)
        else:
            reference = self.compute_ref_log_probs(self.ref_model or self.model, inputs)
        losses = self.loss(chosen, rejected, *reference, **{name: inputs[name] for name in self.columns})
        if losses.shape != chosen.shape:
            raise ValueError(f"loss must return shape {tuple(chosen.shape)}, unreduced, not {tuple(losses.shape)}")
        with torch.no_grad():
            self._record(inputs, outputs, chosen, rejected, *reference)
        return losses.mean()

    def _forward(self, model: Any, inputs: dict[str, Any]) -> Any:
        """Per-token outputs of TRL's fused head, zero outside the responses, (2 batch, length - 1) each."""
        left_out = {"completion_mask", *LOGPS, *self.columns}
        arguments = {name: value for name, value in inputs.items() if name not in left_out}
        labels = inputs["input_ids"].masked_fill(inputs["completion_mask"] == 0, -100)
        return model(**arguments, labels=labels, use_cache=False, fused_lm_head=True)

    def _record(
        self,
        inputs: dict[str, Any],
        outputs: Any,
        chosen: torch.Tensor,
        rejected: torch.Tensor,
        ref_chosen: torch.Tensor,
        ref_rejected: torch.Tensor,
    ) -> None:
        """TRL's metrics under TRL's names, gathered over the processes in two tensors, so that a GPU waits once."""
        mode = "train" if self.model.training else "eval"
        win, lose = self.beta * (chosen - ref_chosen), self.beta * (rejected - ref_rejected)
        examples = {
            "rewards/chosen": win,
            "rewards/rejected": lose,
            "rewards/accuracies": win > lose,
            "rewards/margins": win - lose,
            "logps/chosen": chosen,
            "logps/rejected": rejected,
        }
        tokens = self._token_sums(inputs, outputs)
        means = self.accelerator.gather(torch.stack([value.float() for value in examples.values()], dim=1)).mean(dim=0)
        sums = self.accelerator.gather(tokens[None]).sum(dim=0)
        values = torch.cat([means, sums]).tolist()
        win_tokens, lose_tokens, entropy, win_logits, lose_logits, top1, all_tokens = values[len(examples) :]
        if mode == "train":
            self._total_train_tokens += int(all_tokens) // self._tp_size
        metrics = dict(zip(examples, values, strict=False))
        metrics["entropy"] = entropy / max(win_tokens + lose_tokens, 1)
        metrics["logits/chosen"] = win_logits / max(win_tokens, 1)
        metrics["logits/rejected"] = lose_logits / max(lose_tokens, 1)
        metrics["mean_token_accuracy"] = top1 / max(win_tokens, 1)
        for name, value in metrics.items():
            self._metrics[mode][name].append(value)
        self._metrics[mode]["num_tokens"] = [self._total_train_tokens]

    @staticmethod
    def _token_sums(inputs: dict[str, Any], outputs: Any) -> torch.Tensor:
        """Sums over response tokens: their number, entropy, mean logits, top-1 hits; last, all tokens of the batch."""
        win_mask, lose_mask = inputs["completion_mask"][:, 1:].chunk(2)
        length = win_mask.size(1)
        entropy, logits = outputs.entropy[:, -length:], outputs.mean_logits[:, -length:]
        hits = outputs.is_top1[:, -length:].chunk(2)[0] * win_mask
        win_logits, lose_logits = logits.chunk(2)
        sums = [win_mask, lose_mask, entropy, win_logits, lose_logits, hits, inputs["attention_mask"]]
        return torch.stack([value.sum(dtype=torch.float32) for value in sums])


class SecondChoiceTrainer(PreferenceTrainer):
    """Our trainer whose rejected log-probability is not that of y_l.

    At every token of y_l it is the log-probability of the likeliest token that is not y_l's, under the policy and under
    the reference, each by its own choice. Lowering it takes from y_l's strongest rival, and so sharpens.
    """

    def _forward(self, model: Any, inputs: dict[str, Any]) -> Any:
        left_out = {"completion_mask", *LOGPS, *self.columns}
        arguments = {name: value for name, value in inputs.items() if name not in left_out}
        answers = inputs["completion_mask"] == 1
        labels = inputs["input_ids"].masked_fill(~answers, -100)
        with torch.no_grad():
            logits = model(**arguments, use_cache=False).logits[:, :-1]
        rivals = labels.clone()
        rivals[:, 1:] = second_choices(logits, labels[:, 1:])
        rejected = torch.arange(len(labels), device=labels.device) >= len(labels) // 2  # the second half of a batch
        labels = torch.where(answers & rejected[:, None], rivals, labels)
        return model(**arguments, labels=labels, use_cache=False, fused_lm_head=True)

    def compute_ref_log_probs(self, model: Any, inputs: dict[str, Any]) -> tuple[torch.Tensor, torch.Tensor]:
        """Log-probabilities under the reference, which is the model before its first step, (batch,) each."""
        with torch.no_grad():
            outputs = self._forward(model, inputs)
        length = inputs["completion_mask"].size(1) - 1
        return outputs.log_probs[:, -length:].sum(dim=1).chunk(2)


def _names(dataset: Dataset | IterableDataset) -> list[str]:
    return dataset.column_names or list(next(iter(dataset)))


def _lengths(inputs: dict[str, Any]) -> torch.Tensor:
    """Response tokens of each sequence, chosen first, (2 batch,); at least 1."""
    return inputs["completion_mask"][:, 1:].sum(dim=1).clamp(min=1)


def _columns(loss: Callable[..., torch.Tensor], train: Any, evaluation: Any) -> list[str]:
    """The columns that the loss gets from these data sets, checked."""
    wanted = extra_columns(loss)
    columns = [name for name, required in wanted.items() if required or name in _names(train)]
    taken = set(columns) & {*TEXTS, *TOKENS, *LOGPS}
    if taken:
        raise ValueError(f"loss names the column {', '.join(sorted(taken))}, which the trainer fills itself; rename it")
    evaluations = evaluation if isinstance(evaluation, dict) else {"eval_dataset": evaluation}
    for where, dataset in {"train_dataset": train, **evaluations}.items():
        for name in columns if dataset is not None else []:
            _check_column(name, where, dataset)
    return columns


def _check_column(name: str, where: str, dataset: Dataset | IterableDataset) -> None:
    if name not in _names(dataset):
        raise ValueError(f"{where} lacks the column {name} that the loss takes; it has {', '.join(_names(dataset))}")
    _check_values(name, where, dataset[name][:] if isinstance(dataset, Dataset) else [next(iter(dataset))[name]])


def _check_values(name: str, where: str, values: list) -> None:
    try:
        usable = finite(name, values).ndim == 1
    except ValueError:
        usable = False
    if not usable:
        bad = next((v for v in values if not (isinstance(v, int | float) and math.isfinite(v))), None)
        raise ValueError(f"column {name} of {where} must hold one finite number an example, it holds {bad!r}")


def _beta(loss: Callable[..., torch.Tensor], args: DPOConfig) -> float:
    """The beta that scales logged rewards: the loss's own, TRL's default for a loss without one."""
    for name, silent in LOSS_ARGUMENTS.items():
        if getattr(args, name) != silent:
            raise ValueError(f"{name}={getattr(args, name)!r} in args has no effect here; say it in loss")
    beta = loss_beta(loss)
    if beta is None:
        return args.beta
    if args.beta not in (beta, type(args).beta):
        raise ValueError(f"beta={args.beta} in args contradicts beta={beta} of the loss; say it once")
    return beta
