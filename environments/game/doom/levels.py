"""Levels: a Freedoom map as a grid, from the lines of its file: where a player gets to, the golden path, things.

Two grids lie over a map. Players are measured on cells of 64 map units; scripts plan on nodes 32 apart, at which a
player (a square of 32) touches nothing. Positions on the map are (x, y), cells are (row, column), row 0 in the north.
A player climbs 24 units and opens doors by hand; lifts, switches, keys, and drops that he could not climb back are not
planned with. Whoever gets beyond has found something and covered nothing.
"""

from collections import deque
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
import vizdoom

from autodidact.environments.game.doom.wad import NO_SIDE, Lumps, read_map
from autodidact.environments.game.towns import MOVES

Node = tuple[int, int]
CELL, NODE = 64, 32  # map units a side
STEP, HEIGHT, RADIUS = 24, 56, 16  # what a player climbs, how tall and how wide he is
REACH = 96  # from how far a thing is touched, centre to centre
NEAR = 2  # cells from the golden path within which the first planted bug lies
DECORATIONS = (
    25, 26, 27, 28, 29, 30, 31, 32, 33, 35, 36, 37, 41, 42, 43, 44, 45, 46, 47, 48, 49, 50, 51, 52, 53, 54, 55, 56, 57,
    70, 73, 74, 75, 76, 77, 78, 85, 86, 2028, 2035,
)  # fmt: skip  # pillars, lamps, torches, trees, barrels: solid, and nothing happens to who walks into them
_DOORS = (1, 31, 117, 118)  # opened by hand, without a key
_EXITS = (11, 51, 52, 124)
_MEDIUM, _IMPASSABLE = 2, 1  # flags of things and of lines


@dataclass(frozen=True, eq=False)
class Level:
    """A map for planning and measuring.

    `nodes` (H', W') are the planning nodes that hang together with the start; `walkable` (H, W) the cells that hold
    one; `corner` the map position of the grid's north-western corner; `trail` (n, 2) the cells of the golden path;
    `way` its nodes; `things` (m, 2) the map positions of what is to be inspected; `bugs` the cells that hold a player.
    """

    seed: int
    nodes: np.ndarray
    walkable: np.ndarray
    corner: np.ndarray
    start: Node
    way: tuple[Node, ...]
    trail: np.ndarray
    things: np.ndarray
    bugs: tuple[Node, ...]
    lines: np.ndarray  # (n, 2 ends, 2), those that block, for pictures

    @property
    def reachable(self) -> np.ndarray:
        """Cells (H, W) that a player gets to by walking and opening doors: `walkable`, which holds no others."""
        return self.walkable

    def cell(self, position: np.ndarray) -> np.ndarray:
        """Cells (..., 2) of map positions (..., 2)."""
        return self._grid(position, CELL)

    def node(self, position: np.ndarray) -> Node:
        """The node nearest to a map position (2,), of those in `nodes`."""
        near = self._grid(position, NODE)
        all_nodes = np.argwhere(self.nodes)
        return tuple(map(int, all_nodes[((all_nodes - near) ** 2).sum(1).argmin()]))

    def position(self, node: np.ndarray | Node) -> np.ndarray:
        """The map positions (..., 2) of nodes (..., 2)."""
        node = np.asarray(node)
        return self.corner + (node[..., ::-1] + 0.5) * (NODE, -NODE)

    def _grid(self, position: np.ndarray, size: int) -> np.ndarray:
        away = (np.asarray(position, float) - self.corner) * (1, -1)
        return np.floor(away[..., ::-1] / size).astype(int)


