"""The site: every paper and every public name is on it, and in a real browser it works without the net."""

import importlib
import json
import re
from pathlib import Path

import pytest

from autodidact.claims.paper import load_paper
from autodidact.places import papers_folder
from ci import reference, site
from ci.bench.small_paper import write_paper
from ci.entries import published, word
from ci.paper_page import bar, sources
from tests.ci.browsing import browser  # noqa: F401  (a fixture)

LARGEST = 6e6, 0.5e6  # bytes: of what stands there anyway, and of a record with its figures
WIDTHS = (390, 1400)
OVERFLOW = "Math.max(document.documentElement.scrollWidth, document.body.scrollWidth) - innerWidth"


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """The site of the published notebooks, its reference included, and what Sphinx said: (folder, messages)."""
    import contextlib
    import io

    folder, said = tmp_path_factory.mktemp("built") / "site", io.StringIO()
    with contextlib.redirect_stderr(said):
        site.build(list(published()), folder)
    return folder, said.getvalue()


@pytest.fixture
def page(browser):  # noqa: F811
    """A page that notes every address it asks for."""
    one = browser.new_page(viewport={"width": 1400, "height": 900})
    one.asked, one.errors = [], []
    one.on("request", lambda request: one.asked.append(request.url))
    one.on("pageerror", lambda error: one.errors.append(str(error)))
    yield one
    one.close()


def names_shown(page):
    return page.locator("#papers > li:visible .name").all_inner_texts()


def test_every_notebook_has_its_page_and_sphinx_is_content(built):
    folder, said = built
    assert said == ""
    for entry in published():
        text = (folder / f"{entry.name}.html").read_text()
        assert "Made with" in text and "What differs" in text
    size = sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())
    assert size < LARGEST[0] + LARGEST[1] * len(list(published()))
    assert not list(folder.rglob("*.ipynb")) and not list(folder.rglob("*.doctree"))


def test_a_page_has_finding_claims_intervals_parameters_and_sources(built):
    for entry in (entry for entry in published() if entry.main):
        text = (built[0] / f"{entry.name}.html").read_text()
        head = text[text.index('<div class="paper-head">') :]
        assert head.count("<svg") >= len(entry.record["claims"])
        for claim in entry.record["claims"]:
            assert f'<td id="{claim["id"]}">' in head
            assert f">{word(claim)}" in head or f" {word(claim)}</span>" in head
        assert all(f"<th>{name}</th>" in head for name in entry.record["parameters"])
        assert all(" alt=" in image and 'alt=""' not in image for image in re.findall("<img [^>]*>", text))


def test_every_public_name_is_in_the_reference(built):
    missing = []
    for name in reference.modules():
        text = (built[0] / "reference" / f"{name.removeprefix('autodidact.')}.html").read_text()
        public = reference.public_names(importlib.import_module(name))
        missing += [f"{name}.{one}" for one in public if f'id="{name}.{one}"' not in text]
    assert missing == []


def test_filters_search_and_sorting_work_by_keyboard(built, page):
    page.goto((built[0] / "index.html").as_uri())
    entries = [entry for entry in published() if entry.main]
    names = sorted((entry.paper.name for entry in entries), key=str.lower)
    assert names_shown(page) == names
    contradicted = page.locator("button[data-has=contradicted]")
    contradicted.focus()
    page.keyboard.press("Enter")
    expected = [e.paper.name for e in entries if any(c["verdict"] == "contradicted" for c in e.of_role("central"))]
    assert sorted(names_shown(page)) == sorted(expected) and contradicted.get_attribute("aria-pressed") == "true"
    assert page.locator("#count").text_content() == f"{len(expected)} of {len(entries)}"
    page.keyboard.press("Space")
    page.locator("#kind").focus()
    page.keyboard.type("preference")
    kind = [entry.paper.name for entry in entries if entry.paper.kind == "preference optimisation"]
    assert sorted(names_shown(page)) == sorted(kind)
    page.locator("#kind").select_option("")
    page.locator("#sort").focus()
    page.keyboard.type("newest")
    years = {entry.paper.name: entry.paper.year for entry in entries}
    assert [years[name] for name in names_shown(page)] == sorted(years.values(), reverse=True)
    page.locator("#find").focus()
    page.keyboard.type(entries[0].paper.name.lower())
    assert entries[0].paper.name in names_shown(page)
    assert page.errors == []


