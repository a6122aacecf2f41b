"""Generative models of points and images: flow matching, its samplers, and how good what they make is."""

from autodidact.generative.choice import luce_choice
from autodidact.generative.classifier import Classifier, train_classifier
from autodidact.generative.fields import MLPField, UNetField, velocity_field
from autodidact.generative.flow import Flow, new_flow, train_flow, transport_pairs
from autodidact.generative.principal import Principal
from autodidact.generative.quality import frechet_distance, precision_recall
from autodidact.generative.samplers import generate, integrate

__all__ = [
    "Classifier",
    "Flow",
    "MLPField",
    "Principal",
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
