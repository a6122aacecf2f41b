"""Scripted players: three styles of walking a town, and the inspection of a crate. They know the map; pupils do not."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from autodidact.environments.game.play import ALL_SIDES, INTERACT, State, VectorGame
from autodidact.environments.game.render import REACH
from autodidact.environments.game.towns import MOVES, OPPOSITE, WALL, WATER, Knobs, Town, distances, town

Cell = tuple[int, int]
STYLES = ("golden", "wall", "sweep")
INSPECTION_STEPS = 40
_RIGHT = np.array([3, 2, 0, 1])
_CLOCKWISE = (0, 3, 1, 2)  # sides of a crate: up, right, down, left
_STEPS = {tuple(move): way for way, move in enumerate(MOVES.tolist())}
_LONGEST = 5000  # steps after which a script without `steps` is given up


@dataclass(frozen=True)
class Demonstration:
    """A walk: windows (T + 1, ...) uint8, the actions (T,) between them, positions (T + 1, 2) for measuring only."""

    obs: np.ndarray
    actions: np.ndarray
    positions: np.ndarray


def demonstrate(
    map_seed: int,
    style: str,
    rng: np.random.Generator,
    *,
    noise: float = 0.03,
    steps: int | None = None,
    **knobs: Any,
) -> Demonstration:
    """A walk in a style: `golden` (the trail to the exit), `wall` (right hand on the wall), `sweep` (row by row).

    A share `noise` of the steps is random. It ends when the script is done (`wall` never is: the horizon ends it), or
    after `steps`. Raises ValueError for an unknown style and a noise outside [0, 1).
    """
    if style not in STYLES:
        raise ValueError(f"style={style!r} is unknown; known are {', '.join(STYLES)}")
    if not 0 <= noise < 1:
        raise ValueError(f"noise={noise!r} must be in [0, 1)")
    game = VectorGame([map_seed], Knobs(**knobs))
    script = {"golden": _golden, "wall": _wall, "sweep": _sweep}[style]
    limit = steps or (game.knobs.horizon if style == "wall" else _LONGEST)
    obs, _ = game.reset(rng)
    return _play(game, obs[0], script(game), limit, lambda a: int(rng.integers(4)) if rng.random() < noise else a)


def inspection(map_seed: int, rng: np.random.Generator, **knobs: Any) -> Demonstration:
    """A crate's inspection: approach, touch it from each of its four sides, clockwise, without errors."""
    game = VectorGame([map_seed], Knobs(**knobs))
    state, crate = _task(map_seed, rng, game.knobs)
    game.set_state(state)
    return _play(game, game.render()[0], _inspect(game, crate), INSPECTION_STEPS, lambda a: a)


def inspection_task(map_seed: int, rng: np.random.Generator, **knobs: Any) -> State:
    """A state from which to inspect: a crate without a bug is in view, 3 to 6 steps away. See `inspected`."""
    return _task(map_seed, rng, Knobs(**knobs))[0]


def inspection_tasks(map_seeds: Sequence[int], rng: np.random.Generator, **knobs: Any) -> VectorGame:
    """One task a map, as a vector environment in that state."""
    game = VectorGame(map_seeds, Knobs(**knobs))
    states = [_task(s, rng, game.knobs)[0] for s in map_seeds]
    for name in ("position", "facing"):
        setattr(game.state, name, np.concatenate([getattr(state, name) for state in states]))
    game.state.visited[:] = np.concatenate([state.visited for state in states])
    return game


def inspected(state: State) -> np.ndarray:
    """Whether (B,) some crate has been touched from all four sides."""
    return (state.touched == ALL_SIDES).any(1)


def _play(
    game: VectorGame, first: np.ndarray, script: Iterator[int], limit: int, disturb: Callable[[int], int]
) -> Demonstration:
    obs, actions, positions = [first], [], [game.state.position[0].copy()]
    for action in script:
        chosen = INTERACT if game.state.stuck[0] else disturb(action)
        obs.append(game.step(np.array([chosen]))[0][0])
        actions.append(chosen)
        positions.append(game.state.position[0].copy())
        if len(actions) >= limit:
            break
    return Demonstration(np.array(obs), np.array(actions, dtype=np.int64), np.array(positions))


def _here(game: VectorGame) -> Cell:
    return tuple(map(int, game.state.position[0]))


