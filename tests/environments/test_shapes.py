"""The world of shapes: the specification's checks."""

import colorsys

import numpy as np
import pytest

from autodidact.environments import load_world
from autodidact.environments.shapes import (
    COMPANIONS,
    Object,
    Scene,
    Shapes,
    chair,
    claims,
    companion,
    corrupt_image,
    is_companion_invention,
    mentions,
    patches,
    read,
    render,
)
from autodidact.environments.shapes.captions import imagined_caption, write_caption
from autodidact.environments.shapes.chair import f1
from autodidact.environments.shapes.corruptions import resize, turn_hue
from autodidact.environments.shapes.questions import KINDS, NUMBERS, draw_question
from autodidact.environments.shapes.scenes import MOST, SIDE, draw_scene

WORLD = load_world("shapes/captions")
PAIR = Scene((Object(0, "circle", "red"), Object(1, "ring", "red"), Object(9, "square", "blue")))
LONE = Scene((Object(0, "circle", "red"), Object(9, "star", "blue")))


def rng(seed=0):
    return np.random.default_rng(seed)


def scenes(n, seed=0, **knobs):
    generator = rng(seed)
    return [Shapes(**knobs).scene(generator) for _ in range(n)]


def test_companions_are_planted_beside_their_anchor_and_nowhere_else():
    for scene in scenes(2000):
        by_claim = {o.claim: o for o in scene.objects}
        assert len(by_claim) == len(scene.objects) <= MOST and list(scene.objects) == sorted(scene.objects)
        for o in scene.objects:
            beside = by_claim.get(companion(o.claim))
            assert beside is None or (beside.slot == o.slot + 1 and o.slot % SIDE < SIDE - 1)


@pytest.mark.parametrize("rate", [0.0, 0.6, 1.0])
def test_companion_rate_is_the_share_of_anchors_with_room(rate):
    generator, had = rng(1), []
    for _ in range(10_000):
        scene = draw_scene(generator, (1, 1), rate)  # one thing is drawn: its companion is the only other
        anchors = [o for o in scene.objects if o.shape in COMPANIONS and o.slot % SIDE < SIDE - 1]
        had += [len(scene.objects) == 2 for _ in anchors]
    assert np.mean(had) == pytest.approx(rate, abs=0.02)


def test_splits_share_no_set_of_things_and_a_fifth_is_held_out():
    generator = rng(2)
    train = {WORLD.scene(generator, "train").claims for _ in range(1500)}
    held = {WORLD.scene(generator, "held-out").claims for _ in range(1500)}
    assert train.isdisjoint(held)
    drawn = [draw_scene(generator, (2, 4), 0.5).held_out for _ in range(8000)]
    assert np.mean(drawn) == pytest.approx(0.2, abs=0.015)


def test_reader_is_exact_without_noise_and_nearly_so_with_it():
    generator = rng(3)
    for scene in scenes(300, seed=3):
        seen, margin = read(render(scene, generator, noise=0.0))
        assert seen == scene and margin.shape == (16,) and (margin > 0).all()
    noisy = [read(render(scene, generator, noise=0.06))[0] == scene for scene in scenes(200, seed=4)]
    assert np.mean(noisy) > 0.97
    for picture in (np.zeros((32, 32, 3), np.uint8), rng().integers(256, size=(32, 32, 3), dtype=np.uint8)):
        read(picture)
    with pytest.raises(ValueError, match="32, 32, 3"):
        read(np.zeros((16, 16, 3), np.uint8))


def test_patches_are_the_slots_in_reading_order():
    scene = Scene((Object(6, "square", "green"),))
    rows = patches(render(scene, rng(), noise=0.0))
    assert rows.shape == (16, 192) and rows.dtype == np.float32 and 0 <= rows.min() <= rows.max() <= 1
    different = [slot for slot in range(16) if not np.array_equal(rows[slot], rows[0])]
    assert different == [6]
    for bad in (np.zeros((30, 30, 3), np.uint8), np.zeros((32, 32, 3)), np.zeros((32, 24, 3), np.uint8)):
        with pytest.raises(ValueError, match="image"):
            patches(bad)


