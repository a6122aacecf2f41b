"""InfoNCE and the least-squares game against loops over the definition, closed forms and finite differences."""

import math

import numpy as np
import pytest
import torch
from torch.autograd import gradcheck

from autodidact.losses.adversarial import least_squares_discriminator, style_reward
from autodidact.losses.contrastive import info_nce


def by_definition(queries, keys, tau):
    def cos(a, b):
        return float(a @ b / np.sqrt(a @ a) / np.sqrt(b @ b))

    return [
        -math.log(math.exp(cos(q, keys[i]) / tau) / sum(math.exp(cos(q, k) / tau) for k in keys))
        for i, q in enumerate(queries)
    ]


class TestInfoNCE:
    @pytest.mark.parametrize("tau", [0.1, 1.0])
    def test_against_the_definition(self, tau):
        q, k = (torch.tensor(x) for x in np.random.default_rng(0).normal(size=(2, 7, 5)))
        assert info_nce(q, k, tau=tau).numpy() == pytest.approx(by_definition(q.numpy(), k.numpy(), tau))

    def test_by_hand(self):
        keys = torch.eye(4, dtype=torch.float64)
        assert info_nce(3 * keys, keys, tau=0.5).numpy() == pytest.approx(math.log(1 + 3 * math.exp(-2)))
        same = torch.ones(4, 3, dtype=torch.float64)
        assert info_nce(same, same).numpy() == pytest.approx(math.log(4))  # keys that say nothing

    def test_is_cross_entropy_over_cosines_and_has_its_gradient(self):
        q, k = (torch.tensor(x, requires_grad=True) for x in np.random.default_rng(1).normal(size=(2, 4, 3)))
        cosines = torch.nn.functional.cosine_similarity(q[:, None], k[None], dim=2)
        wanted = torch.nn.functional.cross_entropy(cosines / 0.3, torch.arange(4), reduction="none")
        assert torch.allclose(info_nce(q, k, tau=0.3), wanted)
        assert gradcheck(lambda a, b: info_nce(a, b, tau=0.3), (q, k))

    def test_permuted_keys_raise_it(self):
        q = torch.tensor(np.random.default_rng(2).normal(size=(16, 8)))
        assert info_nce(q, q).mean() < info_nce(q, q.roll(1, 0)).mean()

    def test_bad_input(self):
        good = torch.zeros(2, 3)
        with pytest.raises(ValueError, match="tau=0"):
            info_nce(good, good, tau=0)
        with pytest.raises(ValueError, match="keys"):
            info_nce(good, good[:1])
        with pytest.raises(ValueError, match="batch, dim"):
            info_nce(good[0], good[0])


class TestLeastSquares:
    def test_by_hand(self):
        loss = least_squares_discriminator(torch.tensor([1.0, 0.0, 3.0]), torch.tensor([-1.0, 0.0, 1.0]))
        assert loss.tolist() == [0, 2, 8]

    def test_the_best_table_of_scores_is_the_closed_form(self):
        """Over states with shares p of demonstrations and q of the policy: D = (p - q) / (p + q)."""
        p, q = (torch.tensor(x, dtype=torch.float64) for x in ([0.7, 0.2, 0.1], [0.1, 0.2, 0.7]))
        table = torch.zeros(3, dtype=torch.float64, requires_grad=True)
        least = torch.optim.LBFGS([table], line_search_fn="strong_wolfe", max_iter=100)

        def closure():
            least.zero_grad()
            i, j = (x.flatten() for x in torch.meshgrid(torch.arange(3), torch.arange(3), indexing="ij"))
            loss = (p[i] * q[j] * least_squares_discriminator(table[i], table[j])).sum()
            loss.backward()
            return loss

        least.step(closure)
        assert table.detach().numpy() == pytest.approx(((p - q) / (p + q)).numpy(), abs=1e-6)

    def test_reward(self):
        scores = torch.tensor([1.0, 0.0, -1.0, -5.0, 3.0])
        assert style_reward(scores).tolist() == [1, 0.75, 0, 0, 0]

    def test_bad_input(self):
        with pytest.raises(ValueError, match="produced"):
            least_squares_discriminator(torch.zeros(2), torch.zeros(2, 1))
