"""Checks that stand on the first lines of every loss."""

from torch import Tensor


def same_shape(**tensors: Tensor) -> None:
    """Refuse tensors that would broadcast: a (batch,) against a (batch, 1) becomes (batch, batch) without a word.

    Raises ValueError with every name and shape if the shapes differ, or with the name of what is no tensor.
    """
    for name, tensor in tensors.items():
        if not isinstance(tensor, Tensor):
            raise ValueError(f"{name} must be a tensor, but is a {type(tensor).__name__}")
    if len({tensor.shape for tensor in tensors.values()}) > 1:
        shapes = ", ".join(f"{name} {tuple(tensor.shape)}" for name, tensor in tensors.items())
        raise ValueError(f"all arguments must have one shape, (batch,), but were given as {shapes}")


def positive(**values: float) -> None:
    """Refuse hyper-parameters that are not above zero. Raises ValueError with name and value."""
    for name, value in values.items():
        if not value > 0:
            raise ValueError(f"{name}={value!r} must be greater than 0")
