"""Freedoom maps behind the names of the town world."""

import gc
import os
import shutil
import struct
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env

from autodidact.environments import load_world

doom = pytest.importorskip("autodidact.environments.game.doom")
from autodidact.environments.game.doom import levels, wad  # noqa: E402 - only where there is vizdoom

MAP = 6  # small, with a thing to inspect


def rng(seed=0):
    return np.random.default_rng(seed)


def test_the_town_world_does_not_load_vizdoom():
    code = (
        "import sys; from autodidact.environments import load_world as w; w('game'); sys.exit('vizdoom' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


class TestFile:
    """Reading a map from a WAD file written here, byte by byte."""

    @pytest.fixture
    def file(self, tmp_path):
        lumps = [
            ("MAP01", b""),
            ("THINGS", struct.pack("<hhhhh", 32, -64, 90, 1, 7)),
            ("LINEDEFS", struct.pack("<HHHHHHH", 0, 1, 1, 11, 0, 0, 0xFFFF)),
            ("SIDEDEFS", struct.pack("<hh8s8s8sH", 0, 0, b"-", b"-", b"STONE", 0)),
            ("VERTEXES", struct.pack("<hhhh", 0, 0, 128, -8)),
            ("SEGS", b""),
            ("SSECTORS", b""),
            ("NODES", b""),
            ("SECTORS", struct.pack("<hh8s8shhh", -8, 120, b"FLOOR", b"CEIL", 160, 0, 0)),
            ("REJECT", b""),
            ("BLOCKMAP", b""),
        ]
        at, directory, body = 12, b"", b""
        for name, content in lumps:
            directory += struct.pack("<ii8s", at, len(content), name.encode())
            at, body = at + len(content), body + content
        path = tmp_path / "one.wad"
        path.write_bytes(struct.pack("<4sii", b"PWAD", len(lumps), at) + body + directory)
        return path

    def test_records(self, file):
        found = wad.read_map(file, "map01")
        assert found.things.tolist() == [(32, -64, 90, 1, 7)]
        assert found.lines["special"].tolist() == [11] and found.lines["back"].tolist() == [wad.NO_SIDE]
        assert found.vertices.tolist() == [(0, 0), (128, -8)]
        assert found.sides["middle"].tolist() == [b"STONE"]
        assert found.sectors[["floor", "ceiling"]].tolist() == [(-8, 120)]

    def test_bad_input(self, file, tmp_path):
        with pytest.raises(ValueError, match="name='map02'"):
            wad.read_map(file, "map02")
        other = tmp_path / "none.wad"
        other.write_bytes(b"RIFF" + bytes(20))
        with pytest.raises(ValueError, match="is not a WAD file"):
            wad.read_map(other, "map01")


class TestLevel:
    @pytest.mark.parametrize("number", [1, MAP])
    def test_at_a_node_a_player_touches_no_wall_and_between_two_he_crosses_none(self, number):
        place = doom.level(number)
        along = np.linspace(0, 1, 60)[:, None, None]
        points = (place.lines[:, 0] + along * (place.lines[:, 1] - place.lines[:, 0])).reshape(-1, 2)
        for node in rng().permutation(np.argwhere(place.nodes))[:200]:
            assert (np.abs(points - place.position(node)).max(1) > 16 - 1e-6).all()
        for y, x in rng().permutation(np.argwhere(place.nodes[:, :-1] & place.nodes[:, 1:]))[:200]:
            a, b = place.position((y, x)), place.position((y, x + 1))
            assert tuple(b - a) == (32, 0)
            close = np.abs(points - (a + b) / 2).max(1) < 8
            assert not close.any()

    def test_positions_nodes_and_cells_agree(self):
        place = doom.level(1)
        nodes = np.argwhere(place.nodes)[::17]
        where = place.position(nodes)
        assert [place.node(x) for x in where] == [tuple(n) for n in nodes]
        assert (place.cell(where) == nodes // 2).all()

    @pytest.mark.parametrize("number", [1, 8, MAP])
    def test_the_trail_leads_over_reachable_cells_from_the_start_without_a_gap(self, number):
        place = doom.level(number)
        assert place.walkable[tuple(place.trail.T)].all() and place.reachable is place.walkable
        assert tuple(place.trail[0]) == tuple(np.array(place.start) // 2)
        assert np.abs(np.diff(place.trail, axis=0)).sum(1).tolist() == [1] * (len(place.trail) - 1)
        steps = levels.steps_from(place.nodes, place.start)
        assert len(place.way) == steps[place.way[-1]] + 1

    def test_parts_share_no_map_and_have_what_they_need(self):
        numbers = [n for part in doom.LEVELS for n in part]
        assert len(set(numbers)) == len(numbers)
        assert all(doom.level(n).walkable.sum() >= 100 for n in numbers)
        assert all(len(doom.level(n).things) for part in (0, 1, 4, 5) for n in doom.LEVELS[part])
        assert all(len(doom.level(n).bugs) == len(doom.BUGS) for n in doom.LEVELS[0])

    def test_bugs_one_near_the_trail_one_far(self):
        place = doom.level(1)
        away = [np.abs(place.trail - cell).sum(1).min() for cell in place.bugs]
        assert 0 < away[0] <= levels.NEAR < away[1]

    def test_sides(self):
        assert levels.side_of(np.array([(9, 1), (1, 9), (-9, 1), (1, -9)])).tolist() == [0, 1, 2, 3]
        place = doom.level(MAP)
        for side, node in enumerate(levels.sides(place, place.things[0])):
            away = place.position(node) - place.things[0]
            assert levels.side_of(away) == side and np.hypot(*away) < levels.REACH


class TestPlay:
    def test_gymnasium_accepts_it(self):
        check_env(doom.make(MAP, horizon=5), skip_render_check=True)

    def test_what_is_seen_and_an_episode_of_fixed_length(self):
        game = doom.make_vector([MAP, MAP], horizon=12)
        frames, info = game.reset()
        assert frames.shape == (2, 84, 84, 1) and frames.dtype == np.uint8
        for t in range(12):
            frames, reward, terminated, truncated, info = game.step(np.array([0, 2]))
            assert not reward.any() and not terminated.any() and truncated.all() == (t == 11)
        assert info["position"].shape == (2, 2) and (frames[0] != frames[1]).any()
        assert game.towns[0].cell(info["place"]).tolist() == info["position"].tolist()

    def test_the_same_actions_show_the_same(self):
        game, actions, seen = doom.make_vector([MAP]), rng().integers(5, size=30), []
        for _ in range(2):
            game.set_state(game.get_state())
            game.reset()
            seen.append(np.array([game.step(a[None])[0] for a in actions]))
        assert (seen[0] == seen[1]).all()

    def test_there_are_no_monsters(self):
        game = doom.make_vector([18])
        for _ in range(30):
            game.step(np.array([0]))
        names = {label.object_name for label in game._own(0).get_state().labels}
        assert names and not names & {"ShotgunGuy", "Demon", "Zombieman", "DoomImp"}

    def test_a_turn_is_a_sixteenth_of_a_circle(self):
        game = doom.make_vector([MAP])
        game.reset()
        before = game.state.heading[0]
        game.step(np.array([2]))
        assert (game.state.heading[0] - before) % 360 == pytest.approx(22.5, abs=0.1)
        game.step(np.array([3]))
        assert (game.state.heading[0] - before + 1) % 360 == pytest.approx(1, abs=0.1)

    def test_states_are_kept_by_whoever_has_them_and_can_be_gone_back_to(self):
        game = doom.make_vector([MAP])
        start = game.reset()[1]["place"]
        game.reset(rng(3))
        state, places = game.get_state(), []
        for _ in range(10):
            game.step(np.array([0]))
            places.append(game.state.place)
        assert np.hypot(*(places[-1] - places[0])[0]) > 50
        game.set_state(state)
        assert np.hypot(*(state.place - start)[0]) > 50
        assert game.state.place == pytest.approx(state.place, abs=0.1)
        assert game.state.heading == pytest.approx(state.heading, abs=0.1)

    def test_a_bug_holds_until_use_is_pressed(self):
        game = doom.make_vector([1])
        place, state = game.towns[0], game.get_state()
        cell = np.array(place.bugs[0])
        inside = next(n for n in np.argwhere(place.nodes) if tuple(n // 2) == place.bugs[0])
        state.place[0], state.heading[0] = place.position(inside), 0.0
        game.set_state(state)
        game.state.position[0] = cell + 1  # as if he came from elsewhere
        assert game.step(np.array([2]))[-1]["bug"].tolist() == [0] and game.state.stuck[0]
        held = game.state.place.copy()
        for _ in range(4):
            assert game.step(np.array([0]))[-1]["bug"].tolist() == [-1]
        assert game.state.place == pytest.approx(held, abs=0.5) and game.state.found.tolist() == [[1, -1]]
        game.step(np.array([4]))
        assert not game.state.stuck[0]

    def test_a_thing_is_seen_and_touched_by_who_faces_it(self):
        game = doom.make_vector([MAP])
        place, state = game.towns[0], game.get_state()
        thing = place.things[0]
        for side, node in enumerate(levels.sides(place, thing)):
            east, north = thing - place.position(node)
            state.place[0], state.heading[0] = place.position(node), np.degrees(np.arctan2(north, east)) % 360
            game.set_state(state)
            assert game.sees()[0]
            game.step(np.array([4]))
            assert game.state.touched[0, 0] == 1 << side
            state.heading[0] = (state.heading[0] + 180) % 360
            game.set_state(state)
            game.step(np.array([4]))
            assert not game.sees()[0] and not game.state.touched.any()

    def test_bad_input(self):
        with pytest.raises(ValueError, match="horizon=0"):
            doom.make(MAP, horizon=0)
        with pytest.raises(ValueError, match="map_seeds is empty"):
            doom.make_vector([])
        with pytest.raises(ValueError, match="number=33"):
            doom.make(33)
        env = doom.make(MAP, horizon=5)
        with pytest.raises(ValueError, match="action=9"):
            env.step(9)
        with pytest.raises(ValueError, match="must be 1 of 0 to 4"):
            env.vector.step(np.array([5]))
        doom.make(MAP)
        with pytest.raises(RuntimeError, match="players made later"):
            env.step(0)


def games_of(parents):
    """Numbers of the processes of ViZDoom that these processes have started, now or before they ended."""
    found = []
    for status in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            command = status.read_bytes()
        except OSError:  # it has just ended
            continue
        if b"vizdoom" in command.split(b"\0")[0] and any(f"vizdoom-{pid}.ini".encode() in command for pid in parents):
            found.append(status.parent.name)
    return found


def none_within(seconds, parents):
    """Whether all of them are gone before the time is over."""
    end = time.monotonic() + seconds
    while games_of(parents) and time.monotonic() < end:
        time.sleep(0.1)
    return not games_of(parents)


MOUNTED = ["unshare", "--user", "--map-root-user", "--mount", "sh", "-c"]
NO_MOUNTS = not shutil.which("unshare") or subprocess.call([*MOUNTED, "mount -t tmpfs none /tmp 2>&-"]) != 0


@pytest.mark.skipif(NO_MOUNTS, reason="needs a mount of its own")
def test_games_start_where_nothing_can_be_executed_or_written(tmp_path):
    for name in ("temporary", "here"):
        (tmp_path / name).mkdir()
    code = "from autodidact.environments.game import doom; doom.make_vector([6]).close()"
    mounts = 'mount -t tmpfs -o noexec none "$1" && mount -t tmpfs -o ro none "$2"'
    script = f'{mounts} && cd "$2" && TMPDIR="$1" exec "$3" -c "$4"'
    words = [*MOUNTED, script, "sh", tmp_path / "temporary", tmp_path / "here", sys.executable, code]
    done = subprocess.run([str(word) for word in words], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
class TestEnd:
    """No game outlives who plays it."""

    FORKED = """
from autodidact.claims.replicates import side_by_side

def seed(number):
    global kept
    kept = world.vector([6])
    kept.step(np.array([0]))
    return os.getpid()

pids += [pid for _, pid in side_by_side(seed, [0, 1], 2)]
game.step(np.array([0, 0]))
"""
    CODE = """
import os, sys
import numpy as np
from autodidact.environments import load_world
world = load_world("game/doom")
game, pids = world.vector([6, 6]), [os.getpid()]
{more}
print(*pids, flush=True)
sys.stdin.readline()
"""

    @pytest.mark.parametrize("more", ["", FORKED], ids=["alone", "with forked seeds"])
    def test_python_ends_and_leaves_no_game(self, more):
        code = [sys.executable, "-c", self.CODE.format(more=more)]
        with subprocess.Popen(code, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as child:
            pids = [int(pid) for pid in child.stdout.readline().split()]
            assert len(games_of(pids[:1])) == 2 and none_within(5, pids[1:])
            child.communicate("\n")
        assert child.returncode == 0 and none_within(5, pids)

    @pytest.mark.skipif(shutil.which("setpriv") is None, reason="needs setpriv")
    def test_python_is_killed_and_leaves_no_game(self):
        code = [sys.executable, "-c", self.CODE.format(more="")]
        with subprocess.Popen(code, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as child:
            assert len(games_of([int(child.stdout.readline())])) == 2
            child.kill()
        assert none_within(5, [child.pid])

    def test_closed_and_collected_players_leave_no_game(self):
        own = [os.getpid()]
        before = len(games_of(own))
        env, vector = doom.make(13), doom.make_vector([27, 27])
        assert len(games_of(own)) == before + 3
        env.close()
        with pytest.raises(RuntimeError, match="closed"):
            env.step(0)
        del vector
        gc.collect()
        end = time.monotonic() + 5
        while len(games_of(own)) > before and time.monotonic() < end:
            time.sleep(0.1)
        assert len(games_of(own)) <= before

    def test_players_made_later_keep_their_games(self):
        first, second = doom.make_vector([MAP]), doom.make_vector([MAP])
        first.close()
        second.step(np.array([0]))


class TestDemonstrators:
    @pytest.mark.parametrize("number", [2, 8])
    def test_golden_keeps_to_the_trail(self, number):
        place = doom.level(number)
        walk = doom.demonstrate(number, "golden", rng(1), noise=0.0, steps=120)
        assert walk.obs.shape == (len(walk.actions) + 1, 84, 84, 1) and 60 < len(walk.actions) <= 120
        assert doom.deviation(walk.positions, place) < 0.6 and len(np.unique(walk.positions, axis=0)) > 25

    def test_each_style_has_its_own_feature(self):
        found = {
            style: np.mean(
                [
                    list(doom.style_features(w.positions, w.actions, doom.level(n)).values())
                    for n in (2, 8)
                    for w in [doom.demonstrate(n, style, rng(2), steps=150)]
                ],
                axis=0,
            )
            for style in doom.STYLES
        }
        assert found["golden"].argmax() == 0 or found["golden"][0] > 0.8
        assert found["golden"][0] > max(found["wall"][0], found["sweep"][0])

    def test_most_inspections_are_done(self):
        lengths = [len(doom.inspection(MAP, rng(seed)).actions) for seed in range(6)]
        assert np.mean(np.array(lengths) < doom.INSPECTION_STEPS) >= 0.5  # it ends at once with the fourth touch

    def test_a_task_begins_with_the_thing_in_view(self):
        game = load_world("game/doom").tasks([MAP, 5], rng())
        assert game.sees().all() and not doom.inspected(game.state).any()

    def test_bad_input(self):
        with pytest.raises(ValueError, match="style='run'"):
            doom.demonstrate(MAP, "run", rng())
        with pytest.raises(ValueError, match="nothing to inspect"):
            doom.inspection(2, rng())


class TestWorld:
    def test_it_has_all_that_the_town_has(self):
        town, other = load_world("game"), load_world("game/doom")
        assert {n for n in dir(town) if not n.startswith("_")} - {n for n in dir(other) if not n.startswith("_")} == {
            "preset"
        }

    def test_coverage_by_hand(self):
        place = doom.level(MAP)
        cells = np.argwhere(place.walkable)[:10]
        area, at = doom.area_under_coverage(np.repeat(cells, 2, 0), place, budgets=(0.5, 1.0))
        assert at == pytest.approx(np.array([5, 10]) / place.walkable.sum())
        outside = np.argwhere(~place.walkable)[:10]
        assert doom.area_under_coverage(outside, place)[0] == 0

    def test_share_inspected_counts_the_things_there_are(self):
        world = load_world("game/doom")
        state = world.vector([MAP, 7]).get_state()
        state.touched, state.things = np.array([[15, 15], [15, 7]]), np.array([1, 2])
        state.touched[0, 1] = 0
        assert world.inspected_share(state).tolist() == [1, 0.5]

    def test_maps_of_a_part_recur_in_random_order(self):
        maps = load_world("game/doom").maps(2, 6, rng())
        assert sorted(maps) == sorted(doom.LEVELS[2] * 2)

    def test_a_picture_shows_the_map(self):
        place = doom.level(MAP)
        image = load_world("game/doom").picture(place)
        assert image.shape == (6 * place.walkable.shape[0], 6 * place.walkable.shape[1], 3)
