"""How sure a policy that sees is of what it named, and what it invents at another's recall."""

from collections.abc import Sequence

from autodidact.environments import shapes as worlds
from autodidact.vision.policy import VisionPolicy


def claim_logprobs(
    policy: VisionPolicy,
    prompts: Sequence[worlds.Prompt],
    captions: Sequence[str],
    shapes: tuple[str, ...] = worlds.SHAPES,
) -> list[list[float]]:
    """Of every caption, log p of each thing that it names, in their order: of colour and shape together, in nats.

    Given the picture, the request and what the caption says before. Things are found as `mentions` finds them.
    """
    found = []
    plain = [str(text) for text in captions]  # read anew, as the words before a thing are, whatever tokens it came in
    for text, logps in zip(plain, policy.logprobs(prompts, plain), strict=True):
        words, spans = text.split(), []
        for i, _ in worlds.mentions(text, shapes):
            spans.append([len(policy.encode_response(" ".join(words[:k]))) - 1 for k in (i, i + 2)])
        found.append([float(logps[first:last].sum()) for first, last in spans])
    return found


def chair_at_recall(
    policy: VisionPolicy,
    world: worlds.Shapes,
    prompts: Sequence[worlds.Prompt],
    captions: Sequence[str],
    recall: float,
) -> float:
    """chair_i of a policy's captions without the things that it is least sure of, as many as bring recall down to this.

    `environments.shapes.chair_at_recall`, by `claim_logprobs`; all things count where they do not reach the recall.
    """
    certainty = claim_logprobs(policy, prompts, captions, world.shapes)
    return worlds.chair_at_recall([x.truth.scene for x in prompts], captions, certainty, recall, world.shapes)
