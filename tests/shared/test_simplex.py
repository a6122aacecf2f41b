"""Mixtures over a triangle."""

import matplotlib.pyplot as plt
import numpy as np
import pytest

from autodidact.figures import simplex

CORNERS = ("left", "right", "top")


def test_a_place_is_the_mean_of_its_corners_and_only_pure_mixtures_have_letters():
    figure, ax = plt.subplots()
    places = np.array([[1, 0, 0], [0, 1, 0], [0, 0, 1], [1 / 3, 1 / 3, 1 / 3]])
    simplex(ax, places, np.array([[0, 0, 1], [0.95, 0.05, 0], [0, 1, 0], [0.5, 0.5, 0]]), corners=CORNERS)
    (drawn,) = ax.collections
    triangle = np.array([[0, 0], [1, 0], [0.5, np.sqrt(0.75)]])
    np.testing.assert_allclose(drawn.get_offsets(), places @ triangle)
    texts = [(tuple(np.round(text.get_position(), 3)), text.get_text()) for text in ax.texts]
    assert texts[:3] == [((0.0, 0.0), "c"), ((1.0, 0.0), "a"), ((0.5, 0.866), "b")]
    assert [text for _, text in texts[3:]] == list(CORNERS)
    grey = drawn.get_facecolors()[:, :3] @ (0.299, 0.587, 0.114)  # without any colour, too, a is darker than b than c
    assert grey[1] < grey[2] - 0.2 < grey[0] - 0.4
    plt.close(figure)


@pytest.mark.parametrize(
    "places, mixtures, corners, message",
    [
        ([[0.5, 0.6, 0]], [[1, 0, 0]], CORNERS, "places of shape"),
        ([[1, 0, 0]], [[np.nan, 0, 1]], CORNERS, "mixtures of shape"),
        ([[1, 0, 0]], [[1, 0]], CORNERS, "mixtures of shape"),
        ([[1, 0, 0]], [[1, 0, 0]] * 2, CORNERS, "1 places and 2 mixtures"),
        ([[1, 0, 0]], [[1, 0, 0]], ("left", "right"), "three each"),
    ],
)
def test_what_is_no_mixture_is_refused(places, mixtures, corners, message):
    with pytest.raises(ValueError, match=message):
        simplex(plt.figure().add_subplot(), places, mixtures, corners=corners)
    plt.close("all")
