"""The world of shapes, judges: tools with errors of their own, their score, and judges of known accuracy."""

from dataclasses import replace

import numpy as np
import pytest

from autodidact.environments import load_world
from autodidact.environments.shapes import (
    TOOLS,
    Object,
    Scene,
    claims,
    render,
    render_grid,
    shuffle_tools,
    tool_score,
    tools,
)
from autodidact.environments.shapes.captions import absent_claim, caption

WORLD = load_world("shapes/judges")
SCENE = Scene((Object(0, "circle", "red"), Object(3, "star", "blue"), Object(9, "circle", "green")))


def rng(seed=0):
    return np.random.default_rng(seed)


def pictures(n, seed=0):
    generator = rng(seed)
    world = replace(WORLD, noise=0.0)
    made = []
    for scene in (world.scene(generator) for _ in range(n)):
        image = render(scene, generator, 0.0)
        image[0, 0] = generator.integers(0, 60, 3)  # a mark of its own, so that no two pictures are equal
        made.append((scene, image))
    return made


def truth(scene, claim):
    shapes = [o.shape for o in scene.objects]
    return {
        "detector": claim[1] in shapes,
        "colour": claim in scene.claims,
        "counter": shapes.count(claim[1]),
    }


def test_tools_are_exact_without_error():
    generator = rng(1)
    for scene, image in pictures(100):
        for claim in (*scene.claims, absent_claim(scene, generator)):
            assert tools(image, claim, generator, 0.0) == truth(scene, claim)
    assert tools(render_grid(SCENE), ("red", "circle"), rng(), 0.0) == truth(SCENE, ("red", "circle"))


@pytest.mark.parametrize("persistent", [True, False])
def test_errors_have_their_rate_and_do_not_depend_on_the_claim(persistent):
    generator = rng(2)
    tables = {tool: np.zeros((2, 2)) for tool in TOOLS}  # claim true or not, answer wrong or not
    for scene, image in pictures(2500, 2):
        there = scene.objects[int(generator.integers(len(scene.objects)))].claim
        for claim in (there, absent_claim(scene, generator)):
            said, right = tools(image, claim, generator, 0.2, persistent), truth(scene, claim)
            for tool in TOOLS:
                tables[tool][int(claim in scene.claims), int(said[tool] != right[tool])] += 1
                assert tool != "counter" or (abs(said[tool] - right[tool]) <= 1 and said[tool] >= 0)
    for table in tables.values():
        assert table[:, 1].sum() / table.sum() == pytest.approx(0.2, abs=0.02)
        expected = table.sum(1, keepdims=True) * table.sum(0, keepdims=True) / table.sum()
        assert ((table - expected) ** 2 / expected).sum() < 10.8  # p 0.001, one degree


def test_errors_persist_where_they_should():
    again, anew, mates = [], [], []
    for _, image in pictures(150, 3):
        first = tools(image, ("red", "circle"), rng(1), 0.5)
        again.append(first == tools(image, ("red", "circle"), rng(2), 0.5))
        mates.append(first["detector"] == tools(image, ("blue", "circle"), rng(2), 0.5)["detector"])
        one, two = (tools(image, ("red", "circle"), rng(seed), 0.5, persistent=False) for seed in (1, 2))
        anew.append(one == two)
    assert all(again) and all(mates)  # the object of the detector is the shape
    assert len({tuple(tools(image, ("red", "ring"), rng(), 0.5).items()) for _, image in pictures(50, 4)}) > 2
    assert not all(anew)


def test_errors_of_different_tools_and_pictures_are_independent():
    generator, wrong = rng(5), []
    for scene, image in pictures(3000, 5):
        claim = scene.objects[0].claim
        said, right = tools(image, claim, generator, 0.3), truth(scene, claim)
        wrong.append([said[tool] != right[tool] for tool in TOOLS])
    together = np.corrcoef(np.array(wrong, float).T)
    assert np.abs(together[~np.eye(3, dtype=bool)]).max() < 0.07
    assert abs(np.corrcoef(np.array(wrong[1:], float)[:, 0], np.array(wrong[:-1], float)[:, 0])[0, 1]) < 0.07


