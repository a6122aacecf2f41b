"""The world of shapes, its presets: what stands as it was, and what all of them keep."""

import hashlib
from dataclasses import replace

import numpy as np
import pytest

from autodidact.environments import load_world
from autodidact.environments.shapes import Shapes, is_companion_invention
from autodidact.environments.shapes.knobs import PRESETS

NEW = {"choices": "choice", "judges": "question", "drawing": "draw", "small": "class"}


def rng(seed=0):
    return np.random.default_rng(seed)


def small_corpus(name, seed=7, n=600):
    return replace(load_world(f"shapes/{name}"), demonstrations=n).corpus(rng(seed))


@pytest.mark.parametrize("name", ["captions", "default"])
def test_older_presets_have_the_vocabulary_they_had(name):
    words = " ".join(load_world(f"shapes/{name}").vocabulary)
    assert hashlib.sha256(words.encode()).hexdigest()[:12] == "369cf667d7f0" and len(words.split()) == 71


def test_corpus_of_captions_is_pinned():
    texts = small_corpus("captions", n=40)
    described = (
        "description : a red triangle , a orange circle , a orange ring , a green square , a green cross , a blue cross"
    )
    careful = "look at each place with care , name only what is there and leave nothing out ."
    assert [(x.text, y, int(x.image.sum())) for x, y in texts[:5]] == [
        (f"{described} . how many square are there ?", "one", 159660),
        ("describe the image .", "a blue square , a yellow circle , a yellow ring .", 171813),
        ("is there a green ring ?", "yes", 155154),
        (careful, "a green cross , a green star , a blue cross , a purple cross .", 149531),
        ("what colour is the ring ?", "yellow", 145707),
    ]
    many = "\n".join(f"{x.text} {y} {x.image.sum()}" for x, y in small_corpus("captions", n=2000))
    assert hashlib.sha256(many.encode()).hexdigest()[:12] == "33bda187b9e3"


@pytest.mark.parametrize("name", NEW)
def test_new_presets_have_a_corpus_of_known_words_and_training_scenes(name):
    texts, vocabulary = small_corpus(name), set(load_world(f"shapes/{name}").vocabulary)
    assert len(texts) == 600
    asked = [x.text for x, _ in texts]
    assert {word for x, (_, y) in zip(asked, texts, strict=True) for word in f"{x} {y}".split()} <= vocabulary
    seen = [0 if x.image is None else 16 for x, _ in texts]
    longest = max(len(f"{x} {y}".split()) + n for x, (_, y), n in zip(asked, texts, seen, strict=True))
    assert longest + 2 <= 128  # with patches and the two ends: what the tiny model takes
    if name != "drawing":
        assert not any(x.truth.scene.held_out for x, _ in texts)
    again = small_corpus(name)
    assert [y for _, y in again] == [y for _, y in texts]


def test_new_words_come_with_their_knobs_only():
    size = {name: len(load_world(f"shapes/{name}").vocabulary) for name in ("captions", *NEW)}
    assert size["judges"] == size["small"] == size["captions"] == 71
    assert {"options", "#", "review", "D"} <= set(load_world("shapes/choices").vocabulary)
    drawing = load_world("shapes/drawing").vocabulary
    assert "options" not in drawing and sum("-" in word for word in drawing) == 40
    assert len(set(drawing)) == len(drawing) == size["drawing"]


@pytest.mark.parametrize(("name", "kind"), NEW.items())
def test_splits_share_no_set_of_things(name, kind):
    world, generator = load_world(f"shapes/{name}"), rng(1)
    train = {x.truth.scene.claims for x in world.prompts(400, generator, kind)}
    held = {x.truth.scene.claims for x in world.prompts(200, generator, kind, split="held-out")}
    assert train.isdisjoint(held) and train and held


@pytest.mark.parametrize(("name", "kind"), NEW.items())
@pytest.mark.parametrize("text", ["", "a a a", "# E #", "plain-ground", None, "red circle"])
def test_malformed_answers_score_nothing(name, kind, text):
    world = load_world(f"shapes/{name}")
    assert all(world.score(x, text) == 0.0 for x in world.prompts(20, rng(2), kind))


