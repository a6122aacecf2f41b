"""The town world: its maps, its pixels, its rules, its truth, its demonstrators."""

import time
from dataclasses import replace
from types import SimpleNamespace

import gymnasium
import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env
from hypothesis import given, settings
from hypothesis import strategies as st

from autodidact.environments import game, load_world
from autodidact.environments.game import render, towns

DOWN, RIGHT, INTERACT = 1, 3, game.INTERACT
KNOBS = {"size": 16, "rooms": 4}
SMALL = game.Knobs(**KNOBS)


def rng(seed=0):
    return np.random.default_rng(seed)


def flood(walkable, start):
    """Reachable cells by spreading one cell at a time until nothing changes."""
    reached = np.zeros_like(walkable)
    reached[start] = True
    while True:
        spread = reached.copy()
        for axis in (0, 1):
            for step in (-1, 1):
                spread |= np.roll(reached, step, axis)
        spread &= walkable
        if (spread == reached).all():
            return reached
        reached = spread


def placed(vector, position, facing=DOWN):
    state = vector.get_state()
    state.position[:], state.facing[:] = position, facing
    vector.set_state(state)
    return vector


class TestMaps:
    @given(seed=st.integers(0, 10_000), size=st.integers(16, 24), rooms=st.integers(4, 7), width=st.integers(1, 2))
    @settings(max_examples=25, deadline=None)
    def test_everything_is_connected_and_the_trail_can_be_walked(self, seed, size, rooms, width):
        place = game.town(seed, game.Knobs(size=size, rooms=rooms, door_width=width))
        reach = game.reachable(place)
        assert (reach == flood(place.walkable, place.start)).all()
        assert reach[place.exit]
        assert (reach == (place.walkable & (place.kind != towns.VOID))).all()
        assert reach[tuple(place.trail.T)].all()
        assert (np.abs(np.diff(place.trail, axis=0)).sum(1) == 1).all()
        assert tuple(place.trail[0]) == place.start and tuple(place.trail[-1]) == place.exit
        for crate in place.crates:
            assert reach[tuple((np.array(crate) + towns.MOVES).T)].all()

    def test_number_of_rooms_things_and_bugs(self):
        place = game.town(3, game.Knobs(rooms=7, n_bugs=8, n_crates=4, n_plants=2))
        assert set(np.unique(place.room)) == {-1, *range(7)}
        assert (place.kind == towns.CRATE).sum() == 4 and (place.kind == towns.PLANT).sum() == 2
        assert [bug.kind for bug in place.bugs] == 2 * list(game.BUGS)
        assert len({bug.place for bug in place.bugs}) == 8

    @pytest.mark.parametrize("share", [0, 0.5, 1])
    def test_share_of_bugs_near_the_trail(self, share):
        for seed in range(5):
            place = game.town(seed, game.Knobs(bugs_on_path=share))
            near = [np.abs(place.trail - bug.place).max(1).min() <= 2 for bug in place.bugs]
            assert near == [bug.on_path for bug in place.bugs] and np.mean(near) == share

    def test_the_trail_covers_all_rooms_or_some(self):
        def rooms_on_trail(seed, covers):
            place = game.town(seed, game.Knobs(trail_covers=covers))
            return len(set(place.room[tuple(place.trail.T)]) - {-1})

        assert all(rooms_on_trail(s, "all") == 6 for s in range(10))
        assert np.mean([rooms_on_trail(s, "half") for s in range(10)]) < 5

    def test_reachable_cells_do_not_know_of_bugs(self):
        place = game.town(1, SMALL)
        assert (game.reachable(place) == game.reachable(replace(place, bugs=()))).all()
        hole = next(bug for bug in place.bugs if bug.kind == "hole")
        assert not game.reachable(place)[hole.place]

    def test_layouts_of_different_seeds_differ(self):
        train = {game.town(s, SMALL).layout_hash() for s in range(40)}
        assert len(train) == 40
        assert not train & {game.town(s, SMALL).layout_hash() for s in range(1000, 1040)}

    def test_presets_and_bad_knobs(self):
        world = load_world("game/half-trail").set(size=16)
        assert (world.settings.trail_covers, world.settings.size) == ("half", 16)
        assert world.vector([1, 2]).batch == 2 and len(world.demonstrate(0, "wall", rng(), steps=5).actions) == 5
        with pytest.raises(ValueError, match="town, half-trail"):
            load_world("game/nowhere")
        for name, value in {"size": 40, "rooms": 2, "trail_covers": "none", "landmarks": 2, "scale": 0}.items():
            with pytest.raises(ValueError, match=f"{name}={value!r} must be"):
                game.make(0, **{name: value})
        with pytest.raises(ValueError, match="map_seed=-1"):
            game.make(-1)


