"""The truth about walks through a town: what is reachable, covered, on the golden path, and in which style.

Coverage, deviation and completion read `reachable` and `trail` alone, and so serve other maps of cells too.
"""

from collections.abc import Sequence

import numpy as np

from autodidact.environments.game.towns import MOVES, WALL, WATER, Town

BUDGETS = (0.25, 0.5, 1.0)
_RIGHT = np.array([3, 2, 0, 1])  # which way is to the right of one who faces up, down, left, right


def reachable(town: Town) -> np.ndarray:
    """Cells (N, N) that can be reached from the start by the rules, that is without the planted holes."""
    return town.reachable


def coverage(visited: np.ndarray, town: Town) -> float:
    """Visited and reachable cells over reachable cells; visits elsewhere are findings and no coverage."""
    reach = reachable(town)
    return float((visited & reach).sum() / reach.sum())


def coverage_curve(positions: np.ndarray, town: Town) -> np.ndarray:
    """Coverage (T,) after each of the positions (T, 2), in their order."""
    reach, seen, curve = reachable(town), np.zeros(town.reachable.shape, bool), []
    for y, x in positions:
        seen[y, x] = reach[y, x]
        curve.append(seen[y, x])
    first = np.unique(np.ravel_multi_index(tuple(np.asarray(positions).T), reach.shape), return_index=True)[1]
    gains = np.zeros(len(positions))
    gains[first] = np.array(curve, float)[first]
    return gains.cumsum() / reach.sum()


def area_under_coverage(
    positions: np.ndarray, town: Town, budgets: Sequence[float] = BUDGETS
) -> tuple[float, np.ndarray]:
    """Mean coverage over the steps of a walk (T, 2), and the coverage at shares of its length (budgets,).

    Raises ValueError for a budget outside (0, 1].
    """
    if not all(0 < b <= 1 for b in budgets):
        raise ValueError(f"budgets={tuple(budgets)} must be shares of the walk's length, in (0, 1]")
    curve = coverage_curve(positions, town)
    return float(curve.mean()), curve[[max(0, round(b * len(curve)) - 1) for b in budgets]]


def golden_path(town: Town) -> np.ndarray:
    """Waypoints (n, 2) from start to exit, a cell each."""
    return town.trail.copy()


def deviation(positions: np.ndarray, town: Town) -> float:
    """Mean distance in cells (steps along rows and columns) of positions (T, 2) to the nearest waypoint."""
    return float(_to_waypoints(positions, town).min(1).mean())


def completion(positions: np.ndarray, town: Town, radius: int = 1) -> float:
    """Share of waypoints that were approached to `radius` cells or fewer."""
    return float((_to_waypoints(positions, town).min(0) <= radius).mean())


class Progress:
    """Waypoints that each of a batch of players approaches for the first time in an episode.

    Over an episode the counts, with what is near the start, sum to `completion` times the number of waypoints: whoever
    stands still, or goes to and fro, gets none. It reads true positions: for measuring, or for a reward that no pupil
    could have.
    """

    def __init__(self, towns: Sequence[Town], radius: int = 1) -> None:
        longest = max(len(town.trail) for town in towns)
        far = np.full((len(towns), longest, 2), np.iinfo(np.int32).max // 4)
        for row, town in zip(far, towns, strict=True):
            row[: len(town.trail)] = town.trail
        self._waypoints, self._radius = far, radius

    def begin(self, positions: np.ndarray) -> None:
        """An episode begins at positions (players, 2), which count for nothing."""
        self._approached = self._near(positions)

    def step(self, positions: np.ndarray) -> np.ndarray:
        """Waypoints (players,) newly approached at positions (players, 2)."""
        near = self._near(positions)
        new = (near & ~self._approached).sum(1)
        self._approached |= near
        return new

    def _near(self, positions: np.ndarray) -> np.ndarray:
        return np.abs(self._waypoints - np.asarray(positions)[:, None]).sum(-1) <= self._radius


def style_features(positions: np.ndarray, actions: np.ndarray, town: Town) -> dict[str, float]:
    """A second opinion on style from positions (T + 1, 2) and the actions (T,) between them.

    `golden`: share of steps that end on the trail; `wall`: share of moves after which wall or water is to the right, or
    to the right and behind, where the hand goes about a corner; `sweep`: share of moves along a row, there and back.
    """
    positions, actions = np.asarray(positions), np.asarray(actions)
    after, moved = positions[1:], (positions[1:] != positions[:-1]).any(1)
    on_trail = np.zeros(town.kind.shape, bool)
    on_trail[tuple(town.trail.T)] = True
    ways, ends = actions[moved], after[moved]
    if not len(ways):
        return {"golden": float(on_trail[tuple(after.T)].mean()), "wall": 0.0, "sweep": 0.0}
    right = ends + MOVES[_RIGHT[ways]]
    at_hand = [np.isin(town.kind[tuple(cell.T)], (WALL, WATER)) for cell in (right, right - MOVES[ways])]
    return {
        "golden": float(on_trail[tuple(after.T)].mean()),
        "wall": float((at_hand[0] | at_hand[1]).mean()),
        "sweep": float((ways >= 2).mean()),
    }


def _to_waypoints(positions: np.ndarray, town: Town) -> np.ndarray:
    return np.abs(np.asarray(positions)[:, None] - town.trail[None]).sum(-1)