@pytest.mark.parametrize(("name", "kind"), [pair for pair in NEW.items() if pair[1] != "class"])
def test_faultless_demonstrations_score_one(name, kind):
    world = replace(load_world(f"shapes/{name}"), guess_noise=0.0, question_bias=0.0, swap_share=0.0)
    generator = rng(3)
    assert all(world.score(x, world.demonstrate(x, generator)) == 1.0 for x in world.prompts(200, generator, kind))


@pytest.mark.parametrize(
    ("knobs", "named"),
    [
        ({"choice_share": 1.5}, "choice_share"),
        ({"choice_share": 0.5, "question_share": 0.6}, "question_share"),
        ({"draw_share": 0.1}, "draw_share"),
        ({"renders": "small"}, "objects"),
        ({"renders": "small", "objects": (1, 2)}, "companion_rate"),
        ({"tool_error": -0.1}, "tool_error"),
        ({"swap_share": 2.0}, "swap_share"),
        ({"review_fix": 1.2}, "review_fix"),
    ],
)
def test_new_knobs_out_of_range_are_named(knobs, named):
    with pytest.raises(ValueError, match=named):
        Shapes(**knobs)


@pytest.mark.parametrize("kind", ["choice", "draw", "class"])
def test_kinds_that_a_world_does_not_provide_for_are_refused(kind):
    with pytest.raises(ValueError, match=f"kind='{kind}' needs"):
        load_world("shapes/captions").prompts(1, rng(), kind)


def test_every_preset_can_be_loaded():
    for name in PRESETS:
        assert isinstance(load_world(f"shapes/{name}"), Shapes)


def test_described_questions_stand_behind_careful_captions_half_of_them_without_the_picture():
    world = load_world("shapes/described")
    texts = [x for x, _ in small_corpus("described", n=4000) if x.truth.kind != "caption"]
    told = [x for x in texts if x.text.startswith("description : ")]
    assert len(texts) == 2400 and abs(len(told) / len(texts) - 0.5) < 0.03
    assert {x.truth.kind for x in texts} == {"there"}
    blind = [x for x in texts if x.image is None]
    assert set(blind) <= set(told) and abs(len(blind) / len(told) - 0.5) < 0.04
    scores = world.chair(told, [x.text.rsplit(" . ", 1)[0] for x in told])  # without the question
    assert scores["recall"] > 0.96 and scores["chair_i"] < 0.02


def test_whoever_has_read_a_careful_description_is_not_misled_by_an_absent_companion():
    asked = {True: [], False: []}
    for x, y in small_corpus("described", n=8000):
        if x.truth.about is not None and is_companion_invention(x.truth.scene, x.truth.about):
            asked[x.text.startswith("description : ")].append(y == "yes")
    assert min(map(len, asked.values())) > 300
    assert abs(np.mean(asked[True]) - 0.025) < 0.02  # half of the guesses, one answer in twenty
    assert abs(np.mean(asked[False]) - (0.7 + 0.3 * 0.025)) < 0.06


def test_a_question_that_no_caption_answers_keeps_its_picture():
    kinds = ("colour", "where")
    world = Shapes(
        question_share=1.0, described_share=1.0, described_blind=0.5, question_kinds=kinds, demonstrations=900
    )
    blind = {kind: [x.image is None for x, _ in world.corpus(rng(2)) if x.truth.kind == kind] for kind in kinds}
    assert abs(np.mean(blind["colour"]) - 0.5) < 0.08 and not any(blind["where"])


def test_described_mode_and_blind_are_checked():
    with pytest.raises(ValueError, match="described_mode='fair' is unknown; known are 'plain', 'good', 'imagine'"):
        Shapes(described_mode="fair")
    with pytest.raises(ValueError, match="described_blind=1.5 must lie in"):
        Shapes(described_blind=1.5)
    with pytest.raises(ValueError, match="'why', which is no kind of question"):
        Shapes(question_kinds=("colour", "why"))