class TestPixels:
    def test_the_window_is_the_cells_around_the_player(self):
        vector = game.make_vector([5], **KNOBS)
        place, (y, x) = vector.towns[0], vector.towns[0].start
        window, tiles = vector.reset()[0][0], render.tiles(5)
        assert window.shape == (32, 32, 3) and window.dtype == np.uint8
        assert not window[0].any() and not window[:, -1].any()
        for dy in range(-2, 3):
            for dx in range(-2, 3):
                top, left = 1 + 6 * (dy + 2), 1 + 6 * (dx + 2)
                cell = window[top : top + 6, left : left + 6]
                wanted = tiles[place.look[y + dy, x + dx]]
                corners = (0, 0, 5, 5), (0, 5, 0, 5)
                assert (cell == wanted).all() or ((dy, dx) == (0, 0) and (cell[corners] == wanted[corners]).all())

    def test_the_picture_of_the_town_holds_the_windows(self):
        world = load_world("game/town")
        vector = world.vector([6])
        whole, window = world.picture(vector.towns[0]), vector.reset()[0][0]
        y, x = 6 * np.array(vector.towns[0].start)
        around = whole[y - 12 : y + 18, x - 12 : x + 18]
        differs = (around != window[1:-1, 1:-1]).any(-1)
        assert differs[12:18, 12:18].any() and differs.sum() == differs[12:18, 12:18].sum()

    def test_equal_surroundings_look_equal_wherever_they_are(self):
        vector, seen, repeats = game.make_vector([2], size=24, rooms=4), {}, 0
        place = vector.towns[0]
        for y, x in np.argwhere(game.reachable(place)):
            around = place.look[y - 2 : y + 3, x - 2 : x + 3].tobytes()
            window = placed(vector, (y, x)).render()[0]
            repeats += around in seen
            assert (seen.setdefault(around, window) == window).all()
        assert repeats > 5  # the map has places that cannot be told apart
        assert len({w.tobytes() for w in seen.values()}) == len(seen)

    def test_what_is_out_of_view_changes_nothing_and_a_crate_coming_into_view_does(self):
        vector = game.make_vector([0], **KNOBS)
        crate = np.array(vector.towns[0].crates[0])
        for distance, changes in ((2, True), (3, False)):
            placed(vector, crate + (0, distance))
            before = vector.render()
            vector.state.look[(0, *crate)] = towns.FLOOR
            assert (vector.render() != before).any() == changes
            vector.state.look[(0, *crate)] = towns.CRATE

    def test_facing_is_seen(self):
        vector = game.make_vector([0], **KNOBS)
        assert len({placed(vector, vector.towns[0].start, f).render().tobytes() for f in range(4)}) == 4

    def test_a_larger_scale_is_the_same_picture(self):
        one, two = (game.make_vector([4, 5], scale=s, **KNOBS).reset()[0] for s in (1, 2))
        assert two.shape == (2, 64, 64, 3) and (two[:, ::2, ::2] == one).all() and (two[:, 1::2, 1::2] == one).all()

    def test_animated_and_landmarked_towns(self):
        still, moving = (game.make_vector(range(8), animated=a, **KNOBS) for a in (False, True))
        for vector, flickers in ((still, False), (moving, True)):
            vector.reset()
            before = vector.state.look.copy()
            vector.step(np.full(8, INTERACT))
            assert (vector.state.look != before).any() == flickers
        decals = game.make_vector([0], landmarks=1.0, **KNOBS).towns[0].look >= towns.DECAL
        assert decals.sum() > 50

    @pytest.mark.parametrize("scale", [1, 2])
    def test_detector_is_exact(self, scale):
        vector, acts, hits = game.make_vector(range(16), scale=scale, **KNOBS), rng(1), 0
        obs, _ = vector.reset()
        for _ in range(60):
            truth = [
                (vector.state.kind[b, y - 2 : y + 3, x - 2 : x + 3] == towns.CRATE).any()
                for b, (y, x) in enumerate(vector.state.position)
            ]
            assert (game.detect(obs) == truth).all()
            hits += sum(truth)
            obs = vector.step(acts.integers(5, size=16))[0]
        assert 50 < hits < 900

    def test_detector_errs_as_often_as_it_is_told(self):
        obs = np.repeat(game.make_vector([0], **KNOBS).reset()[0], 4000, 0)
        assert (game.detect(obs) != game.detect(obs, rng(0), 0.1)).mean() == pytest.approx(0.1, abs=0.02)
        for wrong in ({"flip": 0.1}, {"flip": 1.0, "rng": rng()}):
            with pytest.raises(ValueError, match="flip="):
                game.detect(obs, **wrong)
        with pytest.raises(ValueError, match="obs of shape"):
            game.detect(obs[:, :30])