def test_it_fits_narrow_and_wide_screens_and_asks_for_nothing_outside(built, page):
    folder = built[0].as_uri()
    pages = [entry.name for entry in published()] + [
        "index",
        "search",
        "reference/losses",
        "reference/environments.facts",
    ]
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 900})
        for name in pages:
            page.goto(f"{folder}/{name}.html")
            page.evaluate("document.querySelectorAll('details').forEach(part => part.open = true)")
            assert page.evaluate(OVERFLOW) <= 0, (name, width)
    assert [url for url in page.asked if not url.startswith((folder, "data:"))] == []
    assert page.errors == []


def test_equations_are_typeset(built, page):
    page.goto((built[0] / "sppo.html").as_uri())
    page.wait_for_selector("mjx-container svg")
    page.wait_for_function("MathJax.startup.promise.then(() => true)")
    assert page.locator("mjx-container").count() == page.locator(".math").count() > 3
    assert page.locator("mjx-merror").count() == 0


def test_the_search_finds_a_paper_and_pages_lead_on(built, page):
    page.goto((built[0] / "search.html").as_uri() + "?q=intransitive")
    page.wait_for_selector("ul.search li a")
    assert any("SPPO" in text for text in page.locator("ul.search li a").all_inner_texts())
    page.goto((built[0] / "sppo.html").as_uri())
    following = page.locator("a.next-page")
    assert page.locator("a.prev-page").count() == 1
    following.click()
    assert page.url.startswith(built[0].as_uri()) and page.locator("h1").inner_text()


def test_a_bar_is_drawn_to_scale():
    claim = {
        "ci95": [0.5, 1.5],
        "mean_difference": 1.0,
        "margin": None,
        "verdict": "open",
        "whose": "paper",
        "unit": "u",
    }
    svg = bar(claim, 2.0)
    ends = [float(x) for x in re.search(r'class="interval" x1="([\d.]+)" x2="([\d.]+)"', svg).groups()]
    dot = float(re.search(r'<circle cx="([\d.]+)"', svg)[1])
    assert dot == pytest.approx(sum(ends) / 2, abs=0.1) and dot - 90 == pytest.approx((180 - 8 - 90) / 2, abs=0.1)
    assert 'aria-label="open: 1 [0.5, 1.5] u"' in svg


def test_sources_are_the_comments_of_paper_yaml(papers):
    place = write_paper(papers, "alpha").parent / "paper.yaml"
    text = place.read_text()
    rows = "scales:\n  toy:\n    beta: 2.0 # section 5, 'x' # 3\n    # appendix B\n    rounds: 3\n    name: 'a # b'\n"
    rows += "  small: {like: toy, rounds: 5} # more\n"
    place.write_text(re.sub(r"scales:\n(  .*\n)+", rows, text))
    assert load_paper("alpha").scales["small"]["rounds"] == 5
    found = sources(place.read_text())
    assert found["toy"] == {"beta": "section 5, 'x' # 3", "rounds": "appendix B", "name": ""}
    assert found["small"]["rounds"] == "more"


@pytest.mark.parametrize(
    ("text", "expected"),
    [("One line.", ["One line.", ""]),
     ("A `name` and x*y.", ["A \\ ``name``\\  and x\\*y.", ""]),
     ("First.\n\n    L = a | b\n\nLast_.", ["First.", "", "::", "", "    L = a | b", "", "Last\\_.", ""]),
     ("First.\n\n- one\n  more\n- two", ["First.", "", "- one", "  more", "", "- two", ""])],
    ids=["plain", "code", "equation", "list"],
)  # fmt: skip
def test_docstrings_become_readable(text, expected):
    assert reference.docstring(text.splitlines()) == expected


def test_a_rerun_gets_its_own_site_and_other_folders_are_left_alone(papers, tmp_path, command, monkeypatch):
    place = write_paper(papers, "alpha")
    runs = tmp_path / "runs"
    runs.mkdir()
    notebook = json.loads(place.read_text())
    (runs / "alpha.ipynb").write_text(json.dumps(notebook))
    monkeypatch.setattr(site, "_sphinx", lambda source, made: made.mkdir() or (made / site.MARK).touch())
    assert site.main(["--runs", str(runs)]) == 0
    assert (runs / "site" / site.MARK).is_file()
    assert site.main(["--runs", str(runs)]) == 0
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "thesis.tex").touch()
    assert site.main(["--runs", str(runs), "--out", str(tmp_path / "other")]) == 2
    assert (tmp_path / "other" / "thesis.tex").is_file()
    with pytest.raises(ValueError, match="no executed notebook"):
        site.build([], tmp_path / "new")


def test_the_style_and_the_script_load_nothing():
    for file in (Path(site.ROOT) / "docs").rglob("*"):
        if file.is_file() and file.suffix in (".css", ".js", ".py"):
            assert not re.search(r"https?://|@import|url\(", file.read_text()), file
    assert papers_folder().is_dir()
