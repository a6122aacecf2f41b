"""Towns: rooms joined by doors, a trail from start to exit, things to inspect, and planted bugs, all from one seed.

A town lies in a grid (N, N) with N = size + 6: two rings of edge that nobody enters, one ring of void behind the outer
wall (reached only through a hole), then the town itself, outer wall included. Positions are (row, column) in this grid.
"""

import hashlib
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import pairwise

import numpy as np
from scipy import ndimage

FLOOR, WALL, DOOR, WATER, TRAIL, CRATE, PLANT, EXIT, VOID, EDGE = range(10)  # what a cell is
GLITCH, FLICKER, DECAL = 10, 11, 13  # how a cell may look beside: a wrong texture, two phases, eight landmarks
DECALS = 8
LOOKS = DECAL + DECALS
MARGIN = 3  # edge, edge, void
WALKABLE = np.isin(np.arange(LOOKS), (FLOOR, DOOR, TRAIL, EXIT, VOID))
MOVES = np.array([(-1, 0), (1, 0), (0, -1), (0, 1)])  # up, down, left, right
OPPOSITE = np.array([1, 0, 3, 2])
BUGS = ("hole", "stuck", "wrong_texture", "vanish")
_CROSS = ndimage.generate_binary_structure(2, 1)
_ATTEMPTS = 1000


@dataclass(frozen=True)
class Knobs:
    """What may be set about a town and its episodes; each range is checked, ValueError names what is outside it.

    `size` cells a side with the outer wall, `rooms`, `door_width` in cells, `trail_covers` "all" rooms or "half",
    `horizon` steps an episode, `bugs_on_path` the share of bugs within two cells of the trail, `n_bugs`, `n_crates`,
    `n_plants` how many, `animated` whether one room flickers, `landmarks` the share of floor cells with a decal of
    their own, `scale` by how much the window of 32 pixels is enlarged.
    """

    size: int = 20
    rooms: int = 6
    door_width: int = 1
    trail_covers: str = "all"
    horizon: int = 300
    bugs_on_path: float = 0.5
    n_bugs: int = 4
    n_crates: int = 3
    n_plants: int = 3
    animated: bool = False
    landmarks: float = 0.0
    scale: int = 1

    def __post_init__(self) -> None:
        ranges = {
            "size": (16, 24), "rooms": (4, 9), "door_width": (1, 2), "horizon": (1, 100_000), "bugs_on_path": (0, 1),
            "n_bugs": (0, 8), "n_crates": (1, 6), "n_plants": (0, 6), "landmarks": (0, 1), "scale": (1, 4),
        }  # fmt: skip
        for name, (low, high) in ranges.items():
            if not low <= getattr(self, name) <= high:
                raise ValueError(f"{name}={getattr(self, name)!r} must be {low} to {high}")
        if self.trail_covers not in ("all", "half"):
            raise ValueError(f"trail_covers={self.trail_covers!r} must be 'all' or 'half'")


@dataclass(frozen=True)
class Bug:
    """A planted bug: its kind, its place and, of a crate that vanishes, the side (0 to 3) from which it does."""

    kind: str
    place: tuple[int, int]
    on_path: bool
    side: int = -1


@dataclass(frozen=True, eq=False)
class Town:
    """A generated map: `kind` and `look` (N, N) of cells, `room` (N, N) with -1 between rooms, and what is in it."""

    seed: int
    knobs: Knobs
    kind: np.ndarray
    look: np.ndarray
    room: np.ndarray
    trail: np.ndarray
    start: tuple[int, int]
    exit: tuple[int, int]
    crates: tuple[tuple[int, int], ...]
    bugs: tuple[Bug, ...] = field(default=())

    @property
    def walkable(self) -> np.ndarray:
        """Cells (N, N) that one may stand on, holes aside: a wall is a wall here, whatever its bug lets pass."""
        return WALKABLE[self.kind]

    @property
    def reachable(self) -> np.ndarray:
        """Cells (N, N) that can be reached from the start by the rules, that is without the planted holes."""
        return distances(self.walkable, self.start) >= 0

    def layout_hash(self) -> str:
        """A fingerprint of the cells: equal for equal layouts only."""
        return hashlib.sha256(self.kind.astype(np.int8).tobytes()).hexdigest()


@lru_cache(maxsize=4096)
def town(map_seed: int, knobs: Knobs = Knobs()) -> Town:  # noqa: B008 - frozen
    """The town of a seed; layouts in which not everything finds its place are drawn again.

    Raises ValueError for a negative seed, and RuntimeError if no layout suits the knobs.
    """
    if map_seed < 0:
        raise ValueError(f"map_seed={map_seed} must not be negative")
    rng = np.random.default_rng([map_seed, 77])
    for _ in range(_ATTEMPTS):
        found = _attempt(map_seed, knobs, rng)
        if found is not None:
            return found
    raise RuntimeError(f"no town with {knobs} in {_ATTEMPTS} attempts: ask for fewer things or a larger size")


