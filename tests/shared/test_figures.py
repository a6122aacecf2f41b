"""Figures: no two arms look alike, the interval drawn is the interval computed, nothing is cut off or covered."""

import base64
import io
from itertools import combinations

import matplotlib
import matplotlib.pyplot as plt
import nbformat
import numpy as np
import pytest
from bs4 import BeautifulSoup
from nbclient import NotebookClient
from nbconvert import HTMLExporter
from PIL import Image
from scipy import stats

from autodidact import figures
from autodidact.figures import display, looks
from autodidact.figures.forest import place, title

LONG = [f"arm number {k} with a name that says at length what it leaves out" for k in range(6)]


@pytest.fixture(autouse=True)
def ax(monkeypatch):
    matplotlib.use("agg")
    figures.use_style()
    _, (ax,) = figures.panels()
    yield ax
    plt.close("all")


def test_in_a_notebook_plain_matplotlib_has_the_look_from_the_import_on():
    asked = {name: figures.STYLE[name] for name in ("axes.spines.top", "axes.grid", "lines.linewidth", "font.size")}
    check = f"assert all(plt.rcParams[name] == value for name, value in {asked}.items())"
    sources = (
        "import matplotlib.pyplot as plt\nfrom autodidact import figures",
        f"figure, ax = plt.subplots()\n{check}\n_ = ax.plot([1, 2])",
    )
    kernel = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
    cells = [nbformat.v4.new_code_cell(source) for source in sources]
    notebook = NotebookClient(nbformat.v4.new_notebook(cells=cells, metadata=kernel), timeout=120).execute()
    assert "image/png" in notebook.cells[1].outputs[0]["data"]


def pixels(png):
    return np.asarray(Image.open(io.BytesIO(png)).convert("RGB"))


class TestLooks:
    def test_no_two_arms_of_a_figure_look_alike(self, ax):
        arms = ["dpo", "dpo, matched", "dpo (beta 0.5)", *map(str, range(9))]
        found = [figures.look(ax, arm) for arm in arms]
        assert len({one["color"] for one in found}) == len(found) == 12
        more = [tuple(figures.look(ax, f"more {k}").values()) for k in range(30)]
        assert len({*more, *(tuple(one.values()) for one in found)}) == 42

    def test_a_method_looks_the_same_on_all_axes_of_a_figure_and_by_its_place_in_another(self):
        _, (left, right) = figures.panels(2)
        first, second = figures.look(left, "sppo"), figures.look(right, "dpo")
        assert figures.look(right, " SPPO ") == first != second == figures.look(left, "dpo")
        _, (other,) = figures.panels()
        assert figures.look(other, "dpo") == first

    def test_references_take_no_colour_of_the_arms(self, ax):
        grey = [figures.look(ax, name)["color"] for name in looks.REFERENCES]
        assert set(grey) == {looks.BLACK, looks.GREY}
        assert figures.look(ax, "dpo")["color"] == looks.COLOURS[0]
        assert len({*looks.REFERENCES.values()}) == len(looks.REFERENCES)

    def test_colours_are_told_apart_by_the_colour_blind(self):
        """Every pair of lines stays apart after simulated loss of the red or green cones (Viénot et al. 1999)."""
        protan = np.array([[0.11238, 0.88762, 0], [0.11238, 0.88762, 0], [0.00401, -0.00401, 1]])
        deutan = np.array([[0.29275, 0.70725, 0], [0.29275, 0.70725, 0], [-0.02234, 0.02234, 1]])
        xyz = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]])
        rgb = np.array([matplotlib.colors.to_rgb(c) for c in (*looks.COLOURS, looks.BLACK, looks.GREY)]) ** 2.2
        for matrix in (np.eye(3), protan, deutan):
            x, y, z = np.cbrt(np.clip(rgb @ matrix.T, 0, 1) @ xyz.T / [0.9505, 1, 1.089]).T
            lab = np.stack([116 * y, 500 * (x - y), 200 * (y - z)], axis=1)
            assert min(np.linalg.norm(a - b) for a, b in combinations(lab, 2)) > 12

    def test_an_empty_name_is_refused(self, ax):
        with pytest.raises(ValueError, match="name=' ' of a method is empty"):
            figures.look(ax, " ")


def band(ax, at):
    """Lower and upper border of the first band where the horizontal axis is `at`."""
    corners = ax.collections[0].get_paths()[0].vertices
    drawn = corners[corners[:, 0] == at][:, 1]
    return drawn.min(), drawn.max()