def _toward(walkable: np.ndarray, here: Cell, target: Cell, known: dict[Cell, np.ndarray]) -> int:
    """The move of a shortest way; distances to a target are computed once, and not for one a step away."""
    step = target[0] - here[0], target[1] - here[1]
    if step in _STEPS:
        return _STEPS[step]
    if target not in known:
        known[target] = distances(walkable, target)
    steps = known[target]
    ahead = np.array(here) + MOVES
    away = np.where(walkable[tuple(ahead.T)], steps[tuple(ahead.T)], -1)
    away = np.where(away < 0, np.iinfo(int).max, away)
    return int(away.argmin())


def _through(game: VectorGame, targets: list[Cell]) -> Iterator[int]:
    """Walk to each target in turn, whatever disturbs on the way; from behind a hole, first back through it."""
    walkable, known = game.towns[0].walkable.copy(), {}
    for bug in game.towns[0].bugs:
        if bug.kind == "hole":
            walkable[bug.place] = True
    for target in targets:
        while _here(game) != target:
            yield _toward(walkable, _here(game), target, known)


def _golden(game: VectorGame) -> Iterator[int]:
    return _through(game, [tuple(map(int, cell)) for cell in game.towns[0].trail])


def _sweep(game: VectorGame) -> Iterator[int]:
    """The rows of each room in turn, there and back again, the nearest room first."""
    place: Town = game.towns[0]
    here, left, targets = place.start, set(range(place.knobs.rooms)), []
    while left:
        steps = distances(place.walkable, here)
        free = {r: np.argwhere((place.room == r) & place.walkable & (steps >= 0)) for r in left}
        room = min(left, key=lambda r, s=steps, f=free: min((s[tuple(c)] for c in f[r]), default=0))
        left.remove(room)
        for number, row in enumerate(np.unique(free[room][:, 0])):
            cells = free[room][free[room][:, 0] == row]
            targets += [tuple(map(int, cell)) for cell in (cells if number % 2 == 0 else cells[::-1])]
        here = targets[-1] if targets else here
    return _through(game, targets)


def _wall(game: VectorGame) -> Iterator[int]:
    """Right hand on the wall (water counts as one, things do not); who has lost it goes straight on to the next."""
    place = game.towns[0]
    hold, free = np.isin(place.kind, (WALL, WATER)), place.walkable
    while True:
        here, facing = game.state.position[0], int(game.state.facing[0])
        right, left, back = int(_RIGHT[facing]), int(OPPOSITE[_RIGHT[facing]]), int(OPPOSITE[facing])
        opens = hold[tuple(here + MOVES[right] - MOVES[facing])]  # the hand has just come to a corner or a door
        along = [way for way in range(4) if hold[tuple(here + MOVES[_RIGHT[way]])]]
        order = [right] * bool(opens) + [facing] * (facing in along) + along + [facing, left, right, back]
        yield next((way for way in order if free[tuple(here + MOVES[way])]), facing)


def _task(map_seed: int, rng: np.random.Generator, knobs: Knobs) -> tuple[State, Cell]:
    """A state with the player near a crate without a bug, anywhere within 3 to 6 steps from which it is in view."""
    place = town(map_seed, knobs)
    faulty = {bug.place for bug in place.bugs}
    crates = [c for c in place.crates if c not in faulty]
    sticky = [bug.place for bug in place.bugs if bug.kind == "stuck"]
    for number in rng.permutation(len(crates)):
        crate = crates[number]
        away = distances(place.walkable, crate)
        near = np.abs(np.indices(away.shape) - np.array(crate)[:, None, None]).max(0) <= REACH
        starts = [tuple(map(int, c)) for c in np.argwhere(near & (away >= 3) & (away <= 6)) if tuple(c) not in sticky]
        if starts:
            game = VectorGame([map_seed], knobs)
            state = game.get_state()
            position = np.array([starts[rng.integers(len(starts))]])
            visited = np.zeros_like(state.visited)
            visited[0, position[0, 0], position[0, 1]] = True
            facing = rng.integers(4, size=1)
            return replace(state, position=position, facing=facing, visited=visited), crate
    raise ValueError(f"map_seed={map_seed}: no cell from which to inspect a crate; take another map")


def _inspect(game: VectorGame, crate: Cell) -> Iterator[int]:
    walkable, known = game.towns[0].walkable, {}
    away = distances(walkable, _here(game))
    sides = [tuple(map(int, np.array(crate) + MOVES[side])) for side in _CLOCKWISE]
    first = min(range(4), key=lambda i: away[sides[i]])
    for i in range(4):
        side, cell = _CLOCKWISE[(first + i) % 4], sides[(first + i) % 4]
        while _here(game) != cell:
            yield _toward(walkable, _here(game), cell, known)
        if int(game.state.facing[0]) != int(OPPOSITE[side]):
            yield int(OPPOSITE[side])
        yield INTERACT