class TestRules:
    def test_gymnasium_accepts_it(self):
        env = game.make(0, **KNOBS)
        check_env(env, skip_render_check=True)
        assert isinstance(env, gymnasium.Env)

    def test_single_and_vector_agree(self):
        vector, acts = game.make_vector([3, 4, 5], horizon=40, **KNOBS), rng(2)
        singles = [game.make(s, horizon=40, **KNOBS) for s in (3, 4, 5)]
        obs, _ = vector.reset()
        for b, env in enumerate(singles):
            env.reset(seed=0)
            env.vector.reset()
            assert (env.render() == obs[b]).all()
        for _ in range(40):
            actions = acts.integers(5, size=3)
            obs, reward, terminated, truncated, info = vector.step(actions)
            assert not reward.any() and not terminated.any()
            for b, env in enumerate(singles):
                one, r, term, trunc, told = env.step(int(actions[b]))
                assert (one == obs[b]).all() and (r, term, trunc) == (0.0, False, bool(truncated[b]))
                assert all((told[name] == info[name][b]).all() for name in info)
        assert truncated.all()

    def test_walls_stop_and_turn(self):
        vector = game.make_vector([0], **KNOBS)
        wall = next(
            c for c in np.argwhere(vector.towns[0].kind == towns.WALL)
            if vector.towns[0].walkable[tuple(c - (1, 0))] and not vector._hole[(0, *c)]
        )  # fmt: skip
        placed(vector, wall - (1, 0), RIGHT)
        _, _, _, _, info = vector.step(np.array([DOWN]))
        assert (info["position"][0] == wall - (1, 0)).all() and vector.state.facing[0] == DOWN

    def test_hole_leads_into_the_void_and_counts_as_finding_only(self):
        vector = game.make_vector([0], **KNOBS)
        place, hole = vector.towns[0], next(b for b in vector.towns[0].bugs if b.kind == "hole")
        inside = next(c for c in np.array(hole.place) + towns.MOVES if place.room[tuple(c)] >= 0)
        way = int(np.flatnonzero((np.array(hole.place) - inside == towns.MOVES).all(1))[0])
        placed(vector, inside, way)
        before = game.coverage(vector.state.visited[0], place)
        info = vector.step(np.array([way]))[4]
        assert info["in_void"][0] and place.bugs[info["bug"][0]] == hole
        info = vector.step(np.array([way]))[4]
        assert info["in_void"][0] and place.kind[tuple(info["position"][0])] == towns.VOID and info["bug"][0] == -1
        assert game.coverage(vector.state.visited[0], place) == before
        info = vector.step(np.array([way]))[4]  # behind the void nothing is entered
        assert place.kind[tuple(info["position"][0])] == towns.VOID

    def test_only_interact_frees(self):
        vector = game.make_vector([0], **KNOBS)
        place, bug = vector.towns[0], next(b for b in vector.towns[0].bugs if b.kind == "stuck")
        beside = next(c for c in np.array(bug.place) + towns.MOVES if place.walkable[tuple(c)])
        way = int(np.flatnonzero((np.array(bug.place) - beside == towns.MOVES).all(1))[0])
        placed(vector, beside, way)
        info = vector.step(np.array([way]))[4]
        assert place.bugs[info["bug"][0]] == bug
        back = int(towns.OPPOSITE[way])
        assert (vector.step(np.array([back]))[4]["position"][0] == bug.place).all()
        vector.step(np.array([INTERACT]))
        assert (vector.step(np.array([back]))[4]["position"][0] == beside).all()

    @pytest.mark.parametrize("side", range(4))
    def test_crate_vanishes_from_its_side_only(self, side):
        vector = game.make_vector([7], **KNOBS)
        vector.reset()
        place, bug = vector.towns[0], next(b for b in vector.towns[0].bugs if b.kind == "vanish")
        placed(vector, np.array(bug.place) + towns.MOVES[side], int(towns.OPPOSITE[side]))
        info = vector.step(np.array([INTERACT]))[4]
        assert (vector.state.found[0, place.bugs.index(bug)] == 1) == (side == bug.side)
        assert (vector.state.kind[(0, *bug.place)] == towns.FLOOR) == (side == bug.side)
        assert info["inspected"][0] == 1 << side

    def test_wrong_texture_is_found_on_sight(self):
        vector = game.make_vector([0], **KNOBS)
        number, bug = next((i, b) for i, b in enumerate(vector.towns[0].bugs) if b.kind == "wrong_texture")
        seen = []
        for column in (bug.place[1] - 4, bug.place[1] - 2):
            vector.reset()
            vector.state.found[:] = -1
            placed(vector, (bug.place[0], column)).step(np.array([INTERACT]))
            seen.append(vector.state.found[0, number] >= 0)
        assert seen == [False, True]

    def test_bugs_of_one_step_are_all_told(self):
        seed, place, bugs = next(
            (s, place, kinds)
            for s in range(200)
            for place in [game.town(s, SMALL)]
            for kinds in [{b.kind: (i, np.array(b.place)) for i, b in enumerate(place.bugs)}]
            if np.abs(kinds["stuck"][1] - kinds["wrong_texture"][1]).max() == 2
        )
        (stuck, cell), (texture, glitch) = bugs["stuck"], bugs["wrong_texture"]
        beside, way = next(
            (cell - move, way)
            for way, move in enumerate(towns.MOVES)
            if place.walkable[tuple(cell - move)] and np.abs(cell - move - glitch).max() == 3
        )
        vector = game.make_vector([seed], **KNOBS)
        vector.reset()
        placed(vector, beside, way).state.found[:] = -1
        info = vector.step(np.array([way]))[4]
        assert np.flatnonzero(info["bugs"][0]).tolist() == sorted([stuck, texture])
        assert info["bug"][0] == min(stuck, texture)
        assert not vector.step(np.array([INTERACT]))[4]["bugs"].any()

    def test_states_are_kept_and_restored(self):
        vector, acts = game.make_vector([0, 1], **KNOBS), rng(3)
        vector.reset()
        for _ in range(30):
            vector.step(acts.integers(5, size=2))
        state, actions = vector.get_state(), acts.integers(5, size=(20, 2))
        first = [vector.step(a)[0] for a in actions]
        vector.set_state(state)
        assert all((a == vector.step(b)[0]).all() for a, b in zip(first, actions, strict=True))

    def test_wrong_actions_are_refused(self):
        vector = game.make_vector([0, 1], **KNOBS)
        for wrong, what in (([0, 5], "has 5"), ([0], "shape"), ([0.0, 1.0], "integers"), ([-1, 0], "has -1")):
            with pytest.raises(ValueError, match=what):
                vector.step(np.array(wrong))
        with pytest.raises(ValueError, match="action=7"):
            game.make(0, **KNOBS).step(7)
        with pytest.raises(ValueError, match="map_seeds is empty"):
            game.make_vector([])

    def test_speed(self):
        """Frames a second on one core; the best of three, since others may use the machine."""
        for scale, wanted in ((1, 20_000), (2, 5_000)):
            vector, acts = game.make_vector(range(64), scale=scale, horizon=10_000), rng(0).integers(5, size=(40, 64))
            seconds = []
            for _ in range(3):
                start = time.process_time()
                for actions in acts:
                    vector.step(actions)
                seconds.append(time.process_time() - start)
            assert acts.size / min(seconds) > wanted


