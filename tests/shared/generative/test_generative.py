"""Flow matching, its samplers, the choice rule and the measures, each against an independent computation."""

import math

import numpy as np
import pytest
import torch
from scipy import stats
from scipy.linalg import sqrtm
from scipy.optimize import linear_sum_assignment

from autodidact import generative
from autodidact.environments.densities import choice_factor
from autodidact.losses.flow import flow_matching


def rng(seed=0):
    return np.random.default_rng(seed)


class TestLoss:
    """Flow matching."""

    def test_by_hand(self):
        noise, data = torch.tensor([[0.0, 2.0]]), torch.tensor([[4.0, 2.0]])
        seen = []

        def field(x, t):
            seen.append((x.tolist(), t.tolist()))
            return torch.tensor([[1.0, 1.0]])

        loss = flow_matching(field, noise, data, torch.tensor([0.25]))
        assert seen == [([[1.0, 2.0]], [0.25])]
        assert loss.tolist() == [((1 - 4) ** 2 + 1) / 2]

    def test_gradient_against_finite_differences(self):
        noise, data, t = (
            torch.randn(5, 3, dtype=torch.float64),
            torch.randn(5, 3, dtype=torch.float64),
            torch.rand(5).double(),
        )
        weight = torch.randn(3, 3, dtype=torch.float64, requires_grad=True)
        assert torch.autograd.gradcheck(
            lambda w: flow_matching(lambda x, t: x @ w + t[:, None], noise, data, t), weight
        )

    def test_its_minimum_is_the_conditional_mean(self):
        """Between independent standard Gaussians the best field at time t is x (2t - 1) / (t^2 + (1 - t)^2)."""
        noise, data = (torch.from_numpy(rng(i).normal(size=(200_000, 1))) for i in range(2))
        t = torch.full((len(noise),), 0.8, dtype=torch.float64)
        best = (2 * 0.8 - 1) / (0.8**2 + 0.2**2)
        losses = [flow_matching(lambda x, t, a=a: a * x, noise, data, t).mean() for a in (best - 0.1, best, best + 0.1)]
        assert losses[1] < losses[0] and losses[1] < losses[2]

    def test_shapes_that_would_broadcast_are_refused(self):
        x = torch.zeros(4, 2)
        with pytest.raises(ValueError, match=r"noise \(4, 2\), data \(4, 1\)"):
            flow_matching(lambda x, t: x, x, torch.zeros(4, 1), torch.zeros(4))
        with pytest.raises(ValueError, match=r"t must be one time an example, \(4,\), not \(4, 1\)"):
            flow_matching(lambda x, t: x, x, x, torch.zeros(4, 1))


class TestTransport:
    """Minibatch optimal transport."""

    @pytest.mark.parametrize("shape", [(32, 2), (16, 1, 4, 4)])
    def test_is_an_optimal_assignment(self, shape):
        noise, data = rng(0).normal(size=shape), 3 + rng(1).normal(size=shape)
        order = generative.transport_pairs(noise, data)
        assert sorted(order) == list(range(len(noise)))
        cost = ((noise[:, None] - data[None]) ** 2).reshape(len(noise), len(noise), -1).sum(-1)
        assert cost[np.arange(len(noise)), order].sum() == pytest.approx(cost[linear_sum_assignment(cost)].sum())

    def test_shapes_must_agree(self):
        with pytest.raises(ValueError, match="one shape"):
            generative.transport_pairs(np.zeros((4, 2)), np.zeros((3, 2)))


class TestSamplers:
    """Integration of dx/dt = field(x, t)."""

    @pytest.mark.parametrize(("method", "order"), [("euler", 1), ("midpoint", 2), ("heun", 2)])
    def test_order_of_convergence(self, method, order):
        """dx/dt = -2 t x has x(1) = x(0) / e: doubling the steps divides the error by 2^order."""
        start = torch.tensor([[1.0], [3.0]], dtype=torch.float64)

        def error(steps):
            end = generative.integrate(lambda x, t: -2 * t[:, None] * x, start, steps, method)
            return float((end - start / math.e).abs().max())

        assert error(40) / error(80) == pytest.approx(2**order, rel=0.1)
        assert error(80) < (0.02 if order == 1 else 5e-4)

    def test_bad_input_is_named(self):
        x = torch.zeros(1, 1)
        with pytest.raises(ValueError, match="method='rk4' is unknown; known are euler, midpoint, heun"):
            generative.integrate(lambda x, t: x, x, 3, "rk4")
        with pytest.raises(ValueError, match="steps=0"):
            generative.integrate(lambda x, t: x, x, 0)


