"""What people read: numbers, intervals, and the tables that hold them."""

import numpy as np
import pytest

from autodidact.claims import html_table, mean_interval, recompute, text_table, verdict_rows
from autodidact.claims.tables import number, render


@pytest.mark.parametrize(
    ("value", "text"),
    [(0, "0"), (0.12345, "0.123"), (-12.345, "-12.3"), (12345.6, "12346"), (1.234e-6, "1.23e-06"), (2.5e9, "2.5e+09")],
)
def test_number(value, text):
    assert number(value) == text


def test_cells():
    assert render([1.0, 2.0, 3.0]) == "2 [-0.484, 4.48]"  # t(0.975, 2) = 4.303 times 1 / sqrt 3
    assert render(np.array([0.5])) == "0.5" and render(mean_interval([0.5])) == "0.5"
    assert (render("x < y"), render(None), render(3), render(np.float32(0.25))) == ("x < y", "", "3", "0.25")


def test_tables():
    rows = [{"arm": "a<b", "score": [0.5, 0.5]}, {"arm": "c", "score": "reproduced"}]
    assert text_table(rows, "Scores") == "Scores\narm  score\na<b  0.5 [0.5, 0.5]\nc    reproduced"
    html = html_table(rows, "Scores")
    assert "a&lt;b" in html and "a<b" not in html
    late = [{"arm": "a"}, {"arm": "b", "n": 3}]
    assert text_table(late) == "arm  n\na\nb    3" and html_table(late).count("<td") == 4
    assert html.count("<tr>") == 3 and "Scores</caption>" in html and "color:#00664b" in html


def test_verdict_rows_show_effect_worst_and_second_interval():
    base = {"expects": "greater", "margin": None, "unit": "nats", "replicate": "seed", "test": "difference"}
    base |= {"whose": "paper", "smallest": None, "needs": None}
    skewed = [0.1, 0.2, 0.1, 0.15, 0.2, 0.1, 0.12, 0.11, 0.13, 3.0]
    law = base | {"test": "exact", "expects": "at_least", "margin": 0.1, "replicate": "lambda"}
    claims = [
        base | {"id": "a", "role": "central", "replicates": [*range(10)], "treatment": skewed, "control": [0.0] * 10},
        law | {"id": "b", "role": "control", "replicates": ["x", "y"], "treatment": [1.0, 0.5], "control": [1.0, 1.0]},
    ]
    first, second = verdict_rows(recompute({"claims": claims}))
    assert first["effect [95 % interval]"].startswith("0.421 [") and first["effect [95 % interval]"].endswith("] nats")
    assert first["note"].startswith("skewed; bootstrap [") and first["p (Holm)"] == "< 0.001" and first["n"] == "10"
    assert second["note"] == "worst lambda: y, 0.5 against 1" and second["p (Holm)"] == "exact"
    assert second["expected"] == "treatment ≥ control ± 0.1" and second["verdict"] == "contradicted"