class TestTruth:
    def test_coverage_deviation_completion_by_hand(self):
        place = game.town(0, SMALL)
        trail, total = game.golden_path(place), game.reachable(place).sum()
        visited = np.zeros(place.kind.shape, bool)
        visited[tuple(trail[:3].T)] = True
        visited[0, 0] = True  # not reachable
        assert game.coverage(visited, place) == pytest.approx(3 / total)
        assert game.deviation(trail, place) == 0 and game.completion(trail, place) == 1
        assert game.completion(trail[:1], place, radius=0) == pytest.approx((trail == trail[0]).all(1).mean())
        beside = trail + (40, 0)
        brute = np.mean([min(abs(y - a) + abs(x - b) for a, b in trail) for y, x in beside])
        assert game.deviation(beside, place) == pytest.approx(brute)

    def test_progress_sums_to_completion_and_pays_nobody_who_stands_still(self):
        place = game.town(0, SMALL)
        walk = rng(3).permutation(np.argwhere(game.reachable(place)))[:25]
        walk[5:10] = walk[4]
        progress = game.Progress([place, game.town(1, SMALL)])
        other = game.town(1, SMALL).trail
        progress.begin(np.stack([walk[0], other[0]]))
        gained = np.array([progress.step(np.stack([here, other[0]])) for here in walk[1:]])
        at_start = game.completion(walk[:1], place)
        assert gained[:, 0].sum() / len(place.trail) + at_start == pytest.approx(game.completion(walk, place))
        assert not gained[4:9, 0].any() and not gained[:, 1].any() and gained[:, 0].any()
        progress.begin(np.stack([walk[0], other[0]]))  # another episode pays again
        assert progress.step(np.stack([walk[1], other[0]]))[0] == gained[0, 0]

    def test_progress_along_the_path_by_hand(self):
        paths = [np.array([[0, 0], [0, 1], [0, 2], [0, 1]]), np.array([[7, 7]])]  # one goes back over a cell
        progress = game.Progress([SimpleNamespace(trail=path) for path in paths], radius=0)
        progress.begin(np.array([[0, 0], [0, 0]]))
        walk = [(0, 1), (0, 0), (0, 2), (5, 5)], [(0, 1), (7, 7), (7, 7), (0, 0)]
        gained = [progress.step(np.array(here)).tolist() for here in zip(*walk, strict=True)]
        assert gained == [[2, 0], [0, 1], [1, 0], [0, 0]]
        near = game.Progress([SimpleNamespace(trail=path) for path in paths])
        near.begin(np.array([[9, 9], [0, 0]]))
        assert near.step(np.array([[0, 3], [6, 7]])).tolist() == [1, 1]

    def test_curve_and_area(self):
        place = game.town(0, SMALL)
        walk = np.vstack([place.trail[:4], place.trail[:4], [[0, 0]]])
        total, distinct = game.reachable(place).sum(), len({tuple(c) for c in place.trail[:4]})
        curve = game.coverage_curve(walk, place)
        assert curve[-1] == pytest.approx(distinct / total) and (np.diff(curve) >= 0).all()
        visited = np.zeros(place.kind.shape, bool)
        for t, (y, x) in enumerate(walk):
            visited[y, x] = True
            assert curve[t] == pytest.approx(game.coverage(visited, place))
        area, at = game.area_under_coverage(walk, place, (1 / 3, 1.0))
        assert area == pytest.approx(curve.mean()) and at == pytest.approx([curve[2], curve[8]])
        with pytest.raises(ValueError, match="budgets"):
            game.area_under_coverage(walk, place, (0, 1))