def distances(walkable: np.ndarray, target: tuple[int, int]) -> np.ndarray:
    """Steps (N, N) to `target` over walkable cells by breadth-first search, -1 where there is no way.

    The target itself need not be walkable.
    """
    steps = np.full(walkable.shape, -1)
    steps[target] = 0
    front, reached = [target], 0
    while front:
        reached += 1
        ahead = []
        for y, x in front:
            for cell in ((y - 1, x), (y + 1, x), (y, x - 1), (y, x + 1)):
                if walkable[cell] and steps[cell] < 0:
                    steps[cell] = reached
                    ahead.append(cell)
        front = ahead
    return steps


def shortest(walkable: np.ndarray, start: tuple[int, int], end: tuple[int, int]) -> list[tuple[int, int]]:
    """A shortest way from start to end, both included."""
    steps = distances(walkable, end)
    way = [start]
    while way[-1] != end:
        y, x = way[-1]
        around = ((y - 1, x), (y + 1, x), (y, x - 1), (y, x + 1))
        way.append(next(c for c in around if steps[c] == steps[y, x] - 1 and (walkable[c] or c == end)))
    return way


def _attempt(map_seed: int, knobs: Knobs, rng: np.random.Generator) -> Town | None:
    boxes = _split(knobs, rng)
    if boxes is None:
        return None
    kind, room = _walls(knobs.size, boxes)
    if not _open_doors(kind, room, len(boxes), knobs.door_width, rng):
        return None
    trail = _trail(kind, room, len(boxes), knobs.trail_covers, rng)
    for cell in trail:
        kind[cell] = TRAIL if kind[cell] == FLOOR else kind[cell]
    kind[trail[-1]] = EXIT
    _pour_water(kind, room, len(boxes), rng)
    things = [_put(kind, thing, rng) for thing in [CRATE] * knobs.n_crates + [PLANT] * knobs.n_plants]
    if not all(things):
        return None
    crates = tuple(things[: knobs.n_crates])
    bugs = _plant_bugs(kind, np.array(trail), crates, knobs, rng)
    if bugs is None:
        return None
    look = _looks(kind, room, bugs, knobs, rng)
    return Town(map_seed, knobs, kind, look, room, np.array(trail), trail[0], trail[-1], crates, bugs)


def _split(knobs: Knobs, rng: np.random.Generator) -> list[tuple[int, int, int, int]] | None:
    """Rooms as boxes (top, left, bottom, right), by splitting the largest until there are enough; None if it fails."""
    least = 4 if knobs.rooms <= 6 else 3
    first = MARGIN + 1
    boxes = [(first, first, first + knobs.size - 2, first + knobs.size - 2)]
    while len(boxes) < knobs.rooms:
        boxes.sort(key=lambda b: (b[2] - b[0]) * (b[3] - b[1]))
        top, left, bottom, right = boxes.pop()
        across = bottom - top > right - left or (bottom - top == right - left and rng.random() < 0.5)
        low, high = (top, bottom) if across else (left, right)
        if high - low < 2 * least + 1:
            return None
        at = int(rng.integers(low + least, high - least))
        boxes += (
            [(top, left, at, right), (at + 1, left, bottom, right)]
            if across
            else [(top, left, bottom, at), (top, at + 1, bottom, right)]
        )
    return boxes


def _walls(size: int, boxes: list[tuple[int, int, int, int]]) -> tuple[np.ndarray, np.ndarray]:
    n = size + 2 * MARGIN
    kind, room = np.full((n, n), EDGE, np.int8), np.full((n, n), -1, np.int8)
    kind[2:-2, 2:-2] = VOID
    kind[MARGIN:-MARGIN, MARGIN:-MARGIN] = WALL
    for number, (top, left, bottom, right) in enumerate(boxes):
        kind[top:bottom, left:right] = FLOOR
        room[top:bottom, left:right] = number
    return kind, room


def _open_doors(kind: np.ndarray, room: np.ndarray, rooms: int, width: int, rng: np.random.Generator) -> bool:
    """Open doors along a random spanning tree of neighbouring rooms and a fifth of the other walls between rooms."""
    between: dict[tuple[int, int], list[tuple[int, int]]] = {}
    for y, x in np.argwhere(kind == WALL):
        for a, b in ((room[y - 1, x], room[y + 1, x]), (room[y, x - 1], room[y, x + 1])):
            if a >= 0 and b >= 0 and a != b:
                between.setdefault((min(a, b), max(a, b)), []).append((int(y), int(x)))
    group, joined = list(range(rooms)), 0
    pairs = sorted(between)
    for i in rng.permutation(len(pairs)):
        (a, b), cells = pairs[i], sorted(between[pairs[i]])
        if len(cells) < width or (group[a] == group[b] and rng.random() > 0.2):
            continue
        joined += group[a] != group[b]
        group = [group[a] if g == group[b] else g for g in group]
        at = int(rng.integers(len(cells) - width + 1))
        for cell in cells[at : at + width]:
            kind[cell] = DOOR
    return joined == rooms - 1


