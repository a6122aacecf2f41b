"""Densities in the plane and of images, the rewards on them, and the exact recursion against slower routes."""

import io
import itertools
import math

import numpy as np
import pandas as pd
import pytest
from scipy import integrate

from autodidact.environments import densities, load_world
from autodidact.environments.densities import images as image_sets

PLANES = [densities.Modes(), densities.Moons()]


def law_and_rewards(seed, m=4):
    rng = np.random.default_rng(seed)
    return rng.dirichlet(np.ones(m)), rng.uniform(-2, 3, m)


def enumerated(p, r, candidates):
    """H by going through all (K - 1)-tuples of the others."""
    a, factor = np.exp(r), np.zeros(len(p))
    for others in itertools.product(range(len(p)), repeat=candidates - 1):
        others = list(others)
        factor += np.prod(p[others]) * candidates * a / (a + a[others].sum())
    return factor


class TestChoiceFactor:
    """H_t, the factor by which a round of choosing multiplies a point's share."""

    @pytest.mark.parametrize("candidates", [1, 2, 3, 5])
    def test_equals_enumeration(self, candidates):
        for seed in range(5):
            p, r = law_and_rewards(seed)
            exact = densities.choice_factor(p, r, candidates)
            np.testing.assert_allclose(exact, enumerated(p, r, candidates), rtol=1e-12)
            assert p @ exact == pytest.approx(1, abs=1e-13)
            assert (exact > 0).all() and (exact <= candidates + 1e-12).all()

    def test_by_hand_for_two_points_and_two_candidates(self):
        r = np.log([3.0, 1.0])  # alike: 1/2; else 3/4 against 1/4
        factor = densities.choice_factor(np.array([0.4, 0.6]), r, 2)
        np.testing.assert_allclose(factor, [2 * (0.4 * 0.5 + 0.6 * 0.75), 2 * (0.4 * 0.25 + 0.6 * 0.5)], rtol=1e-13)

    def test_rewards_far_apart_stay_exact(self):
        p, r = np.array([0.3, 0.3, 0.4]), np.array([0.0, -90.0, -300.0])
        factor = densities.choice_factor(p, r, 3)
        np.testing.assert_allclose(factor, enumerated(p, r, 3), rtol=1e-11)

    def test_many_candidates_are_an_exponential_tilt(self):
        p, r = law_and_rewards(1)
        tilt = np.exp(r) / (p @ np.exp(r))
        np.testing.assert_allclose(densities.choice_factor(p, r, math.inf), tilt, rtol=1e-13)
        apart = [np.abs(densities.choice_factor(p, r, k) - tilt).max() for k in (100, 1000, 10_000)]
        assert apart[0] > 8 * apart[1] > 64 * apart[2]  # as 1/K

    @pytest.mark.parametrize("shift", [-50.0, 700.0])
    def test_a_constant_added_to_the_reward_changes_nothing(self, shift):
        p, r = law_and_rewards(2)
        moved = densities.choice_factor(p, r + shift, 4)
        np.testing.assert_allclose(moved, densities.choice_factor(p, r, 4), rtol=1e-11)

    def test_bad_input_is_named(self):
        p, r = law_and_rewards(0)
        for candidates in (0, 2.5, -1):
            with pytest.raises(ValueError, match=f"candidates={candidates} must be a whole number"):
                densities.choice_factor(p, r, candidates)
        with pytest.raises(ValueError, match="one shape"):
            densities.choice_factor(p, r[:-1], 2)
        with pytest.raises(ValueError, match="sum to 1"):
            densities.choice_factor(2 * p, r, 2)
        with pytest.raises(ValueError, match="finite"):
            densities.choice_factor(p, np.full(4, np.nan), 2)


