"""PPO (Schulman et al. 2017, arXiv 1707.06347) for a batch of players side by side, as lean as small networks ask for.

Its steps are those of stable-baselines3 (clipped ratio, advantages scaled in each minibatch, gradient norm 0.5, Adam),
without what a framework does around them, which for networks of this size takes longer than the steps.
"""

import numpy as np
import torch
from torch import Tensor, nn

from autodidact.agents.imitation import sampled
from autodidact.divergence import check_finite

_CLIP, _VALUE, _NORM = 0.2, 0.5, 0.5  # of the ratio, of the value's loss, of the gradient


class PPO:
    """A policy over `actions` and a value, each a perceptron with one layer of tanh units over `inputs` numbers.

    A rollout is `act`, then `reward`, step by step; `update` ends it and learns from it. Episodes have one length and
    end with a rollout, so the value of the last observation stands for all that would follow, whether the episode goes
    on or was cut off there. Rewards and observations are taken as they are.
    """

    def __init__(
        self,
        inputs: int,
        actions: int,
        rng: np.random.Generator,
        *,
        learning_rate: float,
        discount: float,
        entropy: float,
        epochs: int,
        minibatch: int,
        gae: float = 0.95,
        hidden: int = 64,
    ) -> None:
        self.discount, self.entropy, self.epochs, self.minibatch, self.gae = discount, entropy, epochs, minibatch, gae
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(int(rng.integers(2**31)))
            self.policy = _perceptron(inputs, hidden, actions, 0.01)
            self.value = _perceptron(inputs, hidden, 1, 1.0)
        self._weights = [*self.policy.parameters(), *self.value.parameters()]
        self._optimiser = torch.optim.Adam(self._weights, lr=learning_rate, eps=1e-5, fused=True)
        self._rng = rng
        self._seen, self._actions, self._rewards = [], [], []

    def act(self, seen: np.ndarray, rng: np.random.Generator | None = None) -> np.ndarray:
        """Actions (players,) drawn for observations (players, inputs).

        They are part of the rollout, unless `rng` is given, from which they are then drawn: that is for tests.
        """
        with torch.no_grad():
            chances = torch.softmax(self.policy(torch.as_tensor(seen)), 1).numpy()
        if rng is not None:
            return sampled(chances, rng)
        actions = sampled(chances, self._rng)
        self._seen.append(seen)
        self._actions.append(actions)
        return actions

    def reward(self, rewards: np.ndarray) -> None:
        """What the latest actions brought, (players,)."""
        self._rewards.append(rewards)

    def update(self, seen: np.ndarray) -> float:
        """Learn from the rollout, after which the players see `seen`; the mean loss of its minibatches.

        Raises ValueError for a rollout with actions that were not rewarded, `Diverged` for a loss that is not finite.
        """
        if not self._actions or len(self._rewards) != len(self._actions):
            raise ValueError(f"a rollout of {len(self._actions)} steps has {len(self._rewards)} rewards")
        x, actions = torch.as_tensor(np.concatenate(self._seen)), torch.as_tensor(np.concatenate(self._actions))
        with torch.no_grad():
            values = self.value(torch.cat([x, torch.as_tensor(seen)]))[:, 0].numpy()
            old = _log_chances(self.policy(x), actions)
        values = values.reshape(len(self._rewards) + 1, -1)
        gains = advantages(np.array(self._rewards), values, self.discount, self.gae)
        targets = torch.as_tensor((gains + values[:-1]).ravel().astype(np.float32))
        gains, losses = torch.as_tensor(gains.ravel().astype(np.float32)), []
        for _ in range(self.epochs):
            for rows in torch.as_tensor(self._rng.permutation(len(x))).split(self.minibatch):
                losses.append(self._step(x[rows], actions[rows], old[rows], gains[rows], targets[rows]))
                check_finite(len(losses), loss=losses[-1])
        self._seen, self._actions, self._rewards = [], [], []
        return float(np.mean(losses))

    def _step(self, x: Tensor, actions: Tensor, old: Tensor, gains: Tensor, targets: Tensor) -> float:
        logs = torch.log_softmax(self.policy(x), 1)
        ratio = (logs.gather(1, actions[:, None])[:, 0] - old).exp()
        gains = (gains - gains.mean()) / (gains.std() + 1e-8)
        surrogate = torch.min(ratio * gains, ratio.clamp(1 - _CLIP, 1 + _CLIP) * gains).mean()
        entropy = -(logs.exp() * logs).sum(1).mean()
        misfit = ((self.value(x)[:, 0] - targets) ** 2).mean()
        loss = _VALUE * misfit - surrogate - self.entropy * entropy
        self._optimiser.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(self._weights, _NORM)
        self._optimiser.step()
        return float(loss.detach())


def advantages(rewards: np.ndarray, values: np.ndarray, discount: float, gae: float) -> np.ndarray:
    """Generalised advantage estimates (steps, players) of rewards (steps, players) and values (steps + 1, players)."""
    errors = rewards + discount * values[1:] - values[:-1]
    found, ahead = np.zeros_like(errors), 0.0
    for step in reversed(range(len(errors))):
        found[step] = ahead = errors[step] + discount * gae * ahead
    return found


def _log_chances(logits: Tensor, actions: Tensor) -> Tensor:
    return torch.log_softmax(logits, 1).gather(1, actions[:, None])[:, 0]


def _perceptron(inputs: int, hidden: int, outputs: int, gain: float) -> nn.Sequential:
    """Weights orthogonal, biases 0: the start that PPO is usually given."""
    layers = nn.Linear(inputs, hidden), nn.Linear(hidden, outputs)
    for layer, scale in zip(layers, (2**0.5, gain), strict=True):
        nn.init.orthogonal_(layer.weight, scale)
        nn.init.zeros_(layer.bias)
    return nn.Sequential(layers[0], nn.Tanh(), layers[1])
