"""Self-interpretability's notebook: its numbers of released files, against pandas and scipy on the same files."""

import json

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from autodidact.claims import papers_folder
from autodidact.decision_weights import contributions, pooled_r, standardised
from autodidact.environments.choices import RERUNS
from autodidact.streams import stream
from tests.papers.notebooks import measure
from tests.release import MODEL

FILES = {"paper": ("self-interpretability", MODEL)}
FILES |= dict(
    zip(("mini", "qwen"), ((f"self-interpretability-reruns/{run}", m) for run, m in RERUNS.items()), strict=True)
)
HALVES = ("itrained_last_50_of_100_50ex_weight_reports", "itrained_first_50_of_100_50ex_weight_reports")


@pytest.fixture(scope="module")
def record(mirror):
    """The record of `small` on the stand-in of the release."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DATASETS_MIRROR", str(mirror))
        return measure("self-interpretability", scale="small", resamples=100)


def table(mirror, tune, ending):
    """Mean of the numeric columns by context, in the order of `scenarios.csv`, over the contexts that the file has."""
    folder, model = FILES[tune]
    rows = pd.read_csv(mirror / folder / f"{model}_{ending}.csv")
    names = pd.read_csv(mirror / FILES["paper"][0] / "scenarios.csv")["scenario"]
    columns = [name for name in rows if name.startswith(("report_attr", "b_attr"))]
    means = rows.groupby("scenario")[columns].mean()
    return means.loc[[name for name in names if name in means.index]]


def scaled(frame, of=None):
    """Standardised over all cells, those of `of` where it is given."""
    values = (frame if of is None else of).to_numpy()
    return (frame - values.mean()) / values.std()


def slope(mirror, tune, reports, weights="regression_results"):
    """The slope of standardised weights on standardised reports, every file of reports by itself, by least squares."""
    z = pd.concat([scaled(table(mirror, tune, ending)) for ending in reports])
    v = scaled(table(mirror, tune, weights)).loc[z.index]
    return stats.linregress(z.to_numpy().ravel(), v.to_numpy().ravel()).slope


def both(record, claim):
    found = next(one for one in record["claims"] if one["id"] == claim)
    return np.mean(found["treatment"]), np.mean(found["control"])


@pytest.mark.parametrize("tune", FILES)
def test_claims_of_every_fine_tune_are_slopes_of_its_own_files(tune, record, mirror):
    central = {"reports": "reports-own-weights", "training": "training-improves-reports"}
    name = central if tune == "paper" else {kind: f"{tune}-{kind}" for kind in central}
    base, instilled = (slope(mirror, tune, [f"{stage}weight_reports"]) for stage in ("", "instilled_"))
    assert both(record, name["reports"]) == pytest.approx((instilled, base), abs=1e-9)
    assert both(record, name["training"]) == pytest.approx((slope(mirror, tune, HALVES), instilled), abs=1e-9)
    ending, native = "latent_weight_reports", "latent_regression_results"
    after, before = (slope(mirror, tune, [f"{s}_{ending}"], native) for s in ("itrained_all_100_50ex", "instilled"))
    claim = "carries-over-to-native" if tune == "paper" else f"{tune}-native"
    assert both(record, claim) == pytest.approx((after, before), abs=1e-9)


def test_fine_tunes_are_not_confused(record):
    reports = [both(record, claim) for claim in ("reports-own-weights", "mini-reports", "qwen-reports")]
    assert len({round(number, 6) for pair in reports for number in pair}) == 6


def test_within_contexts_is_the_mean_of_single_correlations(record, mirror):
    z, v = table(mirror, "qwen", "instilled_weight_reports"), table(mirror, "qwen", "regression_results")
    each = [stats.pearsonr(a, b)[0] for a, b in zip(z.to_numpy(), v.to_numpy(), strict=True)]
    assert both(record, "qwen-within")[0] == pytest.approx(np.mean(each), abs=1e-9)


def test_small_trains_nothing_and_takes_contexts_for_replicates(record):
    kinds = {claim["id"]: claim["replicate"] for claim in record["claims"]}
    assert set(kinds.values()) == {"context", "figure"} and "follows-own-choices" not in kinds
    figures = next(claim for claim in record["claims"] if claim["id"] == "published-figures")
    assert len(figures["replicates"]) == 3 * (6 + 2) and "mini, trained" in figures["replicates"]


@pytest.fixture(scope="module")
def cell():
    """The functions beside the experiment, for six contexts in the first half."""
    cells = json.loads((papers_folder() / "self-interpretability/self-interpretability.ipynb").read_text())["cells"]
    source = next(text for one in cells if (text := "".join(one["source"])).startswith("def permuted("))
    names = {"np": np, "stream": stream, "first": np.arange(6), "pooled_r": pooled_r}
    exec(source[: source.index("def experiment(")], names)
    return names


def test_weights_are_dealt_to_other_contexts_of_the_first_half_alone(cell):
    weights = np.arange(10.0)[:, None] * np.ones(5)
    for s in range(100, 120):
        dealt = cell["permuted"](weights, s)
        assert sorted(dealt[:6, 0]) == list(range(6)) and not (dealt[:6] == weights[:6]).any()
        assert (dealt[6:] == weights[6:]).all()


def test_what_all_contexts_share_is_not_about_ones_own(cell):
    g = np.random.default_rng(0)
    shared, own = 10 * g.normal(size=5), g.normal(size=(20, 5))
    reports = shared + own
    found = cell["with_others"](reports, reports)
    each = [np.corrcoef(reports.ravel(), np.roll(reports, k, axis=0).ravel())[0, 1] for k in range(1, 20)]
    assert found == pytest.approx(np.mean(each)) and found > 0.9
    assert abs(cell["with_others"](own, own)) < 0.1


def test_other_contexts_weights_are_what_the_controls_compare_with(record, mirror):
    v = standardised(table(mirror, "paper", "regression_results").to_numpy())
    z = standardised(table(mirror, "paper", "instilled_weight_reports").to_numpy())
    others = [np.mean([contributions(z, np.roll(v, k, axis=0)) for k in range(1, 100)])]
    assert both(record, "own-context")[1] == pytest.approx(others[0], abs=1e-9)
