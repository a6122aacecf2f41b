import numpy as np
import pytest
from scipy.stats import kendalltau, rankdata, spearmanr

from autodidact.judges import ordinal_ranks, rank_correlation, ranking_consistency


@pytest.fixture
def scores():
    rng = np.random.default_rng(0)
    return rng.integers(0, 4, (2, 60, 5)).astype(float)  # many ties


def test_ordinal_ranks_are_scipys(scores):
    assert (ordinal_ranks(scores) == rankdata(scores, method="ordinal", axis=-1)).all()
    assert ordinal_ranks([3.0, 1.0, 3.0, 1.0]).tolist() == [3, 1, 4, 2]


@pytest.mark.parametrize(("measure", "coefficient"), [("kendall", kendalltau), ("spearman", spearmanr)])
@pytest.mark.parametrize("n", [2, 3, 5])
def test_coefficients_are_scipys_on_ordinal_ranks(scores, measure, coefficient, n):
    a, b = scores[..., :n]
    wanted = [
        (coefficient(rankdata(x, "ordinal"), rankdata(y, "ordinal")).statistic + 1) / 2
        for x, y in zip(a, b, strict=True)
    ]
    assert ranking_consistency(a, b, measure) == pytest.approx(wanted, abs=1e-12)


def test_toporder_wants_best_and_worst_alike_wherever_they_stand():
    a = [0.0, 5.0, 1.0, 2.0]
    others = [[1.0, 9.0, 3.0, 2.0], [1.0, 9.0, 0.0, 2.0], [1.0, 2.0, 3.0, 9.0], [0.0, 3.0, 1.0, 9.0]]
    agree = [1.0, 0.0, 0.0, 0.0]  # both; the best only; the worst is another too; the worst only
    assert ranking_consistency([a] * 4, others, "toporder").tolist() == agree
    # the reading by place in the list would say 0 here: the first response ranks 2 and 3
    assert ranking_consistency([1.0, 2.0, 9.0, 0.0], [2.0, 1.0, 9.0, 0.0], "toporder") == 1.0


def test_same_and_reversed_rankings_are_one_and_zero():
    for measure in ("kendall", "spearman", "toporder"):
        assert ranking_consistency([1.0, 2.0, 3.0], [0.1, 7.0, 9.0], measure) == 1
        assert ranking_consistency([1.0, 2.0, 3.0], [3.0, 2.0, 1.0], measure) == 0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (([1.0, 2.0], [1.0, 2.0, 3.0]), "one shape"),
        (([1.0], [1.0]), "2 or more"),
        (([1.0, 2.0], [1.0, 2.0], "pearson"), "measure='pearson'"),
        (([1.0, np.nan], [1.0, 2.0]), "nan must be finite"),
    ],
)
def test_bad_arguments_are_named(arguments, message):
    with pytest.raises(ValueError, match=message):
        ranking_consistency(*arguments)


def test_rank_correlation_is_spearmans_mean_without_constant_rows(scores):
    a, b = scores[0], scores[1].copy()
    b[3] = 1.0
    each = [spearmanr(x, y).statistic for x, y in zip(a, b, strict=True) if np.ptp(x) > 0 and np.ptp(y) > 0]
    assert len(each) < len(a)
    assert rank_correlation(a, b) == pytest.approx(np.mean(each))
    assert rank_correlation(a[0], b[0]) == pytest.approx(spearmanr(a[0], b[0]).statistic)
    assert rank_correlation(np.ones((2, 3)), np.ones((2, 3))) == 0.0


@pytest.mark.parametrize("second", [[[1.0, 2.0]], [[1.0, np.nan, 2.0]], [[[1.0, 2.0, 3.0]]]])
def test_rank_correlation_refuses_other_shapes_and_nan(second):
    with pytest.raises(ValueError, match=r"first and second must be|second\[0\]\[1\]=nan must be finite"):
        rank_correlation([[1.0, 2.0, 3.0]], second)
