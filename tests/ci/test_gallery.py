"""The gallery: counted from the records, a row a paper, and short enough for fifty of them."""

import math
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest
from markdown_it import MarkdownIt

from autodidact.claims.paper import Paper
from ci import gallery
from ci.bench.small_paper import write_paper
from ci.entries import Entry, by_kind, counted, in_words, published, strength
from ci.files import ROOT
from tests.ci.browsing import browser  # noqa: F401  (a fixture)

TALLEST = 5500  # px of the README with fifty papers, in GitHub's column of 838 px


def claim(**values):
    common = {
        "id": "a",
        "role": "central",
        "whose": "paper",
        "test": "difference",
        "expects": "greater",
        "margin": None,
    }
    common |= {"verdict": "open", "mean_difference": 0.1, "ci95": [0.0, 0.2], "replicate": "seed", "replicates": [0, 1]}
    return common | values


def repeated(entries, papers):
    """The entries again and again under other names until there are `papers` of them, as if there were so many."""
    groups = [runs for group in by_kind(entries).values() for runs in group]
    made = []
    for number in range(papers):
        for entry in groups[number % len(groups)]:
            name = entry.paper.name if number < len(groups) else f"{entry.paper.name} {number + 1}"
            paper = Paper({**entry.paper.data, "slug": f"{entry.slug}-{number}", "name": name})
            made.append(replace(entry, paper=paper))
    return made


@pytest.fixture(scope="module")
def entries():
    return list(published())


@pytest.mark.parametrize(
    ("given", "expected"),
    [({}, 1.0), ({"expects": "less"}, -1.0), ({"ci95": None}, None),
     ({"mean_difference": 0.3, "ci95": [0.2, 0.4]}, 3.0),
     ({"test": "equivalence", "expects": "equal", "margin": 0.3}, 2.0),
     ({"test": "equivalence", "expects": "at_least", "margin": 0.2, "mean_difference": -0.1, "ci95": [-0.2, 0.0]}, 1.0),
     ({"test": "exact", "margin": 0.0, "ci95": None, "verdict": "reproduced"}, math.inf),
     ({"test": "exact", "margin": 0.0, "ci95": None, "verdict": "contradicted"}, -math.inf),
     ({"mean_difference": 0.5, "ci95": [0.5, 0.5]}, math.inf),
     ({"mean_difference": 0.0, "ci95": [0.0, 0.0]}, 0.0)],
)  # fmt: skip
def test_strength_is_the_effect_in_half_widths_of_its_interval(given, expected):
    value = strength(claim(**given))
    assert value == expected if expected is None else value == pytest.approx(expected)


def test_verdicts_are_counted_in_the_words_that_people_see():
    claims = [claim(verdict="reproduced"), claim(), claim(verdict="contradicted", whose="ours")]
    claims += [claim(verdict="reproduced", whose="ours")] * 2
    assert counted(claims) == "1 reproduced, 2 hold, 1 fails, 1 open"


def test_the_sentence_counts_what_the_records_hold(entries):
    own = [entry for entry in entries if entry.main]
    central = [c for entry in own for c in entry.record["claims"] if c["role"] == "central"]
    text = gallery.sentence([[entry] for entry in own])
    assert f"Of {len(central)} central claims of {len(own)} papers" in text
    for verdict in ("reproduced", "contradicted"):
        number = sum(c["verdict"] == verdict and c["whose"] == "paper" for c in central)
        assert not number or f"{number} {verdict}" in text
    assert counted(central) in text and "full size" not in text
    papers = [runs for group in by_kind(entries).values() for runs in group]
    larger = [c for entry in entries if not entry.main for c in entry.record["claims"]]
    assert f"at full size, of {len(larger)} claims of " in gallery.sentence(papers)
    assert counted(larger) in gallery.sentence(papers)


def test_a_row_has_the_finding_a_mark_a_claim_and_the_runs(entries):
    table = gallery.table(by_kind(entries), "papers/")
    for entry in (entry for entry in entries if entry.main):
        row = next(line for line in table if f"(papers/{entry.slug}/{entry.slug}.ipynb)<br>" in line)
        assert entry.paper.finding["says"] in row and in_words(entry) in row
        marks = row.rpartition('">')[2]
        assert sum(marks.count(mark) for mark in "●✖≈○–") == len(entry.record["claims"])
        assert f"[toy](papers/{entry.slug}/{entry.slug}.ipynb)" in row
        assert f"toy, {entry.record['parameters']['seeds']} seeds: central: " in row
        assert not any(c.says in row for c in entry.paper.claims)
    for entry in (entry for entry in entries if not entry.main):
        assert f"[{entry.scale}](papers/{entry.slug}/results/{entry.notebook.name})" in "\n".join(table)
        assert f"{entry.scale}, {entry.size}: " in "\n".join(table)


def test_a_paper_that_was_not_run_has_its_row(papers):
    write_paper(papers, "alpha")
    text = gallery.markdown(list(published()), "")
    assert (
        "**1 paper**, none of them run yet." in text
        and "](alpha/alpha.ipynb)<br>" in text
        and " · not run</sub>" in text
    )


def test_the_readme_needs_both_markers():
    with pytest.raises(ValueError, match="markers"):
        gallery.between_markers("<!-- gallery --> only", "table")
    text = gallery.between_markers("before\n<!-- gallery -->\nold\n<!-- /gallery -->\nafter", "new")
    assert text == "before\n<!-- gallery -->\nnew\n<!-- /gallery -->\nafter"


def test_fifty_papers_fit_into_a_readme_that_a_person_reads(entries, browser, tmp_path):  # noqa: F811
    fifty = repeated(entries, 50)
    papers = [runs for group in by_kind(fifty).values() for runs in group]
    assert len(papers) == 50
    (tmp_path / "papers").mkdir()
    (tmp_path / "papers" / gallery.PICTURE).write_bytes(gallery.picture(papers))
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    markdown = MarkdownIt("commonmark", {"html": True}).enable("table")
    body = markdown.render(gallery.between_markers(readme, gallery.markdown(fifty, "papers/")))
    style = (ROOT / "tests" / "ci" / "github.css").read_text()
    (tmp_path / "index.html").write_text(f'<!doctype html><meta charset="utf-8"><style>{style}</style>{body}')
    page = browser.new_page(viewport={"width": 838, "height": 900})
    page.goto((tmp_path / "index.html").as_uri())
    width, height = page.evaluate("[document.documentElement.scrollWidth, document.documentElement.scrollHeight]")
    page.screenshot(path=tmp_path / "readme.png", full_page=True)
    page.close()
    assert width <= 838 and height <= TALLEST, (width, height)


def test_a_run_over_items_counts_its_items():
    items = [claim(role="control", replicate="answer", replicates=[*range(40)])]
    items.append(claim(role="central", replicate="prompt", replicates=[*range(96)]))
    record = {"scale": "small", "parameters": {"seeds": 1}, "claims": items}
    sized = Entry(SimpleNamespace(slug="a", judged={"small": {}}), Path("results/small.ipynb"), record)
    assert sized.size == "96 prompts"
    assert replace(sized, paper=SimpleNamespace(slug="a", judged=None)).size == "1 seed"
