"""The world of shapes, drawings: grids and their reader, facts and questions, perturbed and densified requests."""

from collections import defaultdict
from dataclasses import replace

import numpy as np
import pytest

from autodidact.environments import load_world
from autodidact.environments.shapes import (
    Object,
    Scene,
    Shapes,
    along_text,
    densify_pair,
    grid_of,
    perturb_prompt,
    questions_of,
    read,
    render_grid,
    satisfied,
    text_of,
    true_mask,
    well_formed,
)
from autodidact.environments.shapes.drawings import demonstrate
from autodidact.environments.shapes.facts import place
from autodidact.environments.shapes.grid import GROUNDS, TOKENS, ground_of, one_hot, sketch
from autodidact.environments.shapes.scenes import SIDE

WORLD = load_world("shapes/drawing")
SCENE = Scene((Object(4, "circle", "red"), Object(6, "star", "blue"), Object(15, "ring", "red")))


def rng(seed=0):
    return np.random.default_rng(seed)


def faultless(text, seed=0):
    return grid_of(demonstrate(WORLD.prompts(1, rng(), "draw")[0].ask(text), rng(seed), 0.0))


def test_grids_are_read_exactly_on_every_ground_and_survive_their_words():
    generator = rng(1)
    for i in range(200):
        scene = Shapes().scene(generator)
        grid = render_grid(scene, GROUNDS[i % 4])
        seen, margin = read(grid)
        assert seen == scene and (margin == 1).all() and ground_of(grid) == GROUNDS[i % 4]
        assert np.array_equal(grid_of(text_of(grid)), grid) and well_formed(grid) == 1.0
        assert grid.shape == (8, 8) and set(np.unique(grid)) <= set(range(40))
    assert len(set(TOKENS)) == 40


def test_the_text_of_a_drawing_goes_slot_by_slot():
    grid = np.arange(64).reshape(8, 8) % 40
    words = text_of(grid).split()
    assert len(words) == 80 and words[::5] == ["/"] * 16
    assert words[1:5] == [TOKENS[i] for i in (0, 1, 8, 9)]  # the first slot: two rows of two
    assert words[6:10] == [TOKENS[i] for i in (2, 3, 10, 11)]
    assert words[21:25] == [TOKENS[i] for i in (16, 17, 24, 25)]  # the second row of slots
    for spoilt in (words[:-1], [*words, "/"], words[1:] + words[:1], ["plain-ground", *words[1:]], words[:-1] + ["/"]):
        assert grid_of(" ".join(spoilt)) is None
    assert grid_of(" ".join(words[:-1] + ["mauve-ring"])) is None


def test_weights_of_cells_lie_along_the_text():
    grid, cells = render_grid(SCENE, "dotted"), rng(3).random((8, 8))
    along, words = along_text(cells, -1.0), text_of(grid).split()
    assert along.shape == (80,) and (along[::5] == -1).all()
    assert along[1:5].tolist() == [cells[0, 0], cells[0, 1], cells[1, 0], cells[1, 1]]
    assert np.delete(along, np.s_[::5]).sum() == pytest.approx(cells.sum())
    mask = along_text(true_mask(grid, "red circle"))
    assert [word for word, inside in zip(words, mask, strict=True) if inside] == ["red-circle"] * 4
    with pytest.raises(ValueError, match="cells"):
        along_text(np.zeros(64))


def test_an_eye_gets_a_drawing_slot_by_slot():
    grid = sketch(SCENE, rng(3), 0.3)
    seen = one_hot(grid)
    assert seen.shape == (16, 160) and seen.dtype == np.float32 and (seen.reshape(16, 4, 40).sum(axis=2) == 1).all()
    assert seen[5].reshape(4, 40).argmax(axis=1).tolist() == [grid[2, 2], grid[2, 3], grid[3, 2], grid[3, 3]]
    assert np.array_equal(WORLD.prompts(1, rng(), "draw")[0].show(grid).patches, seen)


