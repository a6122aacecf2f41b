"""CHAIR: how many of the things that captions name are not in the pictures, and how many things they find."""

from collections.abc import Sequence

import numpy as np

from autodidact.environments.shapes.captions import claims, companion
from autodidact.environments.shapes.scenes import COMPANIONS, SHAPES, Scene


def f1(scene: Scene, caption: str, shapes: tuple[str, ...] = SHAPES) -> float:
    """F1 of the set of things named against the set of things there, in [0, 1]; 0 where nothing is right."""
    named = set(claims(caption, shapes))
    hits = len(named & scene.claims)
    return 2 * hits / (len(named) + len(scene.claims)) if hits else 0.0


def chair(
    scenes: Sequence[Scene],
    captions: Sequence[str],
    shapes: tuple[str, ...] = SHAPES,
    companions: dict[str, str] = COMPANIONS,
) -> dict[str, float]:
    """Hallucination and recall over captions, one a scene.

    chair_i: invented things per thing named (repetitions count); chair_s: share of captions that invent; recall: things
    found per thing there, over all scenes; f1: mean over captions; length: things named a caption; companion_share:
    companions of something there among the inventions. Shares without a denominator are 0.
    Source: Rohrbach et al. 2018, arXiv 1809.02156. Raises ValueError if the two lists differ in length or are empty.
    """
    if len(scenes) != len(captions) or not scenes:
        raise ValueError(f"scenes and captions must be as many, and some: {len(scenes)} and {len(captions)} were given")
    named = [claims(text, shapes) for text in captions]
    invented = [[c for c in row if c not in s.claims] for s, row in zip(scenes, named, strict=True)]
    found = sum(len(set(row) & s.claims) for s, row in zip(scenes, named, strict=True))
    beside = sum(
        c in {companion(there, companions) for there in s.claims}
        for s, row in zip(scenes, invented, strict=True)
        for c in row
    )
    mentioned, wrong = sum(map(len, named)), sum(map(len, invented))
    return {
        "chair_i": wrong / mentioned if mentioned else 0.0,
        "chair_s": float(np.mean([bool(row) for row in invented])),
        "recall": found / max(1, sum(len(s.objects) for s in scenes)),
        "f1": float(np.mean([f1(s, text, shapes) for s, text in zip(scenes, captions, strict=True)])),
        "length": mentioned / len(captions),
        "companion_share": beside / wrong if wrong else 0.0,
    }


def chair_at_recall(
    scenes: Sequence[Scene],
    captions: Sequence[str],
    certainty: Sequence[Sequence[float]],
    recall: float,
    shapes: tuple[str, ...] = SHAPES,
) -> float:
    """chair_i of the things named most certainly, as many as reach this recall; of all, where they do not reach it.

    Whoever names less invents less for nothing: so captions are compared at equal recall. certainty: a number a thing
    named, in the order of each caption, such as its log-probability. 0 where nothing is named. Raises ValueError where
    scenes, captions and certainty differ in number, and for certainties that are not one finite number a thing.
    """
    if not len(scenes) == len(captions) == len(certainty):
        given = f"{len(scenes)} scenes, {len(captions)} captions and {len(certainty)} certainties"
        raise ValueError(f"captions and certainty must be one a scene: {given} were given")
    rows = []
    for i, (scene, text, sure) in enumerate(zip(scenes, captions, certainty, strict=True)):
        named = claims(text, shapes)
        if len(sure) != len(named) or not np.isfinite(np.asarray(sure, float)).all():
            raise ValueError(f"certainty[{i}]={list(sure)} must be {len(named)} finite numbers, one a thing named")
        rows += [(float(value), claim in scene.claims) for value, claim in zip(sure, named, strict=True)]
    true = np.array([right for _, right in sorted(rows, reverse=True)], dtype=bool)
    there = sum(len(scene.objects) for scene in scenes)
    kept = true[: 1 + np.searchsorted(true.cumsum(), recall * there)]
    return float(np.mean(~kept)) if kept.size else 0.0