def consult(scene, text):
    return [truth(scene, claim) for claim in claims(text)]


def scored(text, **how):
    return tool_score(text, consult(SCENE, text), **how)


def test_scores_by_hand():
    full = caption([o.claim for o in SCENE.objects])
    assert scored(full) == pytest.approx(1 + 9 * 8 / 10)  # three claims, each with the whole vote
    assert scored("nothing .") == scored("") == 5.5
    assert scored("a yellow ring .") == pytest.approx(1 + 9 * 4 / 10)
    # One of two circles: detector and colour reader agree, the counter does not.
    assert scored("a red circle .") == pytest.approx(1 + 9 * (5 + 1 / 3) / 10)
    assert scored("a red circle .", which=("counter",)) == pytest.approx(1 + 9 * 4 / 10)
    assert scored("a blue circle .", which=("detector",)) > scored("a blue circle .", which=("colour",))
    assert scored("a blue star , a blue star .", which=("detector",)) == 5.5  # said twice: once right, once wrong
    everything = caption([(colour, shape) for colour in ("red", "blue") for shape in ("ring", "square", "cross")])
    assert scored(everything) == 1.0
    with pytest.raises(ValueError, match="one a claim"):
        tool_score(full, [])
    for which in ((), ("nose",)):
        with pytest.raises(ValueError, match="which"):
            scored(full, which=which)


def test_shuffled_answers_keep_their_form_and_lose_their_knowledge():
    generator = rng(6)
    seen = pictures(400, 6)
    texts = [caption([scene.objects[0].claim, absent_claim(scene, generator)]) for scene, _ in seen]
    answers = [consult(scene, text) for (scene, _), text in zip(seen, texts, strict=True)]
    dealt = shuffle_tools(answers, generator)
    assert [len(row) for row in dealt] == [len(row) for row in answers]
    for tool in TOOLS:
        assert sorted(said[tool] for row in dealt for said in row) == sorted(
            said[tool] for row in answers for said in row
        )
    told = [[said["colour"] for said in row] for row in dealt]
    assert all(row[0]["colour"] and not row[1]["colour"] for row in answers)
    assert np.mean([a for a, _ in told]) == pytest.approx(0.5, abs=0.08)


def test_oracle_and_noisy_judge():
    generator = rng(7)
    x = WORLD.prompts(1, generator)[0]
    true, worse = WORLD.true_caption(x), "a red circle ."
    assert (WORLD.oracle(x, true, worse), WORLD.oracle(x, worse, true), WORLD.oracle(x, true, true)) == (1, -1, 0)
    said = [WORLD.noisy_judge(x, true, worse, generator, 0.8) for _ in range(10_000)]
    assert np.mean([verdict == 1 for verdict in said]) == pytest.approx(0.8, abs=0.01) and set(said) == {-1, 1}
    coin = [WORLD.noisy_judge(x, true, true, generator, 1.0) for _ in range(2000)]
    assert np.mean(coin) == pytest.approx(0.0, abs=0.08)
    with pytest.raises(ValueError, match="accuracy=1.1"):
        WORLD.noisy_judge(x, true, worse, generator, 1.1)


def test_the_world_lends_its_tools_at_its_own_rate_and_bad_input_is_named():
    (scene, image), *_ = pictures(1)
    claim = scene.objects[0].claim
    assert replace(WORLD, tool_error=0.0).tools(image, claim, rng()) == truth(scene, claim)
    always = replace(WORLD, tool_error=1.0).tools(image, claim, rng())
    assert all(always[tool] != truth(scene, claim)[tool] for tool in TOOLS)
    with pytest.raises(ValueError, match="error=2"):
        tools(image, claim, rng(), 2)
    with pytest.raises(ValueError, match="image"):
        tools(image[:16], claim, rng(), 0.1)
