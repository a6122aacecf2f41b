"""Scripted players on Freedoom maps: three styles of walking, planned on the nodes of a level, and an inspection.

They know the map and where they stand; pupils see their frames.
"""

from collections.abc import Callable, Iterator, Sequence

import numpy as np

from autodidact.environments.game.demonstrators import STYLES, Demonstration
from autodidact.environments.game.doom.levels import CELL, NODE, Level, Node, shortest, sides
from autodidact.environments.game.doom.play import (
    ALL_SIDES,
    BACKWARD,
    FORWARD,
    LEFT,
    RIGHT,
    TURN,
    USE,
    Knobs,
    State,
    VectorDoom,
)  # fmt: skip
from autodidact.environments.game.towns import MOVES

INSPECTION_STEPS = 100
BLOCK = 8  # cells a side of the blocks that `sweep` goes through one by one
_LOOK_AHEAD = 3  # nodes by which the aim is ahead of the nearest one
_GLIDE = 1.5  # actions' worth of motion that a player keeps after the last push
_PATIENCE = 30  # actions without a step nearer, after which a waypoint is given up
_DOOR = 10  # actions in which a door opens
_RIGHT = np.array([3, 2, 0, 1])  # which way is to the right of one who faces up, down, left, right
_LEFT = _RIGHT.argsort()


def demonstrate(
    map_seed: int,
    style: str,
    rng: np.random.Generator,
    *,
    noise: float = 0.03,
    steps: int | None = None,
    **knobs: int,
) -> Demonstration:
    """A walk in a style, from anywhere on its route, so that walks on one map differ.

    `golden`: the shortest way to the exit, or to the farthest node where no walk leads there. `wall`: right hand on the
    wall. `sweep`: row by row through blocks of 8 x 8 cells, the nearest first. A share `noise` of actions is random. It
    ends after `steps`, default the horizon. Raises ValueError for an unknown style and a noise outside [0, 1).
    """
    if style not in STYLES:
        raise ValueError(f"style={style!r} is unknown; known are {', '.join(STYLES)}")
    if not 0 <= noise < 1:
        raise ValueError(f"noise={noise!r} must be in [0, 1)")
    game = VectorDoom([map_seed], Knobs(**knobs))
    place, limit = game.towns[0], steps or game.knobs.horizon
    if style == "golden":
        begin = place.way[rng.integers(max(1, len(place.way) - limit))]
        route = iter(place.way[place.way.index(begin) :])
    else:
        begin = tuple(map(int, rng.choice(np.argwhere(place.nodes))))
        route = {"wall": _wall, "sweep": _sweep}[style](place, begin)
    _stand(game, begin, float(rng.uniform(0, 360)))
    return _play(game, _follow(game, route), limit, lambda a: int(rng.integers(4)) if rng.random() < noise else a)


def inspection(map_seed: int, rng: np.random.Generator, **knobs: int) -> Demonstration:
    """A thing's inspection: go to each of its four sides, nearest first and then around, face it and press use."""
    game = VectorDoom([map_seed], Knobs(**knobs))
    where, heading, number = _task(game.towns[0], rng)
    _stand(game, where, heading)
    return _play(game, _inspect(game, number), INSPECTION_STEPS, lambda a: a)


def inspection_tasks(map_seeds: Sequence[int], rng: np.random.Generator, **knobs: int) -> VectorDoom:
    """One task a map, as a vector environment in that state: a player two to four cells from a thing that he faces."""
    game = VectorDoom(map_seeds, Knobs(**knobs))
    state = game.get_state()
    for b, place in enumerate(game.towns):
        where, state.heading[b], _ = _task(place, rng)
        state.place[b] = place.position(where)
    game.set_state(state)
    return game


def inspected(state: State) -> np.ndarray:
    """Whether (B,) some thing has been touched from all four sides."""
    return (state.touched == ALL_SIDES).any(1)


def _task(place: Level, rng: np.random.Generator) -> tuple[Node, float, int]:
    """A node two to four cells from a thing without a wall between, the heading of who faces it, and its number."""
    nodes = np.argwhere(place.nodes)
    for number in rng.permutation(len(place.things)):
        away = place.things[number] - place.position(nodes)
        near = nodes[np.abs(np.hypot(*away.T) - 3 * CELL) <= CELL]
        for node in rng.permutation(near)[:50]:
            here = place.position(node)
            if not _between(place.lines, here, place.things[number]):
                east, north = place.things[number] - here
                return tuple(map(int, node)), float(np.degrees(np.arctan2(north, east)) % 360), int(number)
    raise ValueError(f"map_seed={place.seed}: nothing to inspect there; take another map")


def _between(lines: np.ndarray, here: np.ndarray, there: np.ndarray) -> bool:
    """Whether some line crosses the straight way between two map positions."""

    def left(a: np.ndarray, b: np.ndarray, c: np.ndarray) -> np.ndarray:
        return (b[..., 0] - a[..., 0]) * (c[..., 1] - a[..., 1]) > (b[..., 1] - a[..., 1]) * (c[..., 0] - a[..., 0])

    a, b = lines[:, 0], lines[:, 1]
    crosses = (left(a, b, here) != left(a, b, there)) & (left(here, there, a) != left(here, there, b))
    return bool(crosses.any())


