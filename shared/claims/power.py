"""How many replicates would decide a claim that is open, at the effect and the spread that were seen.

One-sided t tests on normal differences, by the noncentral t distribution: a test of mean > bound at `level` with n
replicates has power 1 - F(t(1 - level, n - 1); n - 1, sqrt(n) (mean - bound) / spread). Two such tests, against both
ends of a margin, pass together with at least the sum of their powers minus 1 (Bonferroni; all but exact from 80 % on).
Sign flips, which judge a difference, have the power of the t test at the level that their steps of 2**-n allow.
"""

import math
from collections.abc import Callable

POWER = 0.8
MOST = 1_000_000  # replicates beyond which a number says no more than "never"


def power_above(n: int, gap: float, spread: float, level: float) -> float:
    """Chance that `n` replicates show a mean to be above a bound that lies `gap` below it; spread: their sd."""
    if spread <= 0:
        return float(gap > 0)
    from scipy import special

    shift, bound = math.sqrt(n) * gap / spread, special.stdtrit(n - 1, 1 - level)
    if shift > 30:  # beyond what the distribution's series can sum
        return float(special.ndtr(shift - bound))
    return float(1 - special.nctdtr(n - 1, shift, bound))


def for_difference(mean: float, spread: float, level: float) -> int | None:
    """Replicates that show the difference to be what it seems to be; None where it seems to be nothing."""
    least = max(2, math.floor(math.log2(1 / level)) + 1)
    return fewest(lambda n: power_above(n, abs(mean), spread, _attained(n, level)), least)


def _attained(n: int, level: float) -> float:
    """The largest p-value below `level` that `n` sign flips can give: a multiple of 2**-n."""
    return (math.ceil(level * 2.0**n) - 1) / 2.0**n if n <= 50 else level


def for_inside(mean: float, spread: float, low: float, high: float, level: float) -> int | None:
    """Replicates that show the mean to lie between two bounds, either of which may be infinite; None outside them."""

    def power(n: int) -> float:
        sides = [power_above(n, gap, spread, level) for gap in (mean - low, high - mean) if math.isfinite(gap)]
        return sum(sides) - len(sides) + 1

    return fewest(power, 2)


def fewest(power: Callable[[int], float], least: int) -> int | None:
    """The smallest n, from `least` to a million, whose power reaches 80 %, by doubling and halving; None if none."""
    high = least
    while power(high) < POWER:
        high *= 2
        if high > MOST:
            return None
    low = max(least - 1, high // 2)  # power(low) falls short, or low is below what is allowed
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if power(middle) >= POWER else (middle, high)
    return high
