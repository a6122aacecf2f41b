"""Our trainer with `dpo` against TRL's stock `DPOTrainer`: time of a step and peak of memory, in one run.

And our lean loop against TRL's stock trainers, on a tiny model.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from transformers import Trainer

    from autodidact.models.policy import Policy

ROOT = Path(__file__).parents[2]
# How much of each model makes a measurement: pairs a batch, tokens a response, steps a repeat, repeats.
SIZES = {
    "tiny": {"batch_size": 24, "tokens": 12, "steps": 20, "repeats": 6},
    "smollm2": {"batch_size": 2, "tokens": 12, "steps": 3, "repeats": 4},
}
WARM_UP = 1  # steps left out at the start of each repeat


def bench_lean() -> dict[str, Any]:
    """Step time of the lean loop and of TRL's stock trainers on a tiny model, in CPU seconds, and the ratios.

    Medians of interleaved repeats; preference training with `dpo`, supervised training on the chosen responses.
    """
    import torch

    torch.set_num_threads(1)
    names = [f"{which} {kind}" for kind in ("preferences", "supervised") for which in ("lean", "stock")]
    seconds: dict[str, list[float]] = {name: [] for name in names}
    with _quiet():
        for repeat in range(SIZES["tiny"]["repeats"]):
            for name in names if repeat % 2 else reversed(names):
                which, kind = name.split()
                seconds[name] += _lean_seconds(kind) if which == "lean" else _step_seconds(which, "tiny", kind)
    steps = {name.replace(" ", "_"): median(values) for name, values in seconds.items()}
    ratios = {f"{kind}_ratio": steps[f"lean_{kind}"] / steps[f"stock_{kind}"] for kind in ("preferences", "supervised")}
    return {"step_seconds": steps, **ratios}


def _lean_seconds(kind: str) -> list[float]:
    """CPU seconds of each step but the first of one training by the lean loop."""
    from autodidact.losses import dpo
    from autodidact.training import Pair, train_preferences, train_supervised

    policy, size, ticks = _policy("tiny"), SIZES["tiny"], []
    rows = _pairs(policy, size).to_list()
    how = {"steps": size["steps"] + WARM_UP, "batch_size": size["batch_size"], "learning_rate": 1e-6, "seed": 0}
    how |= {"loop": "lean", "on_step": lambda log: ticks.append(time.process_time())}
    if kind == "preferences":
        train_preferences(policy, [Pair(**row) for row in rows], loss=partial(dpo, beta=0.1), **how)
    else:
        train_supervised(policy, [(row["prompt"], row["chosen"]) for row in rows], **how)
    return [after - before for before, after in zip(ticks[WARM_UP - 1 :], ticks[WARM_UP:], strict=False)]


def bench_trainer(model: str = "smollm2") -> dict[str, Any]:
    """Step time (medians of interleaved repeats) and peak memory (a fresh process each) of both trainers.

    model: "tiny" or "smollm2". Returns both figures for "ours" and "stock", and the ratios ours / stock. Steps are
    in CPU seconds on a CPU and in wall seconds on a GPU; memory, in MB, is that of the whole process on a CPU and what
    torch allocated on a GPU. Raises ValueError for another model.
    """
    if model not in SIZES:
        raise ValueError(f"model={model!r} is unknown; known are {', '.join(SIZES)}")
    seconds: dict[str, list[float]] = {"stock": [], "ours": []}
    with _quiet():
        for repeat in range(SIZES[model]["repeats"]):
            for which in ("stock", "ours") if repeat % 2 else ("ours", "stock"):
                seconds[which] += _step_seconds(which, model)
    steps = {which: median(values) for which, values in seconds.items()}
    peaks = {which: _peak_in_fresh_process(which, model) for which in ("stock", "ours")}
    return {
        "model": model,
        "step_seconds": steps,
        "step_ratio": steps["ours"] / steps["stock"],
        "peak_mb": peaks,
        "peak_ratio": peaks["ours"] / peaks["stock"],
    }


def _step_seconds(which: str, model: str, kind: str = "preferences") -> list[float]:
    """Seconds of each step but the first of one training, loading of the batch and logging included."""
    from transformers import TrainerCallback

    class Clock(TrainerCallback):
        def __init__(self) -> None:
            self.ticks: list[float] = []

        def on_log(self, args: Any, *others: Any, **kwargs: Any) -> None:
            # CPU time leaves out what else the machine does; on a GPU the CPU waits, and only the wall clock tells.
            self.ticks.append(time.process_time() if args.device.type == "cpu" else time.perf_counter())

    clock = Clock()
    with tempfile.TemporaryDirectory() as folder:
        trainer = _trainer(which, model, kind, folder)
        trainer.add_callback(clock)
        trainer.train()
    ticks = clock.ticks[WARM_UP - 1 : -1]  # from the end of the warm-up; the last is the summary
    return [after - before for before, after in zip(ticks, ticks[1:], strict=False)]


def _trainer(which: str, model: str, kind: str, folder: str) -> "Trainer":
    from transformers.trainer_callback import PrinterCallback
    from trl import DPOConfig, DPOTrainer, SFTConfig, SFTTrainer

    from autodidact.losses import dpo
    from autodidact.training import PreferenceTrainer

    policy, size = _policy(model), SIZES[model]
    on_gpu = policy.model.device.type == "cuda"
    options = {
        "output_dir": folder,
        "max_steps": size["steps"] + WARM_UP,
        "per_device_train_batch_size": size["batch_size"],
        "learning_rate": 1e-6,
        "logging_steps": 1,
        "report_to": "none",
        "save_strategy": "no",
        "disable_tqdm": True,
        "gradient_checkpointing": False,
        "dataloader_pin_memory": on_gpu,
        "use_cpu": not on_gpu,
        "bf16": on_gpu,
    }
    data = _pairs(policy, size)
    common = {"model": policy.model, "processing_class": policy.tokenizer}
    if kind == "supervised":
        data = data.remove_columns("rejected").rename_column("chosen", "completion")
        trainer = SFTTrainer(**common, train_dataset=data, args=SFTConfig(**options))
    else:
        common |= {"train_dataset": data, "args": DPOConfig(**options, precompute_ref_log_probs=True)}
        trainer = DPOTrainer(**common) if which == "stock" else PreferenceTrainer(loss=partial(dpo, beta=0.1), **common)
    trainer.remove_callback(PrinterCallback)
    return trainer


def _pairs(policy: "Policy", size: dict[str, int]) -> Any:
    """Texts of random tokens, all of one length, so that every step weighs the same."""
    import numpy as np
    from datasets import Dataset

    rng = np.random.default_rng(0)
    words = [word for word in policy.tokenizer.get_vocab() if word.isascii() and word.isalnum()]

    def texts() -> list[str]:
        return [
            "".join(f" {word}" for word in rng.choice(words, size["tokens"])) for _ in range(2 * size["batch_size"])
        ]

    return Dataset.from_dict({name: texts() for name in ("prompt", "chosen", "rejected")})


def _policy(model: str) -> "Policy":
    """SmolLM2, or an untrained model of the size of the tiny base: weights do not change how long a step takes."""
    from transformers import LlamaConfig, LlamaForCausalLM

    from autodidact.bases import load_policy
    from autodidact.models import Policy
    from autodidact.models.tiny import tiny_tokenizer

    if model == "smollm2":
        return load_policy("smollm2")
    words = ("<pad>", "<bos>", "<eos>", "<blank>", *(f"w{i}" for i in range(126)))
    shape = {"hidden_size": 64, "intermediate_size": 128, "num_hidden_layers": 2, "num_attention_heads": 4}
    config = LlamaConfig(vocab_size=len(words), pad_token_id=0, bos_token_id=1, eos_token_id=2, **shape)
    return Policy(LlamaForCausalLM(config), tiny_tokenizer(words))


@contextmanager
def _quiet() -> Iterator[None]:
    """No bars and no notes: the table of the bench is all that is to be read."""
    import datasets
    from transformers.utils import logging

    datasets.disable_progress_bars()
    logging.set_verbosity_error()
    os.environ["TQDM_DISABLE"] = "1"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def _peak_in_fresh_process(which: str, model: str) -> float:
    command = [sys.executable, "-m", "ci.bench.training", which, model]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{' '.join(command[1:])} failed:\n{done.stderr[-2000:]}")
    return json.loads(done.stdout.splitlines()[-1])


def _peak_mb() -> float:
    """Largest memory of this process so far, in MB: what torch allocated on a GPU, resident memory on a CPU."""
    import torch

    if torch.cuda.is_available():
        return torch.cuda.max_memory_allocated() / 2**20
    status = Path("/proc/self/status")
    if status.exists():  # getrusage would count the parent's peak, which a child inherits
        return int(status.read_text().partition("VmHWM:")[2].split()[0]) / 2**10
    import resource

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (2**20 if sys.platform == "darwin" else 2**10)


if __name__ == "__main__":
    with _quiet():
        _step_seconds(*sys.argv[1:])
    print(json.dumps(_peak_mb()))