def _stand(game: VectorDoom, node: Node, heading: float) -> None:
    """The only player at a node, in a fresh episode."""
    state = game.get_state()
    state.place[0], state.heading[0] = game.towns[0].position(node), heading
    game.set_state(state)


def _play(game: VectorDoom, script: Iterator[int], limit: int, disturb: Callable[[int], int]) -> Demonstration:
    obs, actions, positions = [game.render()[0]], [], [game.state.position[0].copy()]
    for action in script:
        chosen = USE if game.state.stuck[0] else disturb(action)
        obs.append(game.step(np.array([chosen]))[0][0])
        actions.append(chosen)
        positions.append(game.state.position[0].copy())
        if len(actions) >= limit:
            break
    return Demonstration(np.array(obs), np.array(actions, dtype=np.int64), np.array(positions))


def _error(game: VectorDoom, here: np.ndarray, target: np.ndarray) -> float:
    """Degrees by which a target lies to the left of the way the player faces, in [-180, 180)."""
    east, north = target - here
    return float((np.degrees(np.arctan2(north, east)) - game.state.heading[0] + 180) % 360 - 180)


def _go(game: VectorDoom, target: np.ndarray, near: float) -> Iterator[int]:
    """Turn and walk to a map position, allowing for the glide.

    Where nothing moves it may be a door, so press use; where that has not helped it is a corner, so step back.
    """
    before, best, waited, stopped, pressed = game.state.place[0].copy(), np.inf, 0, 0, False
    while waited < _PATIENCE:
        place = game.state.place[0].copy()
        glide = place + _GLIDE * (place - before)
        left = float(np.hypot(*(target - glide)))
        if left <= near:
            return
        waited, best = (0, left) if left < best - 1 else (waited + 1, best)
        error = _error(game, glide, target)
        if abs(error) > TURN * 0.6:
            action = LEFT if error > 0 else RIGHT
            if abs(error) > 180 - TURN * 0.6 and left < 1.5 * CELL:
                action = BACKWARD  # too far: a step back is nearer than a turn about
        elif stopped >= 2 and pressed:
            yield from (BACKWARD, BACKWARD, BACKWARD)
            action, stopped, pressed = LEFT if error > 0 else RIGHT, 0, False
        elif stopped >= 2:
            pressed = True
            action, stopped = USE, -_DOOR  # a second press would shut it
        else:
            action = FORWARD
            stopped = stopped + 1 if np.hypot(*(place - before)) < 2 else 0
        before = place
        yield action


def _follow(game: VectorDoom, route: Iterator[Node]) -> Iterator[int]:
    """Walk along neighbouring nodes; every third one is a target, the last one too."""
    place, due = game.towns[0], []
    for node in route:
        due.append(node)
        if len(due) == _LOOK_AHEAD:
            yield from _go(game, place.position(due[-1]), NODE)
            due.clear()
    if due:
        yield from _go(game, place.position(due[-1]), NODE)


def _wall(place: Level, begin: Node) -> Iterator[Node]:
    """Straight to a wall, then with the right hand on it, for ever."""
    here, facing = begin, 0
    while place.nodes[tuple(here + MOVES[facing])]:
        here = tuple(here + MOVES[facing])
        yield here
    facing = int(_LEFT[facing])  # the wall ahead is now to the right
    for _ in range(10_000):
        right = int(_RIGHT[facing])
        order = (right, facing, int(_LEFT[facing]), int(_RIGHT[right]))
        facing = next((way for way in order if place.nodes[tuple(here + MOVES[way])]), facing)
        here = tuple(here + MOVES[facing])
        yield here


def _sweep(place: Level, begin: Node) -> Iterator[Node]:
    """Rows of nodes two apart, there and back, block after block, each time the nearest that is left."""
    size = BLOCK * CELL // NODE
    nodes, here = np.argwhere(place.nodes), begin
    block = nodes // size
    left = {tuple(map(int, b)) for b in np.unique(block, axis=0)}
    while left:
        nearest = min(left, key=lambda b: np.abs(nodes[(block == b).all(1)] - here).sum(1).min())
        left.remove(nearest)
        inside = nodes[(block == nearest).all(1)]
        for number, row in enumerate(np.unique(inside[:, 0])[::2]):
            ends = inside[inside[:, 0] == row][:: 1 if number % 2 == 0 else -1]
            for end in (ends[0], ends[-1]):
                way = shortest(place.nodes, here, tuple(map(int, end)))
                yield from way[1:]
                here = tuple(map(int, end))


def _inspect(game: VectorDoom, number: int) -> Iterator[int]:
    place = game.towns[0]
    thing, at = place.things[number], sides(place, place.things[number])
    here = game.state.place[0]
    first = min(range(4), key=lambda k: float(np.hypot(*(place.position(at[k]) - here))))
    for k in range(4):
        side = (first + k) % 4
        for _ in range(3):
            way = shortest(place.nodes, place.node(game.state.place[0]), at[side])
            for node in (*way[2:-1:2], at[side]):
                yield from _go(game, place.position(node), NODE * 0.8)
            while abs(_error(game, game.state.place[0], thing)) > TURN:
                yield LEFT if _error(game, game.state.place[0], thing) > 0 else RIGHT
            yield USE
            if game.state.touched[0, number] >> side & 1:
                break
