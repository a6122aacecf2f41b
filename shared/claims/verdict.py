"""From paired numbers to verdicts: the three tests, Holm's correction over the claims of one role, gates.

Two families of hypotheses are kept apart within a role, each corrected by itself:

- *reproduced*: the p-value of every difference and equivalence claim in its expected direction. The chance of any false
  `reproduced` among the claims of a role is therefore at most 5 %, whatever their dependence;
- *contradicted*: the p-value of every difference claim in the opposite direction. Equally at most 5 %. An equivalence
  claim is contradicted by its 95 % interval alone, which lies wholly outside the margin.

Both cannot hold of one claim. Exact claims involve no chance and enter neither family. They give way to

- *untested*: the claim's gate does not hold; or nothing was significant, and with so few replicates nothing could be;
- *negligible*: the whole 95 % interval of a difference lies within the smallest effect that matters.

Whatever is left is *open*.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from autodidact.claims import power, statistics

ALPHA = 0.05
SKEWED = 1.0  # |skewness| from which the bootstrap interval stands beside the t interval
EXPECTS = {
    "difference": ("greater", "less"),
    "equivalence": ("equal", "at_least", "at_most"),
    "exact": ("at_least", "at_most", "equal"),
}


@dataclass(frozen=True)
class Evidence:
    """What one claim's replicates say before the other claims of its role are looked at.

    `p` is in the expected direction, `p_opposite` in the other; `attainable` is the smallest `p` that this number of
    replicates allows (None where there is no such bound). `holds` is the outcome of an exact claim, or of the
    interval of an equivalence claim that lies outside its margin (False); None otherwise. `worst` is the index of the
    replicate on which an exact claim has least to spare, `excess` by how much it fails there (negative: it holds).
    `spread` is the standard deviation of the differences, `inside` the bounds within which an equivalence expects them.
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
    spread: float | None = None
    inside: tuple[float, float] | None = None


@dataclass(frozen=True)
class Verdict:
    """A claim's evidence, Holm-adjusted p-values and verdict; a note says why, `decides` how many replicates would."""

    evidence: Evidence
    verdict: str
    p_holm: float | None = None
    p_opposite_holm: float | None = None
    note: str | None = None
    decides: int | None = None


def difference(treatment: np.ndarray, control: np.ndarray, expects: str) -> Evidence:
    """Test that treatment is `greater` or `less` than control by sign flips of (replicates,) paired differences."""
    _known("difference", expects)
    values = statistics.paired_differences(treatment, control)
    ahead, behind = (float(p) for p in statistics.sign_flip(values))
    p, opposite = (ahead, behind) if expects == "greater" else (behind, ahead)
    return Evidence(
        float(values.mean()), _interval(values), _bootstrap(values), p, opposite,
        attainable=statistics.smallest_sign_flip(len(values)), spread=_spread(values),
    )  # fmt: skip


