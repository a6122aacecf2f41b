"""From paired numbers to verdicts: the three tests, and Holm's correction over the claims of one role.

Two families of hypotheses are kept apart within a role, each corrected by itself:

- *reproduced*: the p-value of every difference and equivalence claim in its expected direction. The chance of any false
  `reproduced` among the claims of a role is therefore at most 5 %, whatever their dependence;
- *contradicted*: the p-value of every difference claim in the opposite direction. Equally at most 5 %. An equivalence
  claim is contradicted by its 95 % interval alone, which lies wholly outside the margin.

Both cannot hold of one claim. Exact claims involve no chance and enter neither family.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from autodidact.claims import statistics

ALPHA = 0.05
SKEWED = 1.0  # |skewness| from which the bootstrap interval stands beside the t interval
EXPECTS = {
    "difference": ("greater", "less"),
    "equivalence": ("equal",),
    "exact": ("at_least", "at_most", "equal"),
}


@dataclass(frozen=True)
class Evidence:
    """What one claim's replicates say before the other claims of its role are looked at.

    `p` is in the expected direction, `p_opposite` in the other; `attainable` is the smallest `p` that this number of
    replicates allows (None where there is no such bound). `holds` is the outcome of an exact claim, or of the
    interval of an equivalence claim that lies outside its margin (False); None otherwise. `worst` is the index of the
    replicate on which an exact claim has least to spare, `excess` by how much it fails there (negative: it holds).
    """

    mean: float
    interval: tuple[float, float] | None = None
    bootstrap: tuple[float, float] | None = None
    p: float | None = None
    p_opposite: float | None = None
    attainable: float | None = None
    holds: bool | None = None
    worst: int | None = None
    excess: float | None = None


@dataclass(frozen=True)
class Verdict:
    """A claim's evidence, Holm-adjusted p-values and verdict, with a note where no outcome could have passed."""

    evidence: Evidence
    verdict: str
    p_holm: float | None = None
    p_opposite_holm: float | None = None
    note: str | None = None


def difference(treatment: np.ndarray, control: np.ndarray, expects: str) -> Evidence:
    """Test that treatment is `greater` or `less` than control by sign flips of (replicates,) paired differences."""
    _known("difference", expects)
    values = statistics.paired_differences(treatment, control)
    ahead, behind = (float(p) for p in statistics.sign_flip(values))
    p, opposite = (ahead, behind) if expects == "greater" else (behind, ahead)
    return Evidence(
        float(values.mean()), _interval(values), _bootstrap(values), p, opposite,
        attainable=statistics.smallest_sign_flip(len(values)),
    )  # fmt: skip


def equivalence(treatment: np.ndarray, control: np.ndarray, margin: float) -> Evidence:
    """Test that the mean paired difference lies within -margin and +margin; `holds` is False if it lies outside."""
    if not margin > 0:
        raise ValueError(f"margin={margin} of an equivalence must be greater than 0")
    values = statistics.paired_differences(treatment, control)
    if len(values) < 2:
        return Evidence(float(values.mean()))
    outside = statistics.outside(values, margin) < ALPHA / 2
    return Evidence(
        float(values.mean()), _interval(values), _bootstrap(values),
        p=float(statistics.two_one_sided(values, margin)), holds=False if outside else None,
    )  # fmt: skip


def exact(treatment: np.ndarray, control: np.ndarray, expects: str, margin: float = 0.0) -> Evidence:
    """Check treatment `at_least`, `at_most` or `equal` to control within the tolerance `margin` on every replicate."""
    _known("exact", expects)
    if not margin >= 0:
        raise ValueError(f"margin={margin} of an exact claim is its tolerance and must not be negative")
    values = statistics.paired_differences(treatment, control)
    excess = {"at_least": -values, "at_most": values, "equal": np.abs(values)}[expects] - margin
    worst = int(excess.argmax())
    return Evidence(float(values.mean()), holds=bool((excess <= 0).all()), worst=worst, excess=float(excess[worst]))


def examine(test: str, expects: str, treatment: np.ndarray, control: np.ndarray, margin: float | None) -> Evidence:
    """The evidence of one claim by the test that its paper names; ValueError for an unknown test."""
    if test == "difference":
        return difference(treatment, control, expects)
    if test == "equivalence":
        _known(test, expects)
        return equivalence(treatment, control, margin or 0.0)
    if test == "exact":
        return exact(treatment, control, expects, margin or 0.0)
    raise ValueError(f"test={test!r} is unknown; known are {', '.join(EXPECTS)}")


def judge(evidence: Sequence[Evidence], roles: Sequence[str]) -> list[Verdict]:
    """Verdicts of all claims of one notebook, Holm-adjusted within each role; in the order given."""
    verdicts: list[Verdict | None] = [None] * len(evidence)
    for role in dict.fromkeys(roles):
        members = [i for i, r in enumerate(roles) if r == role]
        for i, verdict in zip(members, _judge_role([evidence[i] for i in members]), strict=True):
            verdicts[i] = verdict
    return verdicts


def _judge_role(evidence: list[Evidence]) -> list[Verdict]:
    forward = _adjust([e.p for e in evidence], [e.worst is None for e in evidence])
    backward = _adjust([e.p_opposite for e in evidence], [e.p_opposite is not None for e in evidence])
    return [
        _verdict(e, ahead, behind, _note(evidence, i))
        for i, (e, ahead, behind) in enumerate(zip(evidence, forward, backward, strict=True))
    ]


def _adjust(p_values: list[float | None], member: list[bool]) -> list[float | None]:
    """Holm over the members of the family; None for the others and for members without a p-value (they count as 1)."""
    family = [np.nan if p is None else p for p, inside in zip(p_values, member, strict=True) if inside]
    adjusted = iter(statistics.holm(family).tolist())
    values = [next(adjusted) if inside else None for inside in member]
    return [None if p is None else value for p, value in zip(p_values, values, strict=True)]


def _verdict(evidence: Evidence, forward: float | None, backward: float | None, note: str | None) -> Verdict:
    if evidence.holds or (forward is not None and forward < ALPHA):
        return Verdict(evidence, "reproduced", forward, backward)
    if evidence.holds is False or (backward is not None and backward < ALPHA):
        return Verdict(evidence, "contradicted", forward, backward)
    return Verdict(evidence, "inconclusive", forward, backward, note)


def _note(evidence: list[Evidence], index: int) -> str | None:
    """Why a claim is inconclusive whatever its numbers: too few replicates for its place in the family."""
    one = evidence[index]
    if one.worst is None and one.p is None:
        return "one replicate: an equivalence needs two or more"
    if one.attainable is None:
        return None
    p_values = [one.attainable if i == index else e.p for i, e in enumerate(evidence)]
    best = _adjust(p_values, [e.worst is None for e in evidence])[index]
    return None if best < ALPHA else f"too few replicates: adjusted p could not fall below {best:.2g}"


def _interval(values: np.ndarray) -> tuple[float, float] | None:
    low, high = (float(x) for x in statistics.t_interval(values)[1:])
    return (low, high) if len(values) > 1 else None


def _bootstrap(values: np.ndarray) -> tuple[float, float] | None:
    """The BCa interval where the differences are skewed, from a generator fixed by their number alone."""
    if abs(statistics.skewness(values)) < SKEWED:
        return None
    return statistics.bca_interval(values, np.random.default_rng([statistics.BOOTSTRAP_SEED, len(values)]))


def _known(test: str, expects: str) -> None:
    if expects not in EXPECTS[test]:
        raise ValueError(f"expects={expects!r} does not suit test {test!r}; it takes {', '.join(EXPECTS[test])}")