def small_flow(seed=0, shape=(2,)):
    field = generative.velocity_field("mlp", shape, 64, 2, rng(seed))
    return generative.new_flow(field, shape)


OPTIONS = {"batch_size": 64, "learning_rate": 3e-3, "decay": 0.98}


class TestTraining:
    """Flows learn, go on from where they stand, and touch nothing else."""

    def test_learns_a_gaussian(self):
        data = (np.array([3.0, -1.0]) + rng(5).normal(size=(4000, 2)) * [0.5, 1.5]).astype(np.float32)
        flow = generative.train_flow(small_flow(), data, steps=400, rng=rng(1), **OPTIONS)
        x = generative.generate(flow, 4000, steps=20, rng=rng(2))
        np.testing.assert_allclose(x.mean(0), [3, -1], atol=0.2)
        np.testing.assert_allclose(x.std(0), [0.5, 1.5], atol=0.2)
        assert stats.wasserstein_distance(x[:, 1], data[:, 1]) < 0.2

    def test_goes_on_from_weights_average_and_optimiser(self):
        data = rng(3).normal(size=(64, 2)).astype(np.float32)
        one = generative.train_flow(small_flow(), data, steps=3, rng=rng(1), **OPTIONS)
        before = [q.clone() for q in one.field.parameters()]
        generator = rng(7)
        two = generative.train_flow(one, data, steps=2, rng=generator, **OPTIONS)
        assert all(torch.equal(a, b) for a, b in zip(before, one.field.parameters(), strict=True))
        steps = {int(state["step"]) for state in two.optimizer.state.values()}
        assert steps == {5}
        assert {id(q) for g in two.optimizer.param_groups for q in g["params"]} == {
            id(q) for q in two.field.parameters()
        }
        assert not any(torch.equal(a, b) for a, b in zip(two.field.parameters(), two.average.parameters(), strict=True))

    def test_the_average_is_exponential(self):
        data = rng(3).normal(size=(64, 2)).astype(np.float32)
        start = small_flow()
        end = generative.train_flow(start, data, steps=1, rng=rng(1), **OPTIONS)
        for a, b, c in zip(*(m.parameters() for m in (start.average, end.field, end.average)), strict=True):
            torch.testing.assert_close(c, 0.98 * a + 0.02 * b)

    def test_same_generators_same_bits_and_no_global_state(self):
        data = rng(3).normal(size=(256, 2)).astype(np.float32)

        def run():
            flow = generative.train_flow(small_flow(4), data, steps=5, rng=rng(1), **OPTIONS)
            return generative.generate(flow, 10, steps=3, rng=rng(2))

        torch.manual_seed(1)
        before, one = torch.get_rng_state(), run()
        assert torch.equal(before, torch.get_rng_state())
        torch.manual_seed(2)
        assert (one == run()).all()

    def test_a_unet_trains_on_images(self):
        shape = (3, 8, 8)
        flow = generative.new_flow(generative.velocity_field("unet", shape, 16, 2, rng()), shape)
        data = rng(1).normal(size=(8, *shape)).astype(np.float32)
        flow = generative.train_flow(flow, data, steps=1, batch_size=4, learning_rate=1e-3, decay=0.9, rng=rng(2))
        x = generative.generate(flow, 3, steps=2, method="heun", rng=rng(3))
        assert x.shape == (3, *shape) and x.dtype == np.float32 and np.isfinite(x).all()

    def test_bad_input_is_named(self):
        data = np.zeros((100, 2), np.float32)
        with pytest.raises(ValueError, match=r"64 or more examples of shape \(2,\), not \(10, 2\)"):
            generative.train_flow(small_flow(), data[:10], steps=1, rng=rng(), **OPTIONS)
        with pytest.raises(ValueError, match="decay=1"):
            generative.train_flow(small_flow(), data, steps=1, rng=rng(), **{**OPTIONS, "decay": 1})
        with pytest.raises(ValueError, match="kind='vit' is unknown; known are mlp, unet"):
            generative.velocity_field("vit", (2,), 8, 1, rng())
        with pytest.raises(ValueError, match="size=6 must be divisible by 4"):
            generative.velocity_field("unet", (1, 6, 6), 16, 3, rng())


