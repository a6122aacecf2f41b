"""The additive judge: what counts as a score, and means over what a written-down judge says."""

from types import SimpleNamespace

import numpy as np
import pytest

from autodidact.judges import AdditiveJudge, additive_score
from autodidact.judges.additive import ADDITIVE_PROMPT


@pytest.mark.parametrize(
    ("text", "points"),
    [
        ("Relevant and clear.\nScore: 4", 4),
        ("score: 3.5 points", 3.5),
        ("Score: <2>", 2),
        ("Score: **5**", 5),
        ("Score: 4/5.", 4),
        ("Score: 0", 0),
        ("I would first say Score: 2, but in the end Score: 3", 3),
        ("The score is four", None),
        ("Score: 7", None),
        ("Score: 8/10", None),
        ("Score: 4/50", None),
        ("Score: 45", None),
        ("Score: 1. Or rather a score of two", None),  # the last mention counts, and it cannot be read
        ("", None),
    ],
)
def test_the_last_score_counts_and_malformed_is_none(text, points):
    assert additive_score(text) == points


class Written:
    """Says the next of its lines, whatever it is asked, and notes what it was asked."""

    def __init__(self, *rows):
        self.rows, self.asked, self.options = list(rows), [], None

    def generate(self, prompts, n, **options):
        self.asked += prompts
        self.options = (n, options["temperature"])
        return [[SimpleNamespace(text=text) for text in self.rows.pop(0)] for _ in prompts]


def test_rewards_are_means_of_the_judgements_that_can_be_read():
    policy = Written(["Score: 1", "Score: 4"], ["no idea", "Score: 5"], ["?", "Score: 9"], ["Score: 0", "Score: 0"])
    judge = AdditiveJudge(policy, samples=2, temperature=0.5, malformed=-1.0)
    rewards = judge.rewards(["x {response}", "z"], [["a", "{b}"], ["c", "d"]], np.random.default_rng(0))
    assert rewards.tolist() == [[2.5, 5.0], [-1.0, 0.0]]
    assert (judge.asked, judge.unread) == (8, 3)
    assert policy.options == (2, 0.5)
    assert "<response>c</response>" in policy.asked[2]
    assert "<response>{b}</response>" in policy.asked[1]


def test_what_cannot_be_judged_gets_the_lowest_points_by_default():
    judge = AdditiveJudge(Written(["?"], ["Score: 1"]), samples=1)
    assert judge.rewards(["x"], [["a", "b"]], np.random.default_rng(0)).tolist() == [[0.0, 1.0]]


def test_bad_arguments_are_refused():
    with pytest.raises(ValueError, match="samples=0"):
        AdditiveJudge(None, samples=0)
    with pytest.raises(ValueError, match=r"template lacks \{response\}"):
        AdditiveJudge(None, template="Rate {prompt}")
    with pytest.raises(ValueError, match="2 and 1"):
        AdditiveJudge(None).rewards(["x", "z"], [["a"]], np.random.default_rng(0))
    assert ADDITIVE_PROMPT.count("{prompt}") == ADDITIVE_PROMPT.count("{response}") == 1
