"""The world of shapes, small pictures: rendering and reader, classes, and the distance to real ones."""

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest

from autodidact.environments import load_world
from autodidact.environments.shapes import Object, Scene, code_of, distance_to_real, label_of, read_small, render_small
from autodidact.environments.shapes.small import PLACES, draw_scene

WORLD = load_world("shapes/small")
PAIR = Scene((Object(0, "circle", "red"), Object(10, "star", "blue")))


def rng(seed=0):
    return np.random.default_rng(seed)


def test_reader_is_exact_without_noise_and_nearly_so_with_it():
    generator = rng(1)
    for noise, least in ((0.0, 1.0), (0.06, 0.97)):
        read = []
        for _ in range(300):
            scene = draw_scene(generator, (1, 2))
            image = render_small(scene, generator, noise)
            assert image.shape == (16, 16, 3) and image.dtype == np.uint8
            read.append(read_small(image)[0] == scene)
        assert np.mean(read) >= least


def test_things_stand_in_different_quadrants_and_all_are_drawn():
    generator = rng(2)
    scenes = [draw_scene(generator, (1, 2)) for _ in range(4000)]
    assert all(len({o.slot for o in s.objects}) == len(s.claims) == len(s.objects) for s in scenes)
    assert np.mean([len(s.objects) == 1 for s in scenes]) == pytest.approx(0.5, abs=0.03)
    slots = Counter(o.slot for s in scenes for o in s.objects)
    assert set(slots) == set(PLACES.values()) and min(slots.values()) > 0.22 * sum(slots.values())
    assert len({c for s in scenes for c in s.claims}) == 36
    assert {len(x.truth.scene.objects) for x in WORLD.prompts(50, generator, "class")} == {1, 2}


def test_classes_are_what_the_picture_shows():
    generator = rng(3)
    for x in WORLD.prompts(300, generator, "class"):
        assert label_of(x.image) == x.text == x.truth.answer and WORLD.score(x, x.image) == 1.0
        code = code_of(x.text)
        assert code.shape == (4, 2) and (code[:, 0] > 0).sum() == len(x.truth.scene.objects)
        other = WORLD.prompts(1, generator, "class")[0]
        assert WORLD.score(x, other.image) == float(other.text == x.text)
    assert label_of(render_small(PAIR, generator)) == "a red circle at top left , a blue star at bottom right"
    assert code_of("a red circle at top left , a blue star at bottom right").tolist() == [
        [1, 1],
        [0, 0],
        [0, 0],
        [5, 3],
    ]


def test_what_shows_no_class_has_no_label():
    generator = rng(4)
    three = Scene((*PAIR.objects, Object(8, "ring", "green")))
    twice = Scene((Object(0, "circle", "red"), Object(2, "circle", "red")))
    blot = render_small(Scene(PAIR.objects[:1]), generator)
    blot[8:, 8:] = 128  # like no template, but nearest to some
    for image in (
        blot,
        render_small(Scene(()), generator),
        render_small(three, generator),
        render_small(twice, generator),
        generator.integers(256, size=(16, 16, 3), dtype=np.uint8),
        np.full((16, 16, 3), 255, np.uint8),
        render_small(PAIR, generator) // 2,
    ):
        assert label_of(image) is None
    x = WORLD.prompts(1, generator, "class")[0]
    assert WORLD.score(x, np.zeros((8, 8), np.uint8)) == WORLD.score(x, x.image / 255) == 0.0


def test_distance_to_real_is_that_to_the_nearest():
    generator = rng(5)
    images, reference = (generator.integers(256, size=(n, 16, 16, 3), dtype=np.uint8) for n in (300, 50))
    brute = [min(np.sqrt((((a / 255.0) - (b / 255.0)) ** 2).sum()) for b in reference) for a in images[:20]]
    assert distance_to_real(images[:20], reference) == pytest.approx(np.mean(brute))
    assert distance_to_real(images[:20] / 255, reference) == pytest.approx(np.mean(brute))
    assert distance_to_real(reference, reference) == pytest.approx(0.0, abs=1e-12)
    assert distance_to_real(images, images[:1]) > distance_to_real(images, images[:150])
    for bad in (images[:0], np.zeros(3)):
        with pytest.raises(ValueError, match="images"):
            distance_to_real(bad, reference)
    with pytest.raises(ValueError, match="reference"):
        distance_to_real(images, reference[:, :8])


def test_captions_and_questions_are_asked_of_small_pictures_too():
    generator = rng(6)
    world = replace(WORLD, good_error=0.0)
    x = world.prompts(1, generator)[0]
    assert world.score(x, world.demonstrate(x, generator, "good")) == 1.0
    assert world.prompts(5, generator, "question")[0].image.shape == (16, 16, 3)


@pytest.mark.parametrize(
    "text", ["", "a red circle", "a red circle at the top", "a blue star at bottom right , a red circle at top left"]
)
def test_what_is_no_class_has_no_code(text):
    with pytest.raises(ValueError, match="text="):
        code_of(text)


def test_bad_input_is_named():
    with pytest.raises(ValueError, match="slot 5"):
        render_small(Scene((Object(5, "ring", "red"),)), rng())
    with pytest.raises(ValueError, match="noise=2"):
        render_small(PAIR, rng(), 2)
    for bad in (np.zeros((32, 32, 3), np.uint8), np.zeros((16, 16, 3))):
        with pytest.raises(ValueError, match="16, 16, 3"):
            read_small(bad)
    with pytest.raises(ValueError, match="class"):
        WORLD.demonstrate(WORLD.prompts(1, rng(), "class")[0], rng())