class TestDemonstrators:
    @pytest.mark.parametrize("knobs", [{}, {**KNOBS, "trail_covers": "half"}], ids=["town", "small"])
    def test_each_does_what_its_style_promises(self, knobs):
        features = {style: [] for style in game.STYLES}
        for seed in range(4):
            place = game.town(seed, game.Knobs(**knobs))
            for style in game.STYLES:
                walk = game.demonstrate(seed, style, rng(seed), noise=0, **knobs)
                features[style].append(game.style_features(walk.positions, walk.actions, place))
                if style == "golden":
                    assert game.completion(walk.positions, place) == 1
                    assert game.deviation(walk.positions, place) < 0.5
                if style == "sweep":
                    assert game.coverage_curve(walk.positions, place)[-1] > 0.9
        mean = {s: {f: np.mean([x[f] for x in features[s]]) for f in game.STYLES} for s in game.STYLES}
        assert mean["wall"]["wall"] > 0.8
        for style in game.STYLES:  # each is the first in its own feature
            assert max(game.STYLES, key=lambda s, f=style: mean[s][f]) == style

    def test_noise_disturbs_and_golden_still_arrives(self):
        walks = [game.demonstrate(s, "golden", rng(s), noise=0.2, **KNOBS) for s in range(4)]
        for seed, walk in enumerate(walks):
            place = game.town(seed, SMALL)
            assert game.completion(walk.positions, place) == 1
            assert len(walk.actions) > len(place.trail) - 1

    def test_a_demonstration_replays(self):
        walk = game.demonstrate(3, "sweep", rng(0), **KNOBS)
        vector = game.make_vector([3], **KNOBS)
        vector.reset(rng(0))
        assert len(walk.obs) == len(walk.positions) == len(walk.actions) + 1
        for t, action in enumerate(walk.actions):
            obs, *_, info = vector.step(np.array([action]))
            assert (obs[0] == walk.obs[t + 1]).all() and (info["position"][0] == walk.positions[t + 1]).all()

    def test_an_inspection_touches_four_sides_in_time(self):
        for seed in range(12):
            walk = game.inspection(seed, rng(seed), **KNOBS)
            vector = game.make_vector([seed], **KNOBS)
            vector.set_state(game.inspection_task(seed, rng(seed), **KNOBS))
            assert game.detect(vector.render())[0] and (vector.render()[0] == walk.obs[0]).all()
            masks = [vector.step(np.array([a]))[4]["inspected"][0] for a in walk.actions]
            assert masks[-1] == game.ALL_SIDES and game.ALL_SIDES not in masks[:-1]
            assert game.inspected(vector.state)[0] and len(walk.actions) <= game.INSPECTION_STEPS

    def test_tasks_of_many_maps(self):
        vector = game.inspection_tasks([1, 2, 3], rng(0), **KNOBS)
        assert game.detect(vector.render()).all() and not game.inspected(vector.state).any()

    def test_bad_input(self):
        with pytest.raises(ValueError, match="golden, wall, sweep"):
            game.demonstrate(0, "silly", rng())
        with pytest.raises(ValueError, match="noise=1"):
            game.demonstrate(0, "wall", rng(), noise=1)