@lru_cache(maxsize=32)
def level(number: int) -> Level:
    """Freedoom's map of this number, 1 to 32. Raises ValueError for any other."""
    if not 1 <= number <= 32:
        raise ValueError(f"number={number!r} must be 1 to 32")
    lumps = read_map(Path(vizdoom.__file__).parent / "freedoom2.wad", f"map{number:02d}")
    ends = _ends(lumps)
    low = np.floor(ends.min((0, 1)) / CELL) * CELL - CELL
    high = np.ceil(ends.max((0, 1)) / CELL) * CELL + CELL
    corner = np.array([low[0] - NODE / 2, high[1] + NODE / 2])  # nodes on multiples of 32, as walls are: between two
    shape = tuple(((high - low)[::-1] / NODE).astype(int))
    present = lumps.things[(lumps.things["flags"] & _MEDIUM > 0) & (lumps.things["flags"] & 16 == 0)]
    things = _places(present[np.isin(present["type"], DECORATIONS)])
    lines = ends[_blocks(lumps)]
    free = _free(shape, corner, lines, things)
    begin = _places(lumps.things[lumps.things["type"] == 1])[0]
    draft = Level(number, free, free, corner, (0, 0), (), np.empty((0, 2)), things, (), lines)
    start = draft.node(begin)
    away = steps_from(free, start)
    nodes = away >= 0
    way = shortest(nodes, start, _goal(draft, away, ends[np.isin(lumps.lines["special"], _EXITS)]))
    cells = np.array(way) // (CELL // NODE)
    trail = cells[np.r_[True, (cells[1:] != cells[:-1]).any(1)]]
    walkable = nodes.reshape(shape[0] // 2, 2, shape[1] // 2, 2).any((1, 3))
    place = Level(number, nodes, walkable, corner, start, tuple(way), trail, things, (), lines)
    kept = np.array([all(side is not None for side in sides(place, thing)) for thing in things], bool)
    bugs = _plant(walkable, trail, np.random.default_rng([number, 79]))
    return Level(number, nodes, walkable, corner, start, tuple(way), trail, things[kept], bugs, lines)


def sides(place: Level, thing: np.ndarray) -> list[Node | None]:
    """For each side of a thing (east, north, west, south) the node from which to touch it, None where there is none."""
    nodes = np.argwhere(place.nodes)
    away = place.position(nodes) - thing
    near = np.hypot(*away.T) <= REACH - NODE // 2
    nodes, away = nodes[near], away[near]
    found: list[Node | None] = []
    for side in range(4):
        fits = np.flatnonzero(side_of(away) == side)
        off = np.abs(away[fits] @ ((0, 1) if side % 2 == 0 else (1, 0)))  # how far beside the middle of the side
        found.append(tuple(map(int, nodes[fits[off.argmin()]])) if len(fits) else None)
    return found


def side_of(away: np.ndarray) -> np.ndarray:
    """On which side of a thing, 0 to 3 for east, north, west, south, one is who is `away` (..., 2) from it."""
    return np.round(np.arctan2(away[..., 1], away[..., 0]) / (np.pi / 2)).astype(int) % 4


def steps_from(free: np.ndarray, start: Node, end: Node | None = None) -> np.ndarray:
    """Steps (H', W') from `start` over free nodes by breadth-first search, up to `end`; -1 where none leads."""
    steps = np.full(free.shape, -1)
    steps[start] = 0
    front = deque([start])
    while front:
        y, x = front.popleft()
        if (y, x) == end:
            break
        for node in ((y - 1, x), (y + 1, x), (y, x - 1), (y, x + 1)):
            if free[node] and steps[node] < 0:
                steps[node] = steps[y, x] + 1
                front.append(node)
    return steps


def shortest(free: np.ndarray, start: Node, end: Node) -> list[Node]:
    """A shortest way from start to end, both included; none at all where `end` cannot be reached."""
    steps = steps_from(free, end, start)
    if steps[start] < 0:
        return []
    way = [start]
    while way[-1] != end:
        around = [tuple(map(int, way[-1] + move)) for move in MOVES]
        way.append(next(n for n in around if steps[n] == steps[way[-1]] - 1))
    return way


def _places(things: np.ndarray) -> np.ndarray:
    return np.stack([things["x"], things["y"]], 1).astype(float)


def _ends(lumps: Lumps) -> np.ndarray:
    """The ends (n, 2, 2) of all lines."""
    corners = _places(lumps.vertices)
    return np.stack([corners[lumps.lines["start"]], corners[lumps.lines["end"]]], 1)


def _blocks(lumps: Lumps) -> np.ndarray:
    """Which lines (n,) a player does not get across: walls, fences, high steps, low openings that are no door."""
    lines, sectors = lumps.lines, lumps.sectors
    two_sided = lines["back"] != NO_SIDE
    here = sectors[lumps.sides["sector"][lines["front"]]]
    there = sectors[lumps.sides["sector"][np.where(two_sided, lines["back"], lines["front"])]]
    low = np.maximum(here["floor"], there["floor"]).astype(int)
    opening = np.minimum(here["ceiling"], there["ceiling"]) - low
    step = np.abs(here["floor"].astype(int) - there["floor"])
    shut = (opening < HEIGHT) & ~np.isin(lines["special"], _DOORS)
    return ~two_sided | (lines["flags"] & _IMPASSABLE > 0) | shut | (step > STEP)


def _free(shape: Node, corner: np.ndarray, lines: np.ndarray, things: np.ndarray) -> np.ndarray:
    """Nodes (H', W') at which the square of a player touches no line and no thing.

    Who goes from one such node to the next crosses no line: where he would, he would be within 16 of it at one of them.
    """
    free = np.ones(shape, bool)
    x = corner[0] + (np.arange(shape[1]) + 0.5) * NODE
    y = corner[1] - (np.arange(shape[0]) + 0.5) * NODE
    for a, b in lines:
        along = b - a
        length = max(float(np.hypot(*along)), 1e-9)
        normal = np.array([-along[1], along[0]]) / length
        columns = np.flatnonzero((x >= min(a[0], b[0]) - RADIUS) & (x <= max(a[0], b[0]) + RADIUS))
        rows = np.flatnonzero((y >= min(a[1], b[1]) - RADIUS) & (y <= max(a[1], b[1]) + RADIUS))
        from_line = normal[0] * (x[columns][None] - a[0]) + normal[1] * (y[rows][:, None] - a[1])
        free[np.ix_(rows, columns)] &= np.abs(from_line) > RADIUS * np.abs(normal).sum()
    for thing in things:
        columns, rows = (np.flatnonzero(np.abs(axis - at) < 2 * RADIUS) for axis, at in zip((x, y), thing, strict=True))
        free[np.ix_(rows, columns)] = False
    free[[0, -1]] = free[:, [0, -1]] = False
    return free


def _goal(draft: Level, away: np.ndarray, exits: np.ndarray) -> Node:
    """The node from which an exit can be pressed, if a player gets to one, else the farthest one."""
    for middle in exits.mean(1):
        near = draft.node(middle)
        if away[near] >= 0 and np.abs(draft.position(near) - middle).max() <= CELL:
            return near
    return tuple(map(int, np.unravel_index(away.argmax(), away.shape)))


def _plant(walkable: np.ndarray, trail: np.ndarray, rng: np.random.Generator) -> tuple[Node, ...]:
    """A cell near the golden path but not on it, and one far from it: they hold who enters them."""
    cells = np.argwhere(walkable)
    away = np.abs(cells[:, None] - trail[None]).sum(-1).min(1)
    near = (away > 0) & (away <= NEAR)
    return tuple(tuple(map(int, rng.choice(cells[which]))) for which in (near, away > NEAR) if which.any())
