"""Instruments for models that learn from their own choices: losses, samplers, judges, training, claims, worlds."""

__version__ = "0.1.0"