def intervals(ax):
    return [np.sort(c.lines[2][0].get_segments()[0][:, 0]) for c in ax.containers if c.lines[2]]


class TestPlots:
    def test_by_round_draws_the_t_interval(self, ax):
        values = np.random.default_rng(0).normal(size=(6, 4))
        figures.by_round(ax, {"sppo": values, "dpo": values + 1}, quantity="gold score", unit="share")
        line = ax.lines[0]
        np.testing.assert_allclose(line.get_ydata(), values.mean(0))
        assert line.get_color() == figures.look(ax, "sppo")["color"]
        reference = stats.ttest_1samp(values[:, 2], 0).confidence_interval()
        assert band(ax, 2) == pytest.approx((reference.low, reference.high))
        assert (ax.get_xlabel(), ax.get_ylabel()) == ("round", "gold score (share)")
        assert [t.get_text() for t in ax.get_legend().get_texts()] == ["sppo", "dpo"]

    def test_by_round_of_one_seed_has_no_band(self, ax):
        figures.by_round(ax, {"sppo": np.ones((1, 3))}, quantity="length", unit="words", rounds=[1, 2, 4], x="epoch")
        assert not ax.collections and ax.lines[0].get_xdata().tolist() == [1, 2, 4]

    def test_by_round_minus_a_method_draws_the_paired_interval(self, ax):
        sppo, dpo = np.random.default_rng(3).normal(size=(2, 7, 3)) + np.linspace(0, 50, 7)[:, None]
        series = {"dpo": dpo, "sppo": sppo}
        figures.by_round(ax, series, quantity="gold score", unit="share", minus="dpo")
        reference = stats.ttest_rel(sppo[:, 1], dpo[:, 1]).confidence_interval()
        assert band(ax, 1) == pytest.approx((reference.low, reference.high))
        assert ax.get_ylabel() == "gold score minus dpo (share)"
        assert [t.get_text() for t in ax.get_legend().get_texts()] == ["sppo"]
        assert list(ax.lines[-1].get_ydata()) == [0, 0]
        assert ax.lines[0].get_color() == looks.COLOURS[1]  # as on an axes that shows both

    def test_paired_differences(self, ax):
        treatment, control = np.random.default_rng(1).normal(size=(2, 8))
        pairs = {"chosen": (treatment, control), "one seed": ([0.4], [0.1])}
        figures.paired_differences(ax, pairs, unit="nats", margin=0.2)
        reference = stats.ttest_rel(treatment, control).confidence_interval()
        assert intervals(ax) == [pytest.approx((reference.low, reference.high))]
        assert ax.lines[0].get_xdata() == [0, 0]
        assert [t.get_text() for t in ax.get_yticklabels()] == ["chosen", "one seed"]
        assert ax.get_xlabel() == "treatment minus control (nats)" and ax.get_ylabel()
        assert ax.get_legend().get_texts()[0].get_text() == "within ± 0.2"

    def test_dots_and_bars(self, ax):
        values = {"sppo": np.array([0.5, 0.6, 0.8]), "base": np.array([0.4])}
        figures.dots(ax, values, quantity="gold score", unit="share")
        reference = stats.ttest_1samp(values["sppo"], 0).confidence_interval()
        assert intervals(ax) == [pytest.approx((reference.low, reference.high))]
        _, (other,) = figures.panels()
        figures.bars(other, values, quantity="gold score", unit="share")
        assert [p.get_height() for p in other.patches] == pytest.approx([0.6333333, 0.4])
        assert other.get_ylabel() == "gold score (share)" and other.get_xlabel() == "method"

    def test_dots_and_bars_minus_a_method_or_an_array(self, ax):
        sppo, dpo, start = np.random.default_rng(4).normal(size=(3, 9))
        figures.dots(ax, {"sppo": sppo, "dpo": dpo}, quantity="gold", unit="share", minus="dpo")
        reference = stats.ttest_rel(sppo, dpo).confidence_interval()
        assert intervals(ax) == [pytest.approx((reference.low, reference.high))]
        assert ax.get_xlabel() == "gold minus dpo (share)"
        assert [t.get_text() for t in ax.get_yticklabels()] == ["sppo"]
        _, (other,) = figures.panels()
        values = {"sppo": sppo, "dpo": dpo}
        figures.bars(other, values, quantity="gold", unit="share", minus=start, control="the start")
        assert [p.get_height() for p in other.patches] == pytest.approx([(sppo - start).mean(), (dpo - start).mean()])
        assert other.get_ylabel() == "gold minus the start (share)"

    def test_bad_input_is_refused(self, ax):
        with pytest.raises(ValueError, match="unit=''"):
            figures.dots(ax, {"sppo": [1.0]}, quantity="gold score", unit="")
        with pytest.raises(ValueError, match="must not be empty"):
            figures.dots(ax, {"sppo": [1.0]}, quantity="gold score", unit="share", y=" ")
        with pytest.raises(
            ValueError, match=r"'sppo' must be finite and of shape \(seeds, rounds\), not of shape \(3,\)"
        ):
            figures.by_round(ax, {"sppo": np.ones(3)}, quantity="q", unit="u")
        with pytest.raises(ValueError, match="rounds has 2 values, but 'sppo' has 3 columns"):
            figures.by_round(ax, {"sppo": np.ones((2, 3))}, quantity="q", unit="u", rounds=[0, 1])
        with pytest.raises(ValueError, match="nothing to draw"):
            figures.bars(ax, {}, quantity="q", unit="u")
        with pytest.raises(ValueError, match="minus='dop' must be one of two methods or more, these are sppo, dpo"):
            figures.dots(ax, {"sppo": [1.0], "dpo": [1.0]}, quantity="q", unit="u", minus="dop")
        with pytest.raises(ValueError, match=r"'sppo' of shape \(2,\) is not paired with 'control' of shape \(3,\)"):
            figures.dots(ax, {"sppo": [1.0, 2.0]}, quantity="q", unit="u", minus=np.ones(3))
        with pytest.raises(ValueError, match="count=0"):
            figures.panels(0)