def test_any_grid_has_a_reading():
    generator = rng(2)
    for _ in range(100):
        scene, margin = read(generator.integers(40, size=(8, 8)))
        assert len(scene.claims) == len(scene.objects) and (margin >= 0).all() and (margin <= 1).all()


def test_spoiled_tokens_lower_the_margin_and_the_form_and_ties_show_nothing():
    grid = render_grid(SCENE)
    grid[2, 0] = TOKENS.index("blue-ring")  # one of four tokens of the red circle in slot 4
    seen, margin = read(grid)
    assert seen == SCENE and margin[4] == 0.5 and well_formed(grid) == pytest.approx(2 / 3)
    grid[2, 1] = TOKENS.index("blue-ring")
    assert [o.slot for o in read(grid)[0].objects] == [6, 15] and read(grid)[1][4] == 0
    twice = render_grid(Scene((Object(0, "ring", "red"),)))
    twice[6:, 6:] = twice[0, 0]
    twice[0, 0] = 0
    assert [o.slot for o in read(twice)[0].objects] == [15]  # of equal things the clearer one is kept
    assert well_formed(render_grid(Scene(()))) == 1.0


def test_masks_are_the_cells_of_a_noun():
    grid, expected = render_grid(SCENE), np.zeros((8, 8), bool)
    expected[2:4, 0:2] = True
    assert np.array_equal(true_mask(grid, "red circle"), expected)
    assert np.array_equal(true_mask(grid, "circle"), expected)
    expected[6:, 6:] = True
    assert np.array_equal(true_mask(grid, "red"), expected)
    assert not true_mask(grid, "green star").any()
    for bad in ("dog", "", "red blue", "a red circle"):
        with pytest.raises(ValueError, match="noun"):
            true_mask(grid, bad)


def test_noise_replaces_tokens_at_its_rate():
    generator = rng(3)
    wrong = [np.mean(sketch(Scene(()), generator, 0.1) > 3) for _ in range(400)]
    assert np.mean(wrong) == pytest.approx(0.1 * 36 / 39, abs=0.01)


@pytest.mark.parametrize("bad", [np.zeros((8, 8)), np.zeros((4, 4), int), np.full((8, 8), 40), np.full((8, 8), -1)])
def test_what_is_no_grid_is_refused(bad):
    for call in (well_formed, text_of, one_hot, lambda grid: true_mask(grid, "red")):
        with pytest.raises(ValueError, match="grid"):
            call(bad)
    assert grid_of(bad) is None


def test_questions_of_a_text_by_hand():
    assert questions_of("draw a red circle left of a blue star , a green ring .") == [
        ("is there a red circle ?", "yes"),
        ("is there a blue star ?", "yes"),
        ("is there a green ring ?", "yes"),
        ("is the red circle left of the blue star ?", "yes"),
    ]
    dense = "draw a red circle at row 2 column 1 , a blue star at row 2 column 3 , on a dotted ground ."
    assert [question for question, _ in questions_of(dense)] == [
        "is there a red circle ?",
        "is there a blue star ?",
        "is the red circle at row 2 column 1 ?",
        "is the blue star at row 2 column 3 ?",
        "is the ground dotted ?",
    ]
    assert satisfied(dense, render_grid(SCENE, "dotted")) == [True] * 5
    assert satisfied(dense, render_grid(SCENE, "plain")) == [True] * 4 + [False]
    assert satisfied("draw a blue star left of a red circle .", render_grid(SCENE)) == [True, True, False]
    assert satisfied("draw a red circle above a red ring .", render_grid(SCENE)) == [True] * 3
    assert satisfied("draw a red circle above a green ring .", render_grid(SCENE)) == [True, False, False]
    unplaced = "a red square at row 1 column 12"  # there is no such column
    assert questions_of(unplaced) == [("is there a red square ?", "yes")]
    assert questions_of("a red square , a red square .") == [("is there a red square ?", "yes")]
    assert questions_of("") == questions_of(None) == questions_of("a red dog , blue circle , at row 9") == []


