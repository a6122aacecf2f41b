"""Show a figure in a notebook: labelled axes or an error, a PNG and an alternative text."""

import base64
import io

import matplotlib.pyplot as plt
from matplotlib.figure import Figure

from autodidact.claims.progress import notebook_shell
from autodidact.figures.style import METADATA


def show(figure: Figure, alt: str) -> None:
    """Display a figure once, with `alt` for those who cannot see it, and its axis labels in the output's metadata.

    Raises ValueError for an axis without a label (a label names quantity and unit) and for an empty `alt`.
    """
    if not alt.strip():
        raise ValueError("alt is empty: say in a sentence what the figure shows")
    labels = [[ax.get_xlabel(), ax.get_ylabel()] for ax in figure.axes if ax.get_visible() and ax.axison]
    if not all(x.strip() and y.strip() for x, y in labels):
        raise ValueError(f"every axis needs a label with its unit; the labels are {labels}")
    png = io.BytesIO()
    figure.savefig(png, format="png", metadata=METADATA)
    plt.close(figure)  # else the inline backend shows it a second time
    if notebook_shell() is not None:
        from IPython.display import display

        data = {"image/png": base64.b64encode(png.getvalue()).decode(), "text/plain": alt}
        display(data, raw=True, metadata={"autodidact": {"axes": labels, "alt": alt}})
