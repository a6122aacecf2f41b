"""Multi-step problems with checkable answers. So far the real ones: `GSM8K`."""

from environments.arithmetic.gsm8k import GSM8K, Problem

__all__ = ["GSM8K", "Problem"]
