"""LoRA adapters, for policies too large to be trained as a whole."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from peft import LoraConfig


def adapters(rank: int | None) -> "LoraConfig | None":
    """Adapters of this rank on every linear layer but the head, scaled by alpha = 2 rank; None for no rank.

    Raises ValueError for a rank below 1.
    """
    if rank is None:
        return None
    if rank < 1:
        raise ValueError(f"rank={rank} must be at least 1, or None to train all weights")
    from peft import LoraConfig

    return LoraConfig(r=rank, lora_alpha=2 * rank, target_modules="all-linear", task_type="CAUSAL_LM")