class TestChoice:
    """Luce's rule."""

    def test_frequencies_are_the_softmax(self):
        r = np.array([0.0, 1.0, -2.0])
        kept = generative.luce_choice(np.tile(r, (200_000, 1)), rng())
        shares = np.bincount(kept, minlength=3)
        assert stats.chisquare(shares, np.exp(r) / np.exp(r).sum() * len(kept)).pvalue > 1e-3

    @pytest.mark.parametrize("candidates", [1, 2, 4])
    def test_kept_shares_are_the_closed_form(self, candidates):
        """Groups drawn from a law: what is kept has the law p H_t."""
        p, r = np.array([0.5, 0.3, 0.15, 0.05]), np.array([0.0, 1.0, 2.0, 3.5])
        groups = rng(1).choice(4, size=(200_000, candidates), p=p)
        kept = groups[np.arange(len(groups)), generative.luce_choice(r[groups], rng(2))]
        expected = p * choice_factor(p, r, candidates) * len(groups)
        assert stats.chisquare(np.bincount(kept, minlength=4), expected * (len(groups) / expected.sum())).pvalue > 1e-3

    def test_huge_rewards_do_not_overflow(self):
        assert (generative.luce_choice(np.tile([1e6, 0.0], (100, 1)), rng()) == 0).all()

    def test_bad_input_is_named(self):
        with pytest.raises(ValueError, match=r"\(groups, K\) with K of 1 or more, shape \(3,\)"):
            generative.luce_choice(np.zeros(3), rng())
        with pytest.raises(ValueError, match="group 1 is not"):
            generative.luce_choice(np.array([[0.0, 1.0], [np.nan, 0.0]]), rng())


class TestQuality:
    """Precision, recall and the Fréchet distance."""

    def test_precision_and_recall_by_brute_force(self):
        real, made = rng(0).normal(size=(60, 3)), 0.7 + 0.5 * rng(1).normal(size=(50, 3))

        def covered(support, queries, k):
            count = 0
            for q in queries:
                for i, x in enumerate(support):
                    others = sorted(np.linalg.norm(x - y) for j, y in enumerate(support) if j != i)
                    if np.linalg.norm(q - x) <= others[k - 1]:
                        count += 1
                        break
            return count / len(queries)

        expected = covered(real, made, 3), covered(made, real, 3)
        assert generative.precision_recall(real, made, k=3) == pytest.approx(expected)
        assert 0 < expected[1] < expected[0] <= 1

    def test_a_collapsed_model_is_precise_and_recalls_little(self):
        real = rng(0).normal(size=(400, 2))
        assert min(generative.precision_recall(real, rng(1).normal(size=(400, 2)))) > 0.8
        precision, recall = generative.precision_recall(real, 0.05 * rng(1).normal(size=(400, 2)))
        assert precision > 0.95 and recall < 0.1
        assert generative.precision_recall(real, real + 100) == (0, 0)

    def test_frechet_distance_against_scipy_and_by_hand(self):
        real, made = rng(0).normal(size=(300, 4)), 1 + rng(1).normal(size=(200, 4)) @ rng(2).normal(size=(4, 4))
        c1, c2 = np.cov(real, rowvar=False), np.cov(made, rowvar=False)
        expected = ((real.mean(0) - made.mean(0)) ** 2).sum() + np.trace(c1 + c2 - 2 * sqrtm(c1 @ c2).real)
        assert generative.frechet_distance(real, made) == pytest.approx(expected, rel=1e-9)
        assert generative.frechet_distance(real, real) == pytest.approx(0, abs=1e-9)
        assert generative.frechet_distance(real, real + 2) == pytest.approx(16)

    def test_bad_input_is_named(self):
        x = np.zeros((5, 2))
        with pytest.raises(ValueError, match="k=5 must be 1 or greater and below the sizes of both sets, 5 and 9"):
            generative.precision_recall(x, np.zeros((9, 2)), k=5)
        with pytest.raises(ValueError, match="as many features"):
            generative.precision_recall(x, np.zeros((9, 3)))
        with pytest.raises(ValueError, match="made must be two or more finite samples"):
            generative.frechet_distance(x, x * np.nan)


