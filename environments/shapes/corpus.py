"""The supervised data of a base model: demonstrations of every kind, mixed as the knobs say."""

from typing import TYPE_CHECKING

import numpy as np

from autodidact.environments.shapes import choices, drawings
from autodidact.environments.shapes.captions import REQUESTS, write_caption
from autodidact.environments.shapes.prompts import Prompt

if TYPE_CHECKING:
    from autodidact.environments.shapes.world import Shapes


def corpus(world: "Shapes", rng: np.random.Generator) -> list[tuple[Prompt, str]]:
    """(prompt, response) in random order, `demonstrations` of them.

    Each request has the wording of its mode. Descriptions before questions are plain captions, errors and all.
    """
    shares = world.question_share, world.choice_share, world.draw_share
    asked, chosen, drawn = (round(world.demonstrations * share) for share in shares)
    rest = world.demonstrations - asked - chosen - drawn
    texts: list[tuple[Prompt, str]] = []
    for x in world.prompts(rest, rng) if rest > 0 else []:
        mode = tuple(REQUESTS)[int(rng.choice(len(REQUESTS), p=world.mode_shares))]
        texts.append((x.ask(world.request(rng, mode)), world.demonstrate(x, rng, mode)))
    for x in world.prompts(asked, rng, "question") if asked else []:
        answer = world.demonstrate(x, rng)
        if rng.random() < world.described_share:
            written = write_caption(x.truth.scene, rng, world.omit, world.invent, world.companions)
            x = world.describe_first(x, written)
        texts.append((x, answer))
    texts += [choices.lesson(world, x, rng) for x in (world.prompts(chosen, rng, "choice") if chosen else [])]
    texts += [drawings.lesson(world, x, rng) for x in (world.prompts(drawn, rng, "draw") if drawn else [])]
    return [texts[i] for i in rng.permutation(len(texts))]