def _trail(
    kind: np.ndarray, room: np.ndarray, rooms: int, covers: str, rng: np.random.Generator
) -> list[tuple[int, int]]:
    """The way from start to exit through one cell of every room, or of half of them, the nearest next one first."""
    cells = [tuple(map(int, rng.choice(np.argwhere(room == r)))) for r in range(rooms)]
    here = cells.pop(int(rng.integers(rooms)))
    stops = [here]
    for _ in range((rooms if covers == "all" else (rooms + 1) // 2) - 1):
        steps = distances(WALKABLE[kind], here)
        here = min(cells, key=lambda c, steps=steps: steps[c])
        cells.remove(here)
        stops.append(here)
    way = [stops[0]]
    for a, b in pairwise(stops):
        way += shortest(WALKABLE[kind], a, b)[1:]
    return way


def _pour_water(kind: np.ndarray, room: np.ndarray, rooms: int, rng: np.random.Generator) -> None:
    """A pond of two cells, the first at a wall, in about half of the rooms, where it cuts nothing off."""
    at_wall = ndimage.binary_dilation(kind == WALL, _CROSS)
    for number in range(rooms):
        if rng.random() < 0.5:
            y, x = rng.choice(np.argwhere((room == number) & at_wall))
            dy, dx = MOVES[rng.integers(4)]
            pond = [(y, x), (y + dy, x + dx)]
            if all(kind[cell] == FLOOR for cell in pond):
                _unless_cut(kind, pond, WATER)


def _put(kind: np.ndarray, thing: int, rng: np.random.Generator) -> tuple[int, int] | None:
    """Put a thing where one can walk all around it; None if there is no such place."""
    free = np.isin(kind, (FLOOR, TRAIL, EXIT))
    around = ndimage.minimum_filter(free, size=3) & (kind == FLOOR)
    for y, x in rng.permutation(np.argwhere(around)):
        if _unless_cut(kind, [(y, x)], thing):
            return int(y), int(x)
    return None


def _unless_cut(kind: np.ndarray, cells: list[tuple[int, int]], thing: int) -> bool:
    """Put `thing` on the cells unless that cuts the town in two."""
    before = kind.copy()
    for cell in cells:
        kind[cell] = thing
    if ndimage.label(WALKABLE[kind] & (kind != VOID), _CROSS)[1] == 1:
        return True
    kind[:] = before
    return False


def _plant_bugs(
    kind: np.ndarray, trail: np.ndarray, crates: tuple[tuple[int, int], ...], knobs: Knobs, rng: np.random.Generator
) -> tuple[Bug, ...] | None:
    """Bugs of the four kinds in turn, the wanted share of them within two cells of the trail; None where one cannot."""
    near = np.zeros(kind.shape, bool)
    near[tuple(trail.T)] = True
    near = ndimage.maximum_filter(near, size=5)
    inside = ndimage.binary_dilation(np.isin(kind, (FLOOR, TRAIL)), _CROSS)
    outer = ndimage.binary_dilation(kind == VOID, _CROSS) & (kind == WALL) & inside
    on_path = rng.permutation(np.arange(knobs.n_bugs) < round(knobs.n_bugs * knobs.bugs_on_path))
    bugs: list[Bug] = []
    for number, wanted in enumerate(on_path):
        name = BUGS[number % len(BUGS)]
        places = {"hole": outer, "stuck": kind == FLOOR, "wrong_texture": kind == FLOOR}.get(name)
        if places is None:
            places = np.zeros(kind.shape, bool)
            places[tuple(np.array(crates).T)] = True
        places = places & (near == wanted)
        for bug in bugs:
            places[bug.place] = False
        if not places.any():
            return None
        place = tuple(map(int, rng.choice(np.argwhere(places))))
        bugs.append(Bug(name, place, bool(wanted), int(rng.integers(4)) if name == "vanish" else -1))
    vanishing = sum(bug.kind == "vanish" for bug in bugs)
    return tuple(bugs) if vanishing < len(crates) else None  # one crate at least can be inspected to the end


def _looks(
    kind: np.ndarray, room: np.ndarray, bugs: tuple[Bug, ...], knobs: Knobs, rng: np.random.Generator
) -> np.ndarray:
    look = kind.copy()
    decorated = (kind == FLOOR) & (rng.random(kind.shape) < knobs.landmarks)
    look[decorated] = DECAL + rng.integers(DECALS, size=decorated.sum())
    if knobs.animated:
        look[(kind == FLOOR) & (room == rng.integers(knobs.rooms))] = FLICKER
    for bug in bugs:
        if bug.kind == "wrong_texture":
            look[bug.place] = GLITCH
    return look
