"""Figures: a method keeps its look, the interval drawn is the interval computed, labels are demanded."""

import matplotlib
import matplotlib.pyplot as plt
import numpy as np
import pytest
from scipy import stats

from autodidact import figures
from autodidact.figures import METHOD_COLOURS, METHOD_MARKERS, method_style


@pytest.fixture(autouse=True)
def ax(monkeypatch):
    matplotlib.use("agg")
    figures.use_style()
    _, (ax,) = figures.panels()
    yield ax
    plt.close("all")


def test_main_methods_look_different():
    methods = ["base", "sppo", "dpo", "ipo", "hinge", "spin", "sft"]
    assert len({METHOD_COLOURS[m] for m in methods}) == len(methods)
    looks = {tuple(method_style(m).values()) for m in METHOD_COLOURS}
    assert len(looks) == len(METHOD_COLOURS) and set(METHOD_MARKERS) == set(METHOD_COLOURS)


def test_main_colours_are_told_apart_by_the_colour_blind():
    """Every pair stays apart after simulated loss of the red or green cones (Viénot et al. 1999, linear RGB)."""
    protan = np.array([[0.11238, 0.88762, 0], [0.11238, 0.88762, 0], [0.00401, -0.00401, 1]])
    deutan = np.array([[0.29275, 0.70725, 0], [0.29275, 0.70725, 0], [-0.02234, 0.02234, 1]])
    methods = ["base", "sppo", "dpo", "ipo", "hinge", "spin", "sft"]
    rgb = np.array([matplotlib.colors.to_rgb(METHOD_COLOURS[m]) for m in methods]) ** 2.2
    for matrix in (np.eye(3), protan, deutan):
        seen = np.clip(rgb @ matrix.T, 0, 1) ** (1 / 2.2)
        distances = np.linalg.norm(seen[:, None] - seen[None], axis=-1)[np.triu_indices(len(methods), 1)]
        assert distances.min() > 0.1


def test_style_of_any_name_is_fixed():
    assert method_style(" SPPO ") == method_style("sppo") == {"color": "#0072B2", "linestyle": "-", "marker": "o"}
    variant = method_style("sppo, K = 2")
    assert variant["color"] == METHOD_COLOURS["sppo"] and variant["linestyle"] != "-"
    assert method_style("dpop")["color"] != METHOD_COLOURS["dpo"]
    assert method_style("lexicase") == method_style("Lexicase") == {"color": "#44AA99", "linestyle": ":", "marker": "^"}
    with pytest.raises(ValueError, match="empty"):
        method_style(" ")


def test_by_round_draws_the_t_interval(ax):
    values = np.random.default_rng(0).normal(size=(6, 4))
    figures.by_round(ax, {"sppo": values, "dpo": values + 1}, quantity="gold score", unit="share")
    line = ax.lines[0]
    np.testing.assert_allclose(line.get_ydata(), values.mean(0))
    assert line.get_color() == METHOD_COLOURS["sppo"]
    corners = ax.collections[0].get_paths()[0].vertices
    reference = stats.ttest_1samp(values[:, 2], 0).confidence_interval()
    drawn = corners[corners[:, 0] == 2][:, 1]
    assert (drawn.min(), drawn.max()) == pytest.approx((reference.low, reference.high))
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("round", "gold score (share)")
    assert [t.get_text() for t in ax.get_legend().get_texts()] == ["sppo", "dpo"]


def test_by_round_of_one_seed_has_no_band(ax):
    figures.by_round(ax, {"sppo": np.ones((1, 3))}, quantity="length", unit="words", rounds=[1, 2, 4], x="epoch")
    assert not ax.collections and ax.lines[0].get_xdata().tolist() == [1, 2, 4]


def intervals(ax):
    return [np.sort(c.lines[2][0].get_segments()[0][:, 0]) for c in ax.containers if c.lines[2]]


def test_paired_differences(ax):
    treatment, control = np.random.default_rng(1).normal(size=(2, 8))
    pairs = {"chosen": (treatment, control), "one seed": ([0.4], [0.1])}
    figures.paired_differences(ax, pairs, unit="nats", margin=0.2)
    reference = stats.ttest_rel(treatment, control).confidence_interval()
    assert intervals(ax) == [pytest.approx((reference.low, reference.high))]
    assert ax.lines[0].get_xdata() == [0, 0]
    assert [t.get_text() for t in ax.get_yticklabels()] == ["chosen", "one seed"]
    assert ax.get_xlabel() == "treatment minus control (nats)" and ax.get_ylabel()
    assert ax.get_legend().get_texts()[0].get_text() == "within ± 0.2"


def test_dots_and_bars(ax):
    values = {"sppo": np.array([0.5, 0.6, 0.8]), "base": np.array([0.4])}
    figures.dots(ax, values, quantity="gold score", unit="share")
    reference = stats.ttest_1samp(values["sppo"], 0).confidence_interval()
    assert intervals(ax) == [pytest.approx((reference.low, reference.high))]
    _, (other,) = figures.panels()
    figures.bars(other, values, quantity="gold score", unit="share")
    assert [p.get_height() for p in other.patches] == pytest.approx([0.6333333, 0.4])
    assert other.get_ylabel() == "gold score (share)" and other.get_xlabel() == "method"


def test_bad_input_is_refused(ax):
    with pytest.raises(ValueError, match="unit=''"):
        figures.dots(ax, {"sppo": [1.0]}, quantity="gold score", unit="")
    with pytest.raises(ValueError, match="must not be empty"):
        figures.dots(ax, {"sppo": [1.0]}, quantity="gold score", unit="share", y=" ")
    with pytest.raises(ValueError, match=r"'sppo' must be finite and of shape \(seeds, rounds\), not of shape \(3,\)"):
        figures.by_round(ax, {"sppo": np.ones(3)}, quantity="q", unit="u")
    with pytest.raises(ValueError, match="rounds has 2 values, but 'sppo' has 3 columns"):
        figures.by_round(ax, {"sppo": np.ones((2, 3))}, quantity="q", unit="u", rounds=[0, 1])
    with pytest.raises(ValueError, match="nothing to draw"):
        figures.bars(ax, {}, quantity="q", unit="u")
    with pytest.raises(ValueError, match="count=0"):
        figures.panels(0)


def test_show_demands_labels_and_a_text(ax):
    figures.dots(ax, {"sppo": [1.0, 2.0]}, quantity="gold score", unit="share")
    with pytest.raises(ValueError, match="alt is empty"):
        figures.show(ax.figure, " ")
    figures.show(ax.figure, "Gold score of SPPO.")
    assert not plt.get_fignums()
    figure, (bare,) = figures.panels()
    bare.set_xlabel("round")
    with pytest.raises(ValueError, match=r"every axis needs a label with its unit; the labels are \[\['round', ''\]\]"):
        figures.show(figure, "A line.")


def test_the_same_data_give_the_same_bytes(tmp_path):
    def draw(path):
        figure, axes = figures.panels(2)
        values = np.random.default_rng(2).normal(size=(5, 4))
        figures.by_round(axes[0], {"sppo": values}, quantity="gold score", unit="share")
        figures.dots(axes[1], {"sppo": values[:, -1]}, quantity="gold score", unit="share")
        figures.save_png(figure, path)
        return path.read_bytes()

    first, second = draw(tmp_path / "a.png"), draw(tmp_path / "b.png")
    assert first == second and len(first) < 300_000 and b"Matplotlib" not in first
