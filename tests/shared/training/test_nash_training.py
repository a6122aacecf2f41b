"""DNO's exact form brings win rates of both sides to either loop."""

from functools import partial

import pytest
import torch

from autodidact.losses import dno, dno_exact
from autodidact.training import Pair, train_preferences

pytestmark = pytest.mark.filterwarnings("ignore:.*gradient_checkpointing:FutureWarning")


@pytest.fixture
def rated(pairs):
    rates = [(q.columns["p_win"], q.columns["p_lose"]) for q in pairs]
    return [
        Pair(q.prompt, q.chosen, q.rejected, {"r_chosen": win, "r_rejected": lose})
        for q, (win, lose) in zip(pairs, rates, strict=True)
    ]


@pytest.mark.parametrize("loss", [dno, dno_exact])
def test_both_loops_train_alike(loss, policy, rated):
    train = partial(train_preferences, policy, rated, loss=partial(loss, beta=0.2), steps=60, batch_size=6)
    (lean, _), (trl, _) = (train(learning_rate=1e-4, seed=11, loop=loop) for loop in ("lean", "trl"))
    weights = [torch.cat([w.flatten() for w in of.model.state_dict().values()]) for of in (lean, trl, policy)]
    assert (weights[0] - weights[1]).abs().max() < 1e-5 < (weights[0] - weights[2]).abs().max()


def test_pairs_without_win_rates_are_refused(policy, pairs):
    with pytest.raises(ValueError, match=r"pairs\[0\] needs a finite column r_chosen"):
        train_preferences(policy, pairs, loss=dno_exact, steps=1, batch_size=2, learning_rate=1e-4, seed=0)
