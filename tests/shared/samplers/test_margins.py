"""Pairs by a margin of grades, worked out by hand."""

import numpy as np
import pytest

from autodidact.samplers import margin_pairs

TEXTS = [["a", "b", "c"], ["d", "e", "e"]]
GRADES = np.array([[5, 6, 4], [6, 3, 6]])


def rows(**how):
    return margin_pairs(["x", "y"], TEXTS, GRADES, **how)[1].tolist()


def test_every_pair_that_is_far_enough_apart():
    assert rows(margin=2) == [[0, 1, 2], [1, 0, 1]]  # the two e are one text: no pair
    assert rows(margin=1) == [[0, 0, 2], [0, 1, 0], [0, 1, 2], [1, 0, 1]]
    assert rows(margin=3) == [[1, 0, 1]]


def test_a_margin_for_whoever_is_the_better_one():
    assert rows(margin=[2, 1, 1]) == [[0, 1, 0], [0, 1, 2], [1, 0, 1]]
    assert rows(margin=[1, 3, 3]) == [[0, 0, 2], [1, 0, 1]]


def test_the_better_one_must_be_good_enough():
    assert rows(margin=1, least=6) == [[0, 1, 0], [0, 1, 2], [1, 0, 1]]


def test_without_a_margin_ties_come_in_either_order():
    assert rows(margin=0) == [[0, 0, 2], [0, 1, 0], [0, 1, 2], [1, 0, 1], [1, 0, 2], [1, 2, 0]]


def test_pairs_carry_texts_and_what_the_loss_asks_for():
    win = np.array([[0.5, 0.9, 0.1], [0.7, 0.2, 0.7]])
    pairs, _ = margin_pairs(["x", "y"], TEXTS, GRADES, margin=2, columns={"r": win})
    assert [(q.prompt, q.chosen, q.rejected) for q in pairs] == [("x", "b", "c"), ("y", "d", "e")]
    assert [q.columns for q in pairs] == [{"r_chosen": 0.9, "r_rejected": 0.1}, {"r_chosen": 0.7, "r_rejected": 0.2}]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"margin": 4}, "^0 of 5 pairs left at margin 4: take a smaller margin$"),
        ({"margin": [2, 3, 3], "least": 7}, "^0 of 5 pairs left at margin 2 or 3 with a better score of at least 7"),
        ({"margin": -1}, "margin=-1 must be a number from 0 on, or one for each of 3 responses"),
        ({"margin": [1, 2]}, r"margin=\[1, 2\] must be a number from 0 on, or one for each of 3 responses"),
        ({"margin": float("nan")}, "margin=nan must be finite"),
        ({"scores": np.array([[5, 6, np.nan], [1, 2, 3]])}, r"scores\[0\]\[2\]=nan must be finite"),
        ({"scores": GRADES[:, :2]}, r"2 rows of responses and scores of shape \(2, 2\) were given"),
        ({"prompts": ["x"]}, r"1 prompts, 2 rows of responses"),
        ({"columns": {"r": np.ones(2)}}, r"columns\['r'\] has shape \(2,\), must be \(2, 3\) as scores are"),
    ],
)
def test_bad_input_is_named(change, message):
    given = {"prompts": ["x", "y"], "responses": TEXTS, "scores": GRADES, "margin": 1} | change
    with pytest.raises(ValueError, match=message) as error:
        margin_pairs(given.pop("prompts"), given.pop("responses"), given.pop("scores"), **given)
    assert "\n" not in str(error.value)
