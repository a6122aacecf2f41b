"""Show a figure in a notebook: labelled axes or an error, a crisp PNG that holds all of it, an alternative text."""

import base64
import io
import warnings
from html import escape

import matplotlib.pyplot as plt
from matplotlib.figure import Figure
from PIL import Image

from autodidact.claims.progress import notebook_shell
from autodidact.figures.layout import fit, problems

DPI = 200  # two pixels for each of CSS, as high-density screens have them
_CSS = 100  # pixels of a page for an inch of a figure
_BYTES = 200_000  # of a PNG, a third more in base64: the notebooks' form allows outputs of 300 kB


def show(figure: Figure, alt: str) -> None:
    """Display a figure once, with `alt` for those who cannot see it, and its axis labels in the output's metadata.

    Legends are moved off the lines and long labels are wrapped; what still covers something is warned of, which the
    check of the notebooks' form refuses. `alt` stands in the metadata of the picture under "image/png", where nbconvert
    reads it (beside the width in pixels of a page), and below the picture as its caption: JupyterLab and nbconvert's
    template "lab" know of no alternative texts.
    Raises ValueError for an axis without a label (a label names quantity and unit) and for an empty `alt`.
    """
    if not alt.strip():
        raise ValueError("alt is empty: say in a sentence what the figure shows")
    labels = [[ax.get_xlabel(), ax.get_ylabel()] for ax in figure.axes if ax.get_visible() and ax.axison]
    if not all(x.strip() and y.strip() for x, y in labels):
        raise ValueError(f"every axis needs a label with its unit; the labels are {labels}")
    picture = png(figure)
    for problem in problems(figure):
        warnings.warn(f"figure: {problem}", stacklevel=2)
    plt.close(figure)  # else the inline backend shows it a second time
    if notebook_shell() is not None:
        from IPython.display import display

        data = {"image/png": base64.b64encode(picture).decode(), "text/plain": alt}
        width = round(Image.open(io.BytesIO(picture)).width * _CSS / DPI)
        metadata = {"image/png": {"alt": alt, "width": width}, "autodidact": {"axes": labels, "alt": alt}}
        display(data, raw=True, metadata=metadata)
        display({"text/html": f"<p><small>{escape(alt)}</small></p>", "text/plain": alt}, raw=True)


def png(figure: Figure) -> bytes:
    """The figure as PNG of 200 dots an inch, nothing of it cut off; the same bytes for the same data on a machine.

    A picture of more than 200 kB is brought to 256 colours: photographs, and clouds of half-transparent points.
    """
    fit(figure)
    drawn = io.BytesIO()
    figure.savefig(drawn, format="png", dpi=DPI, bbox_inches="tight", pad_inches=0.06)
    image = Image.open(drawn).convert("RGB")
    packed = _packed(image)
    return (
        packed
        if len(packed) <= _BYTES
        else _packed(image.quantize(256, Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE))
    )


def save_png(figure: Figure, path: str) -> None:
    """Write a figure as `show` has it."""
    with open(path, "wb") as file:
        file.write(png(figure))


def _packed(image: Image.Image) -> bytes:
    file = io.BytesIO()
    image.save(file, format="png", optimize=True)
    return file.getvalue()