def test_the_score_is_the_share_of_facts():
    x = WORLD.prompts(1, rng(4), "draw")[0].ask("draw a red circle left of a green star , a red ring .")
    assert WORLD.score(x, text_of(render_grid(SCENE))) == WORLD.score(x, render_grid(SCENE)) == 0.5
    assert WORLD.score(x, "") == WORLD.score(x, "plain-ground " * 64) == WORLD.score(x, np.zeros((8, 8))) == 0.0


@pytest.mark.parametrize("related", [True, False])
def test_requests_are_satisfied_by_their_scene_and_by_faultless_drawings(related):
    world, generator = replace(WORLD, draw_relations=related), rng(5)
    for x in world.prompts(300, generator, "draw"):
        assert x.image is None and 10 <= len(x.text.split()) + 3 <= 30
        assert {o.claim for o in x.truth.scene.objects} == x.truth.scene.claims
        assert world.score(x, render_grid(x.truth.scene)) == 1.0
        assert any(word in x.text.split() for word in ("left", "above")) == related
        drawn = grid_of(world.demonstrate(x, generator, "good"))
        assert world.score(x, drawn) == 1.0 and well_formed(drawn) == 1.0
        assert read(drawn)[0].claims == x.truth.scene.claims


def test_slips_are_as_frequent_as_set_and_of_both_kinds():
    world, generator, wrong, missing = replace(WORLD, swap_share=0.25), rng(6), [], []
    for x in world.prompts(4000, generator, "draw"):
        drawn = world.demonstrate(x, generator)
        wrong.append(world.score(x, drawn) < 1)
        if wrong[-1]:
            missing.append(len(read(grid_of(drawn))[0].objects) < len(x.truth.scene.objects))
    assert np.mean(wrong) == pytest.approx(0.25, abs=0.02)
    assert 0.5 < np.mean(missing) < 0.75  # a swap of colours is not always possible


@pytest.mark.parametrize("kind", ["replace", "swap", "drop"])
def test_perturbed_requests_contradict_the_original(kind):
    generator = rng(7)
    for x in WORLD.prompts(300, generator, "draw"):
        x2 = perturb_prompt(x, generator, kind)  # with a relation every kind is possible
        assert x2.text != x.text and x2.truth.kind == "draw"
        assert WORLD.score(x2, render_grid(x2.truth.scene)) == 1.0
        assert WORLD.score(x, render_grid(x2.truth.scene)) < 1
        assert WORLD.score(x, WORLD.demonstrate(x2, generator, "good")) < 1
        backwards = WORLD.score(x2, WORLD.demonstrate(x, generator, "good"))
        assert backwards == 1.0 if kind == "drop" else backwards < 1.0
        changed = set(x.truth.scene.objects) ^ set(x2.truth.scene.objects)
        assert len({o.slot for o in changed}) == {"replace": 1, "swap": 2, "drop": 1}[kind]


