"""Pictures above their captions: what is drawn, and where."""

import numpy as np
import pytest

from autodidact import figures

PICTURES = [np.zeros((8, 8, 3), np.uint8)] * 2


def test_untrue_things_have_a_cross_and_another_colour():
    said = {"before": [("red square", True), ("red cross", False)], "after": [("red square", True)]}
    figure = figures.captioned(PICTURES, [said, {"before": []}])
    lines = [[text.get_text() for text in ax.texts] for ax in figure.axes]
    assert lines == [["before", "red square", "✗ red cross", "after", "red square"], ["before"]]
    colours = [text.get_color() for text in figure.axes[0].texts]
    assert len({colours[k] for k in (0, 1, 3, 4)}) == 1 and colours[2] != colours[1]
    assert figures.png(figure)[:4] == b"\x89PNG" and not figures.problems(figure)


def test_lines_stand_below_the_picture_and_each_other_within_the_figure():
    said = {"plain": [(f"thing {k}", True) for k in range(7)]}
    figure = figures.captioned(PICTURES, [said, said])
    figure.draw_without_rendering()
    ax = figure.axes[0]
    boxes = [text.get_window_extent() for text in ax.texts]
    assert boxes[0].y1 < ax.get_window_extent().y0
    assert all(below.y1 <= above.y0 + 1 for above, below in zip(boxes, boxes[1:], strict=False))


def test_pictures_and_captions_must_be_as_many():
    with pytest.raises(ValueError, match="1 for 2 pictures"):
        figures.captioned(PICTURES, [{}])
    with pytest.raises(ValueError, match="0 pictures"):
        figures.captioned([], [])