def equivalence(treatment: np.ndarray, control: np.ndarray, margin: float, expects: str = "equal") -> Evidence:
    """Test that the mean paired difference lies within -margin and +margin; `holds` is False if it lies outside.

    `at_least` asks only that it lies above -margin (treatment is not worse by the margin; better is no failure),
    `at_most` that it lies below +margin.
    """
    _known("equivalence", expects)
    if not margin > 0:
        raise ValueError(f"margin={margin} of an equivalence must be greater than 0")
    values = statistics.paired_differences(treatment, control)
    inside = (-np.inf if expects == "at_most" else -margin, np.inf if expects == "at_least" else margin)
    if len(values) < 2:
        return Evidence(float(values.mean()), inside=inside)
    outside = statistics.outside(values, *inside) < ALPHA / 2
    return Evidence(
        float(values.mean()), _interval(values), _bootstrap(values),
        p=float(statistics.two_one_sided(values, *inside)), holds=False if outside else None,
        spread=_spread(values), inside=inside,
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
        return equivalence(treatment, control, margin or 0.0, expects)
    if test == "exact":
        return exact(treatment, control, expects, margin or 0.0)
    raise ValueError(f"test={test!r} is unknown; known are {', '.join(EXPECTS)}")


def judge(
    evidence: Sequence[Evidence],
    roles: Sequence[str],
    smallest: Sequence[float | None] | None = None,
    gates: Sequence[int | None] | None = None,
) -> list[Verdict]:
    """Verdicts of all claims of one notebook, Holm-adjusted within each role; in the order given.

    smallest: the smallest difference that matters, by claim. gates: the index of the claim that each needs, -1 for one
    that was not measured; a gate holds if that claim is reproduced, gates of its own included.
    """
    smallest, gates = smallest or [None] * len(evidence), gates or [None] * len(evidence)
    verdicts: list[Verdict | None] = [None] * len(evidence)
    for role in dict.fromkeys(roles):
        members = [i for i, r in enumerate(roles) if r == role]
        judged = _judge_role([evidence[i] for i in members], [smallest[i] for i in members])
        for i, verdict in zip(members, judged, strict=True):
            verdicts[i] = verdict
    return [_gated(verdicts, gates, i) for i in range(len(verdicts))]


def _gated(verdicts: Sequence[Verdict], gates: Sequence[int | None], index: int) -> Verdict:
    """A verdict, or untested where the chain of gates above it does not hold."""
    gate = gates[index]
    if gate is None or (gate >= 0 and _gated(verdicts, gates, gate).verdict == "reproduced"):
        return verdicts[index]
    return replace(verdicts[index], verdict="untested", note="its gate does not hold", decides=None)


def _judge_role(evidence: list[Evidence], smallest: list[float | None]) -> list[Verdict]:
    forward = _adjust([e.p for e in evidence], [e.worst is None for e in evidence])
    backward = _adjust([e.p_opposite for e in evidence], [e.p_opposite is not None for e in evidence])
    undecided = [sum(e.worst is None and not _significant(p) for e, p in zip(evidence, forward, strict=True))]
    undecided += [sum(p is not None and not _significant(p) for p in backward)]
    return [
        _verdict(e, forward[i], backward[i], smallest[i], _too_few(evidence, i), undecided)
        for i, e in enumerate(evidence)
    ]


def _significant(p: float | None) -> bool:
    return p is not None and p < ALPHA


def _adjust(p_values: list[float | None], member: list[bool]) -> list[float | None]:
    """Holm over the members of the family; None for the others and for members without a p-value (they count as 1)."""
    family = [np.nan if p is None else p for p, inside in zip(p_values, member, strict=True) if inside]
    adjusted = iter(statistics.holm(family).tolist())
    values = [next(adjusted) if inside else None for inside in member]
    return [None if p is None else value for p, value in zip(p_values, values, strict=True)]


def _verdict(
    evidence: Evidence,
    forward: float | None,
    backward: float | None,
    smallest: float | None,
    few: str | None,
    undecided: list[int],
) -> Verdict:
    """The table of verdicts: what is significant, what could not be known, what is too small, the rest."""
    plain = None
    if evidence.holds or _significant(forward):
        plain = "reproduced"
    elif evidence.holds is False or _significant(backward):
        plain = "contradicted"
    if plain is None and few is not None:
        return Verdict(evidence, "untested", forward, backward, few)
    if smallest is not None and evidence.interval and max(map(abs, evidence.interval)) < smallest:
        sign = f"significantly {'greater' if evidence.mean > 0 else 'less'}" if plain else None
        return Verdict(evidence, "negligible", forward, backward, sign)
    if plain is not None:
        return Verdict(evidence, plain, forward, backward)
    return Verdict(
        evidence, "open", forward, backward, decides=_decides(evidence, forward, backward, smallest, undecided)
    )


def _decides(
    evidence: Evidence, forward: float | None, backward: float | None, smallest: float | None, undecided: list[int]
) -> int | None:
    """Replicates that would decide an open claim, whichever way is shortest; None where no number would, or is known.

    The level is what Holm leaves the claim beside the others of its role that are undecided too.
    """
    if evidence.spread is None:
        return None
    ahead, behind = (ALPHA / max(1, count) for count in undecided)
    mean, spread = evidence.mean, evidence.spread
    if evidence.inside:
        low, high = evidence.inside
        ways = [power.for_inside(mean, spread, low, high, ahead)]
        ways.append(power.for_inside(mean, spread, high, np.inf, ALPHA / 2) if mean > high else None)
        ways.append(power.for_inside(mean, spread, -np.inf, low, ALPHA / 2) if mean < low else None)
    else:
        ways = [power.for_difference(mean, spread, ahead if forward < backward else behind)]
        ways.append(smallest and power.for_inside(mean, spread, -smallest, smallest, ALPHA / 2))
    return min((n for n in ways if n), default=None)


def _too_few(evidence: list[Evidence], index: int) -> str | None:
    """Why a claim is untested whatever its numbers: too few replicates for its place in the family."""
    one = evidence[index]
    if one.worst is None and one.p is None:
        return "one replicate: an equivalence needs two or more"
    if one.attainable is None:
        return None
    p_values = [one.attainable if i == index else e.p for i, e in enumerate(evidence)]
    best = _adjust(p_values, [e.worst is None for e in evidence])[index]
    return None if best < ALPHA else f"too few replicates: adjusted p could not fall below {best:.2g}"


def _spread(values: np.ndarray) -> float | None:
    return float(values.std(ddof=1)) if len(values) > 1 else None


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