def test_caption_errors_have_the_rates_that_are_set():
    generator, left_out, added = rng(5), [], []
    for scene in scenes(10_000, seed=5):
        named = claims(write_caption(scene, generator, 0.3, 0.4))
        left_out += [o.claim not in named for o in scene.objects]
        for o in scene.objects:
            beside = companion(o.claim)
            if beside is not None and beside not in scene.claims and o.claim in named:
                added.append(beside in named)
                assert beside not in named or named[named.index(o.claim) + 1] == beside
    assert np.mean(left_out) == pytest.approx(0.3, abs=0.01)
    assert np.mean(added) == pytest.approx(0.4, abs=0.01)


def test_modes():
    faultless = Shapes(good_error=0.0)
    generator = rng(6)
    for x in faultless.prompts(200, generator, mode="good"):
        assert faultless.score(x, faultless.demonstrate(x, generator, "good")) == 1.0
        imagined = claims(faultless.demonstrate(x, generator, "imagine"))
        assert set(imagined) > x.truth.scene.claims and len(imagined) - len(x.truth.scene.claims) in (1, 2)
    alone = Scene((Object(3, "star", "red"),))  # no anchor: something else is imagined, at the end
    assert claims(imagined_caption(alone, generator))[0] == ("red", "star")


def test_claims_and_scores_of_any_text():
    text = "a red circle , a red ring , a red dog , blue star . a blue square"
    assert claims(text) == [("red", "circle"), ("red", "ring"), ("blue", "square")]
    assert [text.split()[i : i + 2] for i, _ in mentions(text)] == [
        ["red", "circle"],
        ["red", "ring"],
        ["blue", "square"],
    ]
    assert f1(PAIR, text) == 1.0 and f1(LONE, text) == pytest.approx(2 * 1 / (3 + 2))
    assert [f1(LONE, bad) for bad in ("", "nothing .", "a a a", "red circle", None)] == [0.0] * 5
    assert is_companion_invention(LONE, ("red", "ring")) and not is_companion_invention(PAIR, ("red", "ring"))
    assert not is_companion_invention(LONE, ("blue", "ring")) and companion(("red", "ring")) is None
    x = WORLD.prompts(1, rng(), "question")[0]
    assert WORLD.score(x, x.truth.answer) == 1.0 and WORLD.score(x, "") == WORLD.score(x, "red blue") == 0.0


def test_chair_by_hand():
    written = ["a red circle , a red ring , a red ring , a green star .", "a blue star ."]
    measured = chair([LONE, LONE], written)
    assert measured == {
        "chair_i": 3 / 5,
        "chair_s": 0.5,
        "recall": 2 / 4,
        "f1": pytest.approx((2 / 5 + 2 / 3) / 2),
        "length": 2.5,
        "companion_share": 2 / 3,
    }
    assert chair([LONE], ["nothing ."])["chair_i"] == 0.0
    with pytest.raises(ValueError, match="as many"):
        chair([LONE], [])


def test_each_question_has_its_one_right_answer():
    generator = rng(7)
    for x in WORLD.prompts(3000, generator, "question", question_kinds=(*KINDS, "left")):
        scene, words, right = x.truth.scene, x.text.split(), x.truth.answer
        if x.truth.kind == "colour":
            (there,) = [o for o in scene.objects if o.shape == words[4]]
            assert right == there.colour
        elif x.truth.kind == "count":
            assert right == NUMBERS[sum(o.shape == words[2] for o in scene.objects)]
        elif x.truth.kind == "there":
            assert right == ("yes" if (words[3], words[4]) in scene.claims else "no")
        elif x.truth.kind == "where":
            (there,) = [o for o in scene.objects if o.claim == (words[3], words[4])]
            assert right == f"{'top' if there.slot < 8 else 'bottom'} {'left' if there.slot % 4 < 2 else 'right'}"
        else:
            a, b = ([o for o in scene.objects if o.claim == tuple(words[i : i + 2])][0] for i in (2, 7))
            assert (right == "yes") == (a.slot % 4 < b.slot % 4)