def long_names(plot, count):
    """A figure of `count` axes with arms named at length."""
    rng = np.random.default_rng(5)
    label = {"quantity": "answers that a reader of the held-out prompts would call harmless", "unit": "share of all"}
    figure, axes = figures.panels(count)
    for ax in axes:
        if plot == "by_round":
            figures.by_round(ax, {name: rng.random((5, 4)) for name in LONG}, **label, minus=LONG[2])
        elif plot == "paired_differences":
            figures.paired_differences(ax, {name: rng.random((2, 5)) for name in LONG}, **label, margin=0.1)
        else:
            getattr(figures, plot)(ax, {name: rng.random(5) for name in LONG}, **label)
    return figure


class TestLayout:
    @pytest.mark.parametrize("count", [1, 2])
    @pytest.mark.parametrize("plot", ["by_round", "dots", "bars", "paired_differences"])
    def test_nothing_is_cut_off_or_covered(self, plot, count):
        figure = long_names(plot, count)
        picture = pixels(figures.png(figure))
        assert all(min(ax.bbox.width, ax.bbox.height) > 120 for ax in figure.axes)
        borders = picture[:3], picture[-3:], picture[:, :3], picture[:, -3:]
        assert all((border == 255).all() for border in borders)
        assert figures.problems(figure) == []

    def test_a_legend_on_a_line_moves_beside_the_axes(self, ax):
        ax.plot([0, 1], [0, 1], label="rising")
        ax.plot([0, 1], [1, 0], label="falling")
        ax.legend(loc="center")
        assert figures.problems(ax.figure) == ["the legend of rising, falling covers something drawn"]
        width = ax.figure.get_figwidth()
        figures.png(ax.figure)
        assert figures.problems(ax.figure) == [] and ax.figure.get_figwidth() > width + 0.5
        assert ax.get_legend().get_window_extent().x0 >= ax.get_window_extent().x1

    def test_a_long_label_is_wrapped_to_its_side(self, ax):
        ax.set(xlabel="words " * 20, ylabel="words " * 20, title="words " * 20)
        figures.png(ax.figure)
        assert figures.problems(ax.figure) == []  # which measures anew, at the dots an inch of the screen
        box = ax.get_window_extent().padded(5)
        for text, side in ((ax.xaxis.label, "width"), (ax.yaxis.label, "height"), (ax.title, "width")):
            assert getattr(text.get_window_extent(), side) < getattr(box, side)

    def test_labels_that_cover_each_other_are_found(self):
        figure, axes = figures.panels(2, width=2)
        for ax in axes:
            ax.set(xlabel="$a$ formula is not wrapped, however long it may be", ylabel="y")
        (problem,) = figures.problems(figure)
        assert problem.endswith("cover each other")
        with pytest.warns(UserWarning, match="figure: .* cover each other"):
            figures.show(figure, "Nothing.")

    def test_one_legend_for_a_figure(self):
        figure, axes = figures.panels(2)
        ones = np.random.default_rng(6).random((3, 4))
        figures.by_round(axes[0], {"sppo": ones, "dpo": ones + 1}, quantity="gold", unit="share")
        figures.by_round(axes[1], {"dpo": ones, "ipo": ones + 1}, quantity="gold", unit="share")
        legend = figures.one_legend(figure)
        assert [text.get_text() for text in legend.get_texts()] == ["sppo", "dpo", "ipo"]
        assert not any(ax.get_legend() for ax in axes)
        figures.png(figure)
        assert figures.problems(figure) == []
        with pytest.raises(ValueError, match="nothing to explain"):
            figures.one_legend(figures.panels()[0])

    def test_crowded_axes_share_a_legend(self):
        figure = long_names("by_round", 2)
        figures.png(figure)
        assert [len(legend.get_texts()) for legend in figure.legends] == [len(LONG) - 1]
        assert not any(ax.get_legend() for ax in figure.axes)

    def test_panels_in_rows(self):
        figure, axes = figures.panels(3, width=4, height=3, columns=2)
        assert len(axes) == len(figure.axes) == 3 and tuple(figure.get_size_inches()) == (8, 6)