class TestRecursion:
    """The population update over rounds."""

    def grid(self):
        world = densities.Modes()
        points, p = world.grid(81)
        near = p > 1e-12
        return world, points[near], p[near] / p[near].sum()

    def test_eight_modes_two_candidates_only_synthetic(self):
        """E[exp r] by round as an independent computation of this grid had it; the variance first rises."""
        world, points, p = self.grid()
        r = world.reward(points, 10.0)
        mean, variance = densities.exp_reward(densities.recursion(p, r, 2, math.inf, 5), r)
        np.testing.assert_allclose(mean, [0.124, 0.232, 0.411, 0.652, 0.878, 0.983], atol=2e-3)
        assert variance.argmax() == 2 and variance[2] == pytest.approx(0.241, abs=2e-3) and variance[5] < 0.02

    def test_eight_modes_with_real_data_settle(self):
        world, points, p = self.grid()
        r, opposite = world.reward(points, 10.0), world.component(points) == 4
        end = densities.recursion(p, r, 2, 0.5, 40)[-1]
        assert densities.exp_reward(end, r)[0] == pytest.approx(0.205, abs=2e-3)
        for lam in (0.25, 0.5, 1.0):
            end = densities.recursion(p, r, 4, lam, 40)[-1]
            assert end[opposite].sum() == pytest.approx(1 / 8 / (1 + lam), abs=2e-3)

    @pytest.mark.parametrize(
        ("candidates", "lam", "rounds", "shares"),
        [(4, math.inf, 3, [0.10, 0.34, 0.80, 0.996]), (2, math.inf, 4, [0.10, 0.19, 0.34, 0.56, 0.80]),
         (4, 1.0, 60, [0.52]), (4, 0.5, 60, [0.33])],
    )  # fmt: skip
    def test_class_share_under_an_ideal_classifier(self, candidates, lam, rounds, shares):
        """One class in ten is rewarded with 5 nats."""
        r = np.where(np.arange(10) == 0, 5.0, 0.0)
        path = densities.recursion(np.full(10, 0.1), r, candidates, lam, rounds)[:, 0]
        np.testing.assert_allclose(path[-len(shares) :], shares, atol=5e-3)

    def test_a_round_is_what_choosing_does(self):
        """Shares of a million kept samples against p H."""
        p, r = law_and_rewards(3)
        rng = np.random.default_rng(0)
        groups = rng.choice(4, size=(1_000_000, 3), p=p)
        weight = np.exp(r)[groups]
        kept = (weight.cumsum(1) / weight.sum(1, keepdims=True) < rng.random((len(groups), 1))).sum(1)
        shares = np.bincount(groups[np.arange(len(groups)), kept]) / len(groups)
        np.testing.assert_allclose(shares, densities.curate(p, r, 3), atol=2e-3)

    def test_batches_of_laws_are_laws_one_by_one(self):
        laws, rewards = map(np.stack, zip(*(law_and_rewards(s) for s in range(6)), strict=True))
        together = densities.recursion(laws, rewards, 3, 0.7, 5)
        for i in range(6):
            np.testing.assert_allclose(together[:, i], densities.recursion(laws[i], rewards[i], 3, 0.7, 5), atol=1e-13)

    def test_stays_a_law_for_a_thousand_rounds(self):
        p, r = law_and_rewards(4)
        path = densities.recursion(p, r, 4, 5.0, 1000)
        np.testing.assert_allclose(path.sum(1), 1, atol=1e-12)
        np.testing.assert_allclose(densities.recursion(p, r, 1, 1.0, 50)[-1], p, atol=1e-12)  # K = 1: nothing happens
        np.testing.assert_allclose(densities.recursion(p, r, 4, 0.0, 3)[-1], p)  # only real data
        with pytest.raises(ValueError, match="lam=-1"):
            densities.recursion(p, r, 2, -1, 1)


class TestBounds:
    """The theorems' numbers, and that a bound can be violated by what is no curation."""

    def test_by_hand(self):
        p, r = np.array([0.5, 0.5]), np.log([1.0, 0.5])
        mean, variance = densities.exp_reward(p, r)
        assert (mean, variance) == (pytest.approx(0.75), pytest.approx(0.0625))
        assert densities.lemma_2_2(p, r, 2) == pytest.approx(0.75 + 0.5 * 0.0625)
        assert densities.theorem_2_3(p, r, 4, 1.0) == pytest.approx(0.75 + 1 / 8 * 3 / 4 * 0.0625)
        assert densities.theorem_2_4(3, 0.25) == pytest.approx(math.log(2))
        assert densities.kl_divergence(np.array([1.0, 0]), p) == pytest.approx(math.log(2))
        np.testing.assert_allclose(
            densities.best_level(np.array([0.2, 0.3, 0.5, 0]), np.array([1.0, 1, 0, 9])), [0.4, 0.6, 0, 0]
        )
        with pytest.raises(ValueError, match=r"below 1/\(candidates - 1\) = 0.333"):
            densities.theorem_2_4(4, 1.0)

    def test_hold_on_the_recursion_and_fail_on_random_laws(self):
        laws, rewards = map(np.stack, zip(*(law_and_rewards(s) for s in range(50)), strict=True))
        step = densities.recursion(laws, rewards, 3, math.inf, 1)[1]
        least = densities.lemma_2_2(laws, rewards, 3)
        assert (densities.exp_reward(step, rewards)[0] >= least - 1e-12).all()
        assert (densities.exp_reward(laws[:, ::-1], rewards)[0] < least).any()

    def test_the_logistic_loop_contracts_at_its_derivative(self):
        """The fixed point maximises the likelihood; the rate is lambda B / (A + lambda B), below the bound."""
        family = densities.LogisticLocation()
        score = family.data @ np.tanh((family.x - family.optimum) / 2)
        assert score == pytest.approx(0, abs=1e-12)
        bend = family.data @ (0.5 / np.cosh((family.x - family.optimum) / 2) ** 2), 1 / 3  # B: Fisher information
        for lam in (0.5, 2.0):
            error = family.path(family.optimum + 1e-3, lam, 3) - family.optimum
            assert error[2] / error[1] == pytest.approx(lam * bend[1] / (bend[0] + lam * bend[1]), abs=1e-4)
            assert error[2] / error[1] < family.rate_bound(lam)