def test_yes_and_no_are_equally_frequent_and_companions_are_asked_for():
    generator = rng(8)
    asked = WORLD.prompts(6000, generator, "question", question_kinds=("there",))
    assert np.mean([x.truth.answer == "yes" for x in asked]) == pytest.approx(0.5, abs=0.02)
    every = [draw_question(LONE, generator, "there", 1.0) for _ in range(300)]
    assert {about for _, right, about in every if right == "no"} == {("red", "ring")}


def test_answers_to_absent_companions_are_biased_as_set():
    generator = rng(9)
    (x,) = [x for x in WORLD.prompts(500, generator, "question", question_kinds=("there",))
            if is_companion_invention(x.truth.scene, x.truth.about)][:1]  # fmt: skip
    world = Shapes(question_bias=0.25, guess_noise=0.0)
    said = [world.demonstrate(x, generator) for _ in range(10_000)]
    assert np.mean([y == "yes" for y in said]) == pytest.approx(0.25, abs=0.015)


@pytest.mark.parametrize("how", ["blur", "colour"])
def test_corruption_of_strength_zero_is_the_identity_and_any_other_is_not(how):
    picture = render(PAIR, rng(10))
    assert np.array_equal(corrupt_image(picture, rng(), how, 0.0), picture)
    worse = corrupt_image(picture, rng(), how, 0.5)
    assert worse.shape == picture.shape and worse.dtype == np.uint8 and not np.array_equal(worse, picture)
    for bad in (-0.1, 1.1):
        with pytest.raises(ValueError, match="strength"):
            corrupt_image(picture, rng(), how, bad)
    with pytest.raises(ValueError, match="how='fog'"):
        corrupt_image(picture, rng(), "fog", 0.5)


def test_resize_is_pillows_and_hue_is_the_standard_librarys():
    from PIL import Image

    picture = rng(11).integers(256, size=(32, 32, 3), dtype=np.uint8)
    for size in (20, 11, 47):
        pillow = np.asarray(Image.fromarray(picture).resize((size, size), Image.Resampling.BILINEAR)).astype(float)
        assert np.abs(resize(picture, size, size) - pillow).max() <= 1.0  # Pillow rounds between its two passes
    turned = turn_hue(picture, 0.2)
    for pixel, new in zip(picture.reshape(-1, 3)[:200], turned.reshape(-1, 3)[:200], strict=True):
        hue, saturation, value = colorsys.rgb_to_hsv(*(pixel / 255))
        assert np.abs(np.array(colorsys.hsv_to_rgb((hue + 0.2) % 1, saturation, value)) * 255 - new).max() <= 0.51


def test_other_image_shows_something_else():
    generator = rng(12)
    for x in WORLD.prompts(20, generator, split="held-out"):
        other = WORLD.other_image(x, generator)
        assert read(other.image)[0].claims != x.truth.scene.claims
        assert other.text == x.text and other.truth is x.truth


def test_corpus_has_the_shares_that_are_set_and_only_known_words():
    texts = Shapes(demonstrations=4000, question_share=0.5, described_share=0.4).corpus(rng(13))
    asked = [x for x, _ in texts if x.truth.kind != "caption"]
    assert len(texts) == 4000 and len(asked) == 2000
    assert np.mean([x.text.startswith("description :") for x in asked]) == pytest.approx(0.4, abs=0.04)
    assert {word for x, y in texts for word in f"{x.text} {y}".split()} <= set(WORLD.vocabulary)
    assert not any(x.truth.scene.held_out for x, _ in texts)
    captions = [(x, y) for x, y in texts if x.truth.kind == "caption"]
    assert np.mean(["imagine" in x.text for x, _ in captions]) == pytest.approx(0.15, abs=0.025)
    good = [WORLD.score(x, y) for x, y in captions if x.text.startswith("look")]
    assert np.mean(good) > 0.97