class TestShow:
    def test_labels_and_a_text_are_demanded(self, ax):
        figures.dots(ax, {"sppo": [1.0, 2.0]}, quantity="gold score", unit="share")
        with pytest.raises(ValueError, match="alt is empty"):
            figures.show(ax.figure, " ")
        figures.show(ax.figure, "Gold score of SPPO.")
        assert not plt.get_fignums()
        figure, (bare,) = figures.panels()
        bare.set_xlabel("round")
        with pytest.raises(
            ValueError, match=r"every axis needs a label with its unit; the labels are \[\['round', ''\]"
        ):
            figures.show(figure, "A line.")

    @pytest.mark.parametrize("template", ["lab", "classic", "basic"])
    def test_the_text_stands_in_saved_html(self, ax, monkeypatch, template):
        shown = []
        monkeypatch.setattr(display, "notebook_shell", object)
        monkeypatch.setattr("IPython.display.display", lambda data, raw, metadata=None: shown.append((data, metadata)))
        figures.dots(ax, {"sppo": [1.0, 2.0]}, quantity="gold score", unit="share")
        figures.show(ax.figure, 'Gold "score" of SPPO.')
        data, metadata = shown[0]
        outputs = [nbformat.v4.new_output("display_data", one, metadata=more or {}) for one, more in shown]
        cell = nbformat.v4.new_code_cell("", outputs=outputs, execution_count=1)
        page, _ = HTMLExporter(template_name=template).from_notebook_node(nbformat.v4.new_notebook(cells=[cell]))
        page = BeautifulSoup(page, "html.parser")
        image = page.find("img")
        assert template == "lab" or image["alt"] == 'Gold "score" of SPPO.'  # that template knows of no such texts
        assert page.find("small").text == 'Gold "score" of SPPO.'
        assert metadata["autodidact"] == {"axes": [["gold score (share)", "method"]], "alt": 'Gold "score" of SPPO.'}
        width = pixels(base64.b64decode(data["image/png"])).shape[1]
        assert metadata["image/png"]["width"] == pytest.approx(width / 2, abs=1)  # two pixels for each of the page
        assert image["width"] == str(metadata["image/png"]["width"])

    def test_a_picture_of_noise_keeps_the_size_that_the_form_allows(self):
        figure, axes = figures.panels(3, width=4.4, height=2)
        for ax in axes:
            ax.imshow(np.random.default_rng(7).random((120, 240, 3)), interpolation="nearest")
        assert len(base64.b64encode(figures.png(figure))) < 300_000

    def test_the_same_data_give_the_same_bytes(self, tmp_path):
        def draw(path):
            figure, axes = figures.panels(2)
            values = np.random.default_rng(2).normal(size=(5, 4))
            figures.by_round(axes[0], {"sppo": values}, quantity="gold score", unit="share")
            figures.dots(axes[1], {"sppo": values[:, -1]}, quantity="gold score", unit="share")
            figures.save_png(figure, path)
            return path.read_bytes()

        first, second = draw(tmp_path / "a.png"), draw(tmp_path / "b.png")
        assert first == second and len(first) < 200_000 and b"Matplotlib" not in first