class TestPlane:
    """Mixtures in the plane."""

    @pytest.mark.parametrize("world", PLANES)
    def test_density_is_normalised_and_is_that_of_the_samples(self, world):
        points, p = world.grid(121)
        side = points[1, 0] - points[0, 0], points[121, 1] - points[0, 1]
        assert world.density(points).sum() * side[0] * side[1] == pytest.approx(1, abs=2e-3)
        x = world.sample(40_000, np.random.default_rng(0))
        assert x.dtype == np.float32
        for of in (lambda y: y[:, 0], lambda y: y[:, 1] ** 2, lambda y: np.exp(world.reward(y, 10.0))):
            assert of(x).mean() == pytest.approx(p @ of(points), abs=0.05)
        for c in range(world.components):
            assert (world.component(x) == c).mean() == pytest.approx(p @ (world.component(points) == c), abs=0.01)

    @pytest.mark.parametrize("world", PLANES)
    def test_twin_generators_agree_and_neighbours_do_not(self, world):
        one, two, other = (world.sample(50, np.random.default_rng(s)) for s in (5, 5, 6))
        assert (one == two).all() and not (one == other).any()

    def test_reward_and_component_of_modes_by_hand(self):
        world = densities.Modes()
        x = np.array([[4.0, 0], [4, 1], [4, 1.5], [-4, 0], [0, 0]])
        np.testing.assert_allclose(world.reward(x, 10.0), [0, 0, -5, -70, -30])
        assert world.component(x).tolist() == [0, 0, -1, 4, -1]

    def test_distances_to_the_moons_against_brute_force(self):
        world = densities.Moons()
        x = np.random.default_rng(0).uniform(-3, 5, (60, 2))
        angle = np.linspace(0, np.pi, 20_001)
        arcs = [np.stack([np.cos(angle), np.sin(angle)], 1), np.stack([1 - np.cos(angle), 0.5 - np.sin(angle)], 1)]
        brute = [np.linalg.norm(x[:, None] - 2 * arc, axis=-1).min(1) for arc in arcs]
        np.testing.assert_allclose(world.distances(x), np.stack(brute, 1), atol=1e-3)

    def test_density_of_moons_against_an_integral(self):
        world = densities.Moons()

        def at(angle, x):
            arcs = [(np.cos(angle), np.sin(angle)), (1 - np.cos(angle), 0.5 - np.sin(angle))]
            return (
                sum(np.exp(-((x[0] - 2 * u) ** 2 + (x[1] - 2 * v) ** 2) / 0.08) for u, v in arcs) / 2 / (0.08 * np.pi)
            )

        for x in ([0.0, 2.0], [2.1, 0.3], [1.0, -1.0]):
            value = integrate.quad(at, 0, np.pi, args=(x,), limit=200)[0] / np.pi
            assert world.density(np.array([x]))[0] == pytest.approx(value, abs=1e-6)

    def test_bad_input_is_named(self):
        with pytest.raises(ValueError, match=r"x must be points of the plane, \(n, 2\), shape \(3,\)"):
            densities.Modes().component(np.zeros(3))
        with pytest.raises(ValueError, match="gamma=0"):
            densities.Modes().reward(np.zeros((1, 2)), 0)
        with pytest.raises(ValueError, match="side=1"):
            densities.Moons().grid(1)
        with pytest.raises(ValueError, match="preset='odd' is unknown; known are default, modes, moons, digits"):
            load_world("densities/odd")


