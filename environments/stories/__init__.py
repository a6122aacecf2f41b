"""Word problems in the form of GSM8K, generated, with a judge for every step: `arithmetic` for a pretrained model."""

from autodidact.environments.stories.world import Stories

WORLDS = {"stories": Stories}

__all__ = ["WORLDS", "Stories"]
