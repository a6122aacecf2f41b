"""Controls and measures of captions in the world of shapes, against values worked out by hand."""

import numpy as np
import pytest

from autodidact.environments import load_world
from autodidact.environments.shapes import chair_at_recall, corrupt_image, spoil, swapped


@pytest.fixture(scope="module")
def world():
    return load_world("shapes/captions")


def test_swapped_pictures_move_every_picture_and_lose_none(world):
    images = world.prompts(7, np.random.default_rng(0))
    moved = swapped(images, np.random.default_rng(3))
    before, after = [x.image.tobytes() for x in images], [x.image.tobytes() for x in moved]
    assert sorted(before) == sorted(after) and not any(a == b for a, b in zip(before, after, strict=True))
    assert [(x.text, x.truth) for x in moved] == [(x.text, x.truth) for x in images]
    with pytest.raises(ValueError, match="two or more"):
        swapped(images[:1], np.random.default_rng(0))


def test_spoilt_pictures_are_of_both_kinds_and_strength_zero_changes_nothing(world):
    (x,) = world.prompts(1, np.random.default_rng(0))
    strength = {"blur": 0.4, "colour": 0.4}
    blurred = corrupt_image(x.image, np.random.default_rng(0), "blur", 0.4)
    spoilt = [spoil(x, np.random.default_rng(seed), strength) for seed in range(12)]
    same = sum(np.array_equal(y.image, blurred) for y in spoilt)
    assert 0 < same < 12 and all(y.text == x.text and not np.array_equal(y.image, x.image) for y in spoilt)
    assert np.array_equal(spoil(x, np.random.default_rng(1), strength, 0).image, x.image)
    with pytest.raises(ValueError, match="colour"):
        spoil(x, np.random.default_rng(0), {"blur": 0.4})


def test_captions_cut_to_a_recall_lose_their_least_certain_things_first(world):
    x, true, absent = scene_of_four(world)
    text, sure = " , ".join([true[0], absent, true[1], true[2]]) + " .", [[-1.0, -2.0, -3.0, -4.0]]
    cut = [chair_at_recall([x.truth.scene], [text], sure, recall) for recall in (0, 0.25, 0.5, 0.75, 1.0)]
    assert cut == pytest.approx([0, 0, 1 / 3, 1 / 4, 1 / 4])
    assert world.chair([x], [text])["recall"] == 0.75
    assert chair_at_recall([x.truth.scene], ["nothing ."], [[]], 0.5) == 0
    for wrong in ([[-1.0]], [[-1.0, np.nan, -3.0, -4.0]]):
        with pytest.raises(ValueError, match="4 finite numbers"):
            chair_at_recall([x.truth.scene], [text], wrong, 0.5)
    with pytest.raises(ValueError, match="one a scene"):
        chair_at_recall([x.truth.scene], [text], [], 0.5)


def test_what_a_caption_names_is_checked_thing_by_thing(world):
    x, true, absent = scene_of_four(world)
    assert world.checked(x, f"{true[2]} , {absent} .") == [(true[2][2:], True), (absent[2:], False)]


def test_a_description_is_right_about_what_is_asked_if_it_names_it_exactly_where_it_is_there(world):
    asked = world.prompts(40, np.random.default_rng(0), "question")
    x = next(x for x in asked if x.truth.about in x.truth.scene.claims)
    y = next(x for x in asked if x.truth.about and x.truth.about not in x.truth.scene.claims)
    named = [f"a {' '.join(z.truth.about)} ." for z in (x, y)]
    assert [world.told(x, named[0]), world.told(x, "nothing .")] == [True, False]
    assert [world.told(y, named[1]), world.told(y, "nothing .")] == [False, True]
    assert {world.told(z, "nothing .") for z in world.prompts(1, np.random.default_rng(0))} == {None}


def scene_of_four(world):
    """A prompt with four things in its picture, all their names, and one of a thing that is not there."""
    x = next(x for x in world.prompts(50, np.random.default_rng(1)) if len(x.truth.scene.objects) == 4)
    true = [f"a {colour} {shape}" for colour, shape in (o.claim for o in x.truth.scene.objects)]
    colours = {colour for colour, _ in x.truth.scene.claims} | {"red", "blue"}
    absent = next(f"a {c} {s}" for c in sorted(colours) for s in world.shapes if (c, s) not in x.truth.scene.claims)
    return x, true, absent