class TestRewards:
    """Rewards by a classifier's probabilities."""

    def test_by_hand(self):
        q = np.array([[0.7, 0.2, 0.1], [0.1, 0.1, 0.8]])
        np.testing.assert_allclose(densities.class_reward(q, 0, 5.0), [3.5, 0.5])
        np.testing.assert_allclose(densities.confidence_reward(q, 15.0), [10.5, 12.0])
        np.testing.assert_allclose(densities.distance_reward(np.array([0.5, 1.5]), 2.0, 1.0), [0, -1])

    def test_bad_input_is_named(self):
        with pytest.raises(ValueError, match="target=3 must be a class, 0 to 2"):
            densities.class_reward(np.full((2, 3), 1 / 3), 3, 1.0)
        with pytest.raises(ValueError, match="rows that sum to 1"):
            densities.confidence_reward(np.ones((2, 3)), 1.0)
        with pytest.raises(ValueError, match="r_min=-1"):
            densities.distance_reward(np.zeros(2), 1.0, -1)


def picture(colour=(10, 20, 30), size=(32, 32)):
    from PIL import Image

    file = io.BytesIO()
    Image.new("RGB", size, colour).save(file, "PNG")
    return {"bytes": file.getvalue(), "path": None}


@pytest.fixture
def cifar(tmp_path, monkeypatch):
    """Writes rows as a mirror of CIFAR-10, whose reader it returns."""
    folder = tmp_path / "uoft-cs__cifar10"
    folder.mkdir()
    monkeypatch.setenv("DATASETS_MIRROR", str(tmp_path))

    def read(rows, **options):
        pd.DataFrame(rows).to_parquet(folder / "train.parquet")
        image_sets.cifar10.cache_clear()
        return densities.cifar10(**options)

    yield read
    image_sets.cifar10.cache_clear()


class TestImages:
    """Digits and CIFAR-10."""

    def test_digits(self):
        world = load_world("densities/digits")
        (seen, labels), (unseen, _) = world.split("train"), world.split("held-out")
        assert world.shape == (1, 8, 8) and len(seen) + len(unseen) == 1797 and len(unseen) == 360
        assert seen.dtype == np.float32 and seen.min() == -1 and seen.max() == 1
        assert set(labels) == set(range(10))
        drawn = world.sample(1437, np.random.default_rng(0)).reshape(1437, -1)
        np.testing.assert_allclose(np.sort(drawn, 0), np.sort(seen.reshape(1437, -1), 0))  # each once
        with pytest.raises(ValueError, match="split='test' is unknown"):
            world.split("test")

    def test_shrinking_averages_blocks(self):
        pixels = np.zeros((1, 4, 4, 3), np.uint8)
        pixels[0, :2, :2, 1] = [[255, 0], [0, 255]]
        small = image_sets.shrink(pixels, 2)
        assert small.shape == (1, 3, 2, 2)
        np.testing.assert_allclose(small[0, 1], [[0, -1], [-1, -1]], atol=1e-6)

    def test_cifar10_from_a_mirror(self, cifar):
        rows = [{"img": picture((255, 0, 51)), "label": i % 10} for i in range(12)]
        world = cifar(rows, size=16, limit=11)
        assert world.images.shape == (11, 3, 16, 16) and world.labels.tolist() == [*range(10), 0]
        np.testing.assert_allclose(world.images[0, :, 3, 3], [1, -1, -0.6], atol=1e-6)

    @pytest.mark.parametrize(
        ("change", "message"),
        [
            (
                {"img": {"bytes": b"\xff\xd8 no image", "path": None}},
                "train.parquet: column 'img', row 1 is no readable image",
            ),
            (
                {"img": {"bytes": picture()["bytes"][:60], "path": None}},
                "train.parquet: column 'img', row 1 is no readable image",
            ),
            ({"img": picture(size=(32, 31))}, "train.parquet: column 'img', row 1 must be 32 x 32 pixels, not 32 x 31"),
            (
                {"img": {"bytes": None, "path": "lost.png"}},
                "train.parquet: column 'img', row 1 must hold the image file's bytes",
            ),
            ({"label": 10}, "train.parquet: column 'label', row 1 must be 0 to 9, not 10"),
        ],
    )
    def test_a_corrupt_row_is_named(self, cifar, change, message):
        rows = [{"img": picture(), "label": 0}, {"img": picture(), "label": 1, **change}]
        with pytest.raises(ValueError, match=message):
            cifar(rows)

    def test_a_missing_column_and_an_odd_size_are_named(self, cifar):
        with pytest.raises(ValueError, match="column 'img' is missing; it has image, label"):
            cifar([{"image": picture(), "label": 0}])
        with pytest.raises(ValueError, match="size=12 must divide 32"):
            densities.cifar10(size=12)
