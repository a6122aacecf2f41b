"""Losses as pure functions of log-probabilities: no model inside, no state, one loss an example, never reduced."""

from autodidact.losses.consistency import cream
from autodidact.losses.degree import degree
from autodidact.losses.exploration import selm
from autodidact.losses.gap import pit_gap
from autodidact.losses.image_comprehension import stic
from autodidact.losses.momentum import apo
from autodidact.losses.nash import dno, dno_exact
from autodidact.losses.preference import dpo, hinge, ipo, spin, sppo, sppo_linearised
from autodidact.losses.regression import irepo
from autodidact.losses.revision import srpo
from autodidact.losses.shapes import positive, same_shape
from autodidact.losses.soft import osp
from autodidact.losses.token_level import contrastive_rewards, t_reg

__all__ = [
    "apo",
    "contrastive_rewards",
    "cream",
    "degree",
    "dno",
    "dno_exact",
    "dpo",
    "hinge",
    "ipo",
    "irepo",
    "osp",
    "pit_gap",
    "positive",
    "same_shape",
    "selm",
    "spin",
    "sppo",
    "sppo_linearised",
    "srpo",
    "stic",
    "t_reg",
]
