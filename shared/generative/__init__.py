"""Generative models of points and images: flow matching, its samplers, and how good what they make is."""

from shared.generative.choice import luce_choice
from shared.generative.classifier import Classifier, train_classifier
from shared.generative.fields import MLPField, UNetField, velocity_field
from shared.generative.flow import Flow, new_flow, train_flow, transport_pairs
from shared.generative.quality import frechet_distance, precision_recall
from shared.generative.samplers import generate, integrate

__all__ = [
    "Classifier",
    "Flow",
    "MLPField",
    "UNetField",
    "frechet_distance",
    "generate",
    "integrate",
    "luce_choice",
    "new_flow",
    "precision_recall",
    "train_classifier",
    "train_flow",
    "transport_pairs",
    "velocity_field",
]
