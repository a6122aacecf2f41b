"""Multi-step problems with checkable answers. So far the real ones: `GSM8K`."""

from environments.arithmetic.gsm8k import GSM8K, Problem

WORLDS = {"gsm8k": GSM8K}

__all__ = ["WORLDS", "GSM8K", "Problem"]