class TestFilm:
    def test_pictures_are_cut_to_what_moves(self, ax):
        frames = np.full((2, 3, 40, 60, 3), 250, np.uint8)
        for t in range(3):
            frames[:, t, 20, 10 + 8 * t] = 0
        figures.film(ax, {"spo": frames[0], "a frozen opponent": frames[1]}, x="round")
        (image,) = ax.images
        tall, wide = 1 + 2 * 4 + 2, 17 + 2 * 4 + 2  # what moves, a margin on both sides, white between pictures
        assert image.get_array().shape == (2 * tall, 3 * wide, 3)
        assert [text.get_text() for text in ax.get_yticklabels()] == ["spo", "a frozen opponent"]
        assert [text.get_text() for text in ax.get_xticklabels()] == ["0", "1", "2"]

    def test_pictures_without_motion_stay_whole(self, ax):
        figures.film(ax, {"spo": np.zeros((2, 5, 6, 3), np.uint8)}, x="round", columns=["first", "last"])
        assert ax.images[0].get_array().shape == (7, 16, 3)

    def test_bad_pictures_are_refused(self, ax):
        with pytest.raises(ValueError, match=r"strips must be uint8 of one shape .*, not spo: float64 \(2, 5, 6, 3\)"):
            figures.film(ax, {"spo": np.zeros((2, 5, 6, 3))}, x="round")
        with pytest.raises(ValueError, match="columns has 1 names for 2 pictures a row"):
            figures.film(ax, {"spo": np.zeros((2, 5, 6, 3), np.uint8)}, x="round", columns=["first"])


class TestForest:
    ROWS = [
        ("judging", "DBG", [(3.0, "reproduced"), (np.inf, "reproduced"), (20.0, "holds")]),
        ("decoding", "RAIN", [(0.5, "open")]),
        ("judging", "CREAM", [(-4.0, "contradicted")]),
    ]

    def test_a_row_a_paper_grouped_by_kind(self):
        figure = figures.forest(self.ROWS)
        (ax,) = figure.axes
        assert [t.get_text() for t in ax.get_yticklabels()] == ["judging", "DBG", "CREAM", "decoding", "RAIN"]
        marks = {(round(float(x), 2), float(y)) for line in ax.lines for x, y in [line.get_xydata()[0]]}
        border = 1 + np.log2(10)
        assert {(round(1 + np.log2(3), 2), 1.0), (-3.0, 2.0), (0.5, 4.0), (round(border, 2), 1.0)} <= marks
        assert (round(border - 0.16, 2), 1.0) in marks  # beside the other that is off the scale
        assert "4" in [t.get_text() for t in ax.get_xticklabels()]

    def test_the_title_counts(self):
        counted = "5 central claims of 3 papers: 2 reproduced (●), 1 holds (●), 1 open (○), 1 contradicted (×)"
        assert title(self.ROWS) == counted
        assert title([("judging", "DBG", [(1.0, "open")])]) == "1 central claim of 1 paper: 1 open (○)"

    def test_the_axis_doubles_beyond_one(self):
        assert [place(x) for x in (-2, -1, -0.5, 0, 1, 2, 4)] == [-2, -1, -0.5, 0, 1, 2, 3]

    def test_fifty_papers_stay_small_and_whole(self):
        kinds = [f"kind of learning number {k}" for k in range(9)]
        rows = [(kinds[i % 9], f"Paper {i}", [(i - 20.0, "open")] * 4) for i in range(50)]
        picture = pixels(figures.png(figures.forest(rows)))
        assert picture.shape[0] < 2400 and (picture[:, :3] == 255).all() and (picture[:3] == 255).all()

    def test_bad_rows_are_refused(self):
        with pytest.raises(ValueError, match="rows is empty"):
            figures.forest([])
        with pytest.raises(ValueError, match="a value of 'DBG' is nan"):
            figures.forest([("judging", "DBG", [(np.nan, "open")])])
        with pytest.raises(ValueError, match="a mark of 'DBG' is 'yes', must be one of reproduced, holds"):
            figures.forest([("judging", "DBG", [(1.0, "yes")])])