class TestClassifier:
    """Classifiers of small images."""

    @pytest.mark.parametrize("kind", ["linear", "mlp", "conv"])
    def test_learns_which_half_is_bright_and_gives_probabilities(self, kind):
        labels = rng(0).integers(2, size=400)
        images = (0.5 * rng(1).normal(size=(400, 1, 8, 8))).astype(np.float32)
        images[np.arange(400), :, :4] += (2 * labels - 1)[:, None, None, None]
        options = {"steps": 40, "width": 8, "batch_size": 32, "learning_rate": 1e-2}
        before = torch.get_rng_state()
        model = generative.train_classifier(images, labels, kind=kind, rng=rng(2), **options)
        assert torch.equal(before, torch.get_rng_state())
        q = model.probabilities(images)
        np.testing.assert_allclose(q.sum(1), 1, atol=1e-6)
        assert (q.argmax(1) == labels).mean() > 0.95
        features = model.embed(images)
        assert features.shape == (400, {"linear": 64, "mlp": 8, "conv": 32}[kind])
        np.testing.assert_allclose(model.probabilities(images[:7]), q[:7], atol=1e-6)

    def test_bad_input_is_named(self):
        with pytest.raises(ValueError, match="kind='vgg' is unknown; known are linear, mlp, conv"):
            generative.Classifier("vgg", (1, 8, 8), 10)
        with pytest.raises(ValueError, match="as many: 3 and 2"):
            generative.train_classifier(
                np.zeros((3, 1, 8, 8), np.float32), np.zeros(2, int), kind="mlp", steps=1, rng=rng()
            )

    def test_a_step_of_nesterov_momentum_by_hand(self):
        image, label = rng(3).normal(size=(1, 6)).astype(np.float32), np.array([1])

        def weights(rate):
            options = {"kind": "linear", "steps": 1, "batch_size": 4, "momentum": 0.9, "weight_decay": 0.5}
            model = generative.train_classifier(image, label, learning_rate=rate, rng=rng(4), **options)
            return model.head.weight.detach().double().numpy(), model.probabilities(image)[0]

        first, q = weights(0.0)
        gradient = np.outer(q - [0, 1], image[0]) + 0.5 * first
        np.testing.assert_allclose(weights(0.1)[0], first - 0.1 * (1 + 0.9) * gradient, atol=1e-6)

    def test_half_precision_goes_nearly_where_full_precision_goes(self):
        images, labels = rng(0).normal(size=(60, 3, 8, 8)).astype(np.float32), rng(1).integers(10, size=60)
        options = {"kind": "conv", "steps": 5, "width": 8, "batch_size": 32}
        full, half = (
            generative.train_classifier(images, labels, rng=rng(2), bfloat16=bfloat16, **options)
            for bfloat16 in (False, True)
        )
        assert {weight.dtype for weight in half.parameters()} == {torch.float32}
        apart = np.abs(full.probabilities(images) - half.probabilities(images)).max()
        assert 0 < apart < 0.05

    def test_shifted_images_are_crops_of_the_mirrored_surround(self):
        from autodidact.generative.classifier import _shifted

        images = torch.from_numpy(rng(3).standard_normal((40, 2, 5, 5)).astype(np.float32))
        wide = np.pad(images.numpy(), [(0, 0), (0, 0), (2, 2), (2, 2)], mode="reflect")
        places = set()
        for moved, surround in zip(_shifted(images, 2, rng(4)).numpy(), wide, strict=True):
            crops = {(a, b): surround[:, a : a + 5, b : b + 5] for a in range(5) for b in range(5)}
            places |= {place for place, crop in crops.items() if (crop == moved).all()}
        assert {a for a, _ in places} == {b for _, b in places} == set(range(5))
        assert any(a != b for a, b in places)


class TestPrincipal:
    """Principal components of unit variance."""

    def test_against_the_eigenvectors_of_the_covariance(self):
        x = rng().standard_normal((300, 5)) @ rng(1).standard_normal((5, 5)) + 3
        space = generative.Principal(x, 2)
        values, vectors = np.linalg.eigh(np.cov(x.T, bias=True))
        codes = space.encode(x)
        np.testing.assert_allclose(np.cov(codes.T, bias=True), np.eye(2), atol=1e-5)
        for k in (0, 1):
            along = (x - x.mean(0)) @ vectors[:, -1 - k] / np.sqrt(values[-1 - k])
            np.testing.assert_allclose(np.abs(codes[:, k]), np.abs(along), atol=1e-4)
        assert space.share == pytest.approx(values[-2:].sum() / values.sum())

    def test_all_components_lose_nothing_and_fewer_leave_the_mean(self):
        x = rng().standard_normal((50, 3)) * [3, 2, 0.1]
        whole = generative.Principal(x, 3)
        np.testing.assert_allclose(whole.decode(whole.encode(x)), x, atol=1e-5)
        np.testing.assert_allclose(generative.Principal(x, 1).decode(np.zeros((1, 1))), x.mean(0)[None], atol=1e-6)

    def test_bad_input_is_named(self):
        flat = np.outer(np.arange(4.0), [1, 2, 3])
        with pytest.raises(ValueError, match="components=2 must be 1 to 1"):
            generative.Principal(flat, 2)
        with pytest.raises(ValueError, match="vectors must be finite"):
            generative.Principal(np.full((4, 2), np.nan), 1)
