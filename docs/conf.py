"""Sphinx's settings; `ci.site` writes the sources and runs it. Committed outputs are shown, nothing is executed."""

from ci.reference import convert

project = "Autodidact"
author = "the authors of Autodidact"
html_title = "Autodidact"
extensions = ["myst_nb", "sphinx.ext.autodoc", "sphinx.ext.mathjax"]
exclude_patterns = ["_static"]

html_theme = "furo"
html_css_files = ["site.css"]
html_js_files = [("papers.js", {"defer": "defer"})]
html_copy_source = False
html_show_sourcelink = False
html_last_updated_fmt = None
html_show_copyright = False
mathjax_path = "mathjax/tex-svg.js"  # copied by ci.site from the package sphinx-mathjax-offline
mathjax3_config = {"options": {"enableMenu": False}}

nb_execution_mode = "off"
nb_merge_streams = True
myst_enable_extensions = ["dollarmath", "amsmath"]
suppress_warnings = ["mystnb.unknown_mime_type", "myst.header", "ref.python"]  # two worlds may have a class Prompt

add_module_names = False
autodoc_member_order = "bysource"
autodoc_typehints = "signature"
autodoc_typehints_format = "short"
maximum_signature_line_length = 88
python_use_unqualified_type_names = True


def setup(app: object) -> None:
    """Docstrings are plain text; autodoc wants reStructuredText."""
    app.connect("autodoc-process-docstring", convert)