def test_labelled_patches_are_of_what_the_picture_shows():
    rows, labels = Shapes(noise=0.0).labelled_patches(50, rng(14))
    assert rows.shape[1] == 192 and len(rows) == len(labels) and (labels[labels[:, 0] == 0] == 0).all()
    for row, (noun, colour) in zip(rows, labels, strict=True):
        picture = np.zeros((4, 8, 4, 8, 3), np.uint8) + np.array([40, 40, 48], np.uint8)
        picture[0, :, 0] = np.rint(row.reshape(8, 8, 3) * 255)
        seen = read(picture.reshape(32, 32, 3))[0].objects
        assert [(1 + WORLD.shapes.index(o.shape), o.colour) for o in seen] == (
            [(noun, ("", "red", "green", "blue", "yellow", "purple", "orange")[colour])] if noun else []
        )


def test_same_generator_same_prompts():
    one, two = (WORLD.prompts(5, rng(15), "question") for _ in range(2))
    assert [x.text for x in one] == [x.text for x in two]
    assert all(np.array_equal(x.image, y.image) for x, y in zip(one, two, strict=True))


@pytest.mark.parametrize(
    "knobs", [{"noise": 2.0}, {"objects": (0, 3)}, {"mode_shares": (1.0, 1.0, 0.0)}, {"renders": "ink"}, {"omit": -1}]
)
def test_knobs_out_of_range_are_named(knobs):
    with pytest.raises(ValueError, match=next(iter(knobs))):
        Shapes(**knobs)


def test_names_that_are_unknown_are_named():
    for call, name in (
        (lambda: load_world("shapes/dreams"), "dreams"),
        (lambda: WORLD.prompts(1, rng(), "riddle"), "riddle"),
        (lambda: WORLD.prompts(1, rng(), split="test"), "test"),
        (lambda: WORLD.request(rng(), "rude"), "rude"),
        (lambda: WORLD.prompts(0, rng()), "n=0"),
    ):
        with pytest.raises(ValueError, match=name):
            call()


def test_photographs_stand_in_frames_of_their_colour(tmp_path, monkeypatch):
    from io import BytesIO

    import pandas as pd
    from PIL import Image

    from autodidact.environments.densities import images
    from autodidact.environments.shapes import photos

    def png(shade):
        buffer = BytesIO()
        Image.new("RGB", (32, 32), (shade, shade, shade)).save(buffer, "PNG")
        return {"bytes": buffer.getvalue()}

    (tmp_path / "uoft-cs__cifar10").mkdir()
    rows = [{"img": png(10 * k + 100 * (part == 0)), "label": k} for k in range(10) for part in range(5)]
    pd.DataFrame(rows).to_parquet(tmp_path / "uoft-cs__cifar10" / "train.parquet")
    monkeypatch.setenv("DATASETS_MIRROR", str(tmp_path))
    images.cifar10.cache_clear(), photos.photographs.cache_clear()
    world = load_world("shapes/photos")
    x = world.prompts(1, rng(16))[0]
    assert x.image.shape == (128, 128, 3) and set(world.shapes) >= {o.shape for o in x.truth.scene.objects}
    rows = patches(x.image).reshape(16, 32, 32, 3)
    for o in x.truth.scene.objects:
        assert np.allclose(rows[o.slot][0, 0] * 255, photos.PAINT[o.colour], atol=0.5)
        assert round(float(rows[o.slot][16, 16, 0]) * 255) % 100 == 10 * world.shapes.index(o.shape)
    images.cifar10.cache_clear(), photos.photographs.cache_clear()