def test_densified_pairs_differ_in_the_changed_binding_only():
    generator, grounds = rng(8), set()
    for i, x in enumerate(WORLD.prompts(300, generator, "draw")):
        x2 = perturb_prompt(x, generator, ("replace", "swap", "drop")[i % 3])
        d, d2 = densify_pair(x, x2, generator)
        one, two = faultless(d.text), faultless(d2.text, 1)
        assert read(one)[0] == x.truth.scene and read(two)[0] == x2.truth.scene
        slots = {o.slot for o in set(x.truth.scene.objects) ^ set(x2.truth.scene.objects)}
        cells = {SIDE * (row // 2) + column // 2 for row, column in np.argwhere(one != two)}
        assert cells == slots and ground_of(one) == ground_of(two)
        assert max(len(d.text.split()), len(d2.text.split())) <= 33
        grounds.add(ground_of(one))
    assert grounds == set(GROUNDS)


def test_questions_about_drawings_are_answered_by_the_scene_and_yes_half_of_the_time():
    yes = defaultdict(list)
    for x in WORLD.prompts(6000, rng(9), "question"):
        words, slots = x.text.split(), {o.claim: o.slot for o in x.truth.scene.objects}
        if x.truth.kind == "colour":
            assert (x.truth.answer, words[4]) in slots and [shape for _, shape in slots].count(words[4]) == 1
            continue
        if x.truth.kind == "there":
            right = tuple(words[3:5]) in slots
        else:
            a, b = slots[tuple(words[2:4])], slots[tuple(words[-3:-1])]
            right = a % 4 < b % 4 if x.truth.kind == "left" else a // 4 < b // 4
        assert x.truth.answer == ("yes" if right else "no")
        yes[x.truth.kind].append(right)
    assert set(yes) == {"there", "left", "above"}
    assert all(np.mean(rows) == pytest.approx(0.5, abs=0.035) for rows in yes.values())


def test_half_of_what_is_absent_is_a_wrong_binding():
    crossed = []
    for x in WORLD.prompts(3000, rng(10), "question", question_kinds=("there",)):
        objects = x.truth.scene.objects
        wrong = {(a.colour, b.shape) for a in objects for b in objects} - x.truth.scene.claims
        if x.truth.answer == "no" and wrong:
            crossed.append(x.truth.about in wrong)
    assert np.mean(crossed) == pytest.approx(0.53, abs=0.05)  # and a few by chance


def test_corpus_has_the_shares_that_are_set():
    texts = replace(WORLD, demonstrations=2000, swap_share=0.0).corpus(rng(11))
    drawn = [(x.text, y) for x, y in texts if x.truth.kind == "draw"]
    assert len(texts) == 2000 and len(drawn) == 500
    assert np.mean(["ground ." in x for x, _ in drawn]) == pytest.approx(0.5, abs=0.06)
    assert all(all(satisfied(x, y)) for x, y in drawn)
    assert all((x.image is None) == (x.truth.kind == "draw") for x, _ in texts)
    assert {"caption", "colour", "there", "left", "above"} == {x.truth.kind for x, _ in texts} - {"draw"}


def test_bad_input_is_named():
    x = WORLD.prompts(1, rng(12), "draw")[0]
    other = x.ask("draw a red circle , a blue star .")
    with pytest.raises(ValueError, match="kind='paint'"):
        perturb_prompt(x, rng(), "paint")
    with pytest.raises(ValueError, match="no request to draw"):
        perturb_prompt(WORLD.prompts(1, rng())[0], rng(), "drop")
    with pytest.raises(ValueError, match="reworded"):
        perturb_prompt(x.ask("draw a red circle , a red ring , a red star , a red cross ."), rng(), "drop")
    with pytest.raises(ValueError, match="densified"):
        perturb_prompt(densify_pair(x, x, rng())[0], rng(), "drop")
    alone = replace(x, text="draw a red star .", truth=replace(x.truth, scene=Scene((Object(3, "star", "red"),))))
    with pytest.raises(ValueError, match="'drop' is not possible"):
        perturb_prompt(alone, rng(), "drop")
    elsewhere = replace(alone, truth=replace(x.truth, scene=Scene((Object(3, "star", "red"),))))
    with pytest.raises(ValueError, match="x2="):
        densify_pair(replace(alone, truth=replace(x.truth, scene=Scene((Object(4, "star", "red"),)))), elsewhere, rng())
    for text in ("a red star at row 1 column 1 , a red ring at row 1 column 1", "a red star left of a red star"):
        with pytest.raises(ValueError, match="no scene shows"):
            place(text, rng())
    with pytest.raises(ValueError, match="image"):
        _ = other.patches
    with pytest.raises(ValueError, match="kind='count'"):
        WORLD.prompts(1, rng(), "question", question_kinds=("count",))
    with pytest.raises(ValueError, match="ground='grass'"):
        render_grid(SCENE, "grass")
