"""The world of shapes, choices: options, letters, reviews and their table."""

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest

from autodidact.environments import load_world
from autodidact.environments.shapes import Shapes, ask_review, parse_choice, review, type_table
from autodidact.environments.shapes.choices import LETTERS, REVIEW, options_of
from autodidact.environments.shapes.questions import NUMBERS, PLACES, POOLS
from autodidact.environments.shapes.scenes import COLOURS

WORLD = load_world("shapes/choices")
ALL_KINDS = replace(WORLD, choice_kinds=tuple(POOLS))


def rng(seed=0):
    return np.random.default_rng(seed)


def options(x):
    listed = x.text.split(" options ")[1].removesuffix(" .").split(" , ")
    return dict(option.split(" ", 1) for option in listed)


def test_each_choice_has_four_options_of_which_one_is_right():
    kinds = Counter()
    for x in ALL_KINDS.prompts(2000, rng(1), "choice"):
        offered, words = options(x), x.text.split()
        assert options_of(x.text) == offered
        assert tuple(offered) == LETTERS and len(set(offered.values())) == 4
        said, objects = offered[x.truth.answer], x.truth.scene.objects
        kinds[words[0]] += 1
        if words[0] == "what":
            (there,) = [o for o in objects if o.shape == words[4]]
            assert said == there.colour and set(offered.values()) <= set(COLOURS)
        elif words[0] == "how":
            assert said == NUMBERS[sum(o.shape == words[2] for o in objects)]
        else:
            (there,) = [o for o in objects if o.claim == (words[3], words[4])]
            assert said == there.place and set(offered.values()) == set(PLACES)
    assert min(kinds.values()) > 500


def test_letters_are_uniform_whatever_is_asked():
    asked = ALL_KINDS.prompts(6000, rng(2), "choice")
    for kind in ("what", "how", "where"):
        letters = Counter(x.truth.answer for x in asked if x.text.startswith(kind))
        expected = sum(letters.values()) / 4
        assert sum((letters[letter] - expected) ** 2 / expected for letter in LETTERS) < 16.3  # p 0.001, 3 degrees


def test_answers_reason_with_the_picture_and_then_choose():
    world, generator = replace(ALL_KINDS, guess_noise=0.0), rng(3)
    for x in world.prompts(200, generator, "choice"):
        said, words, option = world.demonstrate(x, generator), x.text.split(), options(x)[x.truth.answer]
        thing = {"what": f"a {option} {words[4]}", "how": f"{option} {words[2]}"}
        thing["where"] = f"a {words[3]} {words[4]} at {option}"
        assert said == f"i see {thing[words[0]]} . so {option} {x.truth.answer} # {x.truth.answer} #"
        assert world.score(x, said) == 1.0
    world = replace(WORLD, guess_noise=0.4)
    x = world.prompts(1, generator, "choice")[0]
    wrong = np.mean([world.score(x, world.demonstrate(x, generator)) == 0 for _ in range(4000)])
    assert wrong == pytest.approx(0.3, abs=0.025)  # a guess is right in a quarter of the cases


@pytest.mark.parametrize(
    ("text", "letter"),
    [
        ("i see a red square . so # B #", "B"),
        ("i see a red square . so red C # C #", "C"),
        ("## C ##", "C"),
        ("## A. dog ##", "A"),
        ("#D# and # A #", "D"),
        ("it is B .", "B"),
        ("# B", None),
        ("# E #", None),
        ("a red square , B purple .", None),
        ("", None),
        (None, None),
        ("C . so # A #", "A"),
    ],
)
def test_parse_choice(text, letter):
    assert parse_choice(text) == letter


@pytest.mark.parametrize(("keep", "fix"), [(0.72, 0.38), (1.0, 0.0), (0.0, 1.0)])
def test_reviews_keep_and_fix_as_often_as_set(keep, fix):
    generator = rng(4)
    x = WORLD.prompts(1, generator, "choice")[0]
    right, wrong = x.truth.answer, next(letter for letter in LETTERS if letter != x.truth.answer)
    for first, rate in ((f"# {right} #", keep), (f"# {wrong} #", fix), ("what ?", fix)):
        second = [parse_choice(review(x, first, generator, keep, fix)) for _ in range(5000)]
        assert np.mean([letter == right for letter in second]) == pytest.approx(rate, abs=0.015)
        others = Counter(letter for letter in second if letter != right)
        assert None not in others and (rate == 1.0 or min(others[c] for c in set(LETTERS) - {right}) > 200)


def test_review_turns_hold_the_dialogue_and_have_their_share_of_the_corpus():
    x = WORLD.prompts(1, rng(5), "choice")[0]
    asked = ask_review(x, "i see nothing . so # A #")
    assert asked.text == f"{x.text} i see nothing . so # A # {REVIEW}"
    assert asked.truth is x.truth and asked.image is x.image
    assert options_of(asked.text) == options_of(x.text) and options_of("describe the image .") == {}
    texts = replace(WORLD, demonstrations=3000, review_share=0.3).corpus(rng(6))
    chosen = [x for x, _ in texts if x.truth.kind == "choice"]
    assert len(chosen) == 2100
    assert np.mean([x.text.endswith(REVIEW) for x in chosen]) == pytest.approx(0.3, abs=0.04)


def test_type_table_by_hand():
    first, second, truth = ["A", "A", "B", None, "C", "D"], ["A", "B", "A", "A", None, "D"], ["A"] * 5 + ["D"]
    assert type_table(first, second, truth).tolist() == [[2, 1], [2, 1]]
    with pytest.raises(ValueError, match="differ in length"):
        type_table(["A"], [], ["A"])


def test_bad_input_is_named():
    x = WORLD.prompts(1, rng(7), "choice")[0]
    with pytest.raises(ValueError, match="p_fix_wrong=1.5"):
        review(x, "# A #", rng(), 0.5, 1.5)
    with pytest.raises(ValueError, match="choice_kinds=.*'left'.* colour, count, where"):
        Shapes(choice_kinds=("colour", "left"))
    with pytest.raises(ValueError, match="choice_kinds"):
        Shapes(choice_kinds=())
    caption = WORLD.prompts(1, rng(7))[0]
    with pytest.raises(ValueError, match="no choice"):
        review(caption, "# A #", rng(), 0.5, 0.5)
