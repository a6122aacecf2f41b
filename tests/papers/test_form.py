"""The form of every paper: `paper.yaml`, its notebook, its records of other scales, and its row in the gallery."""

import pytest

from autodidact.claims.paper import load_paper
from autodidact.places import papers_folder
from ci import form, gallery

SLUGS = sorted(path.parent.name for path in papers_folder().glob("*/paper.yaml"))
UNDECIDED = {"dno", "selm"}  # papers without a record at small: not run yet, or it decided nothing
RESULTS = sorted(papers_folder().glob("*/results/*.ipynb"))


def notebook(slug):
    return papers_folder() / slug / f"{slug}.ipynb"


@pytest.fixture(scope="module")
def readmes():
    return gallery.readmes()


@pytest.mark.parametrize("slug", SLUGS)
class TestPaper:
    """What holds of every paper."""

    def test_paper_yaml_has_a_central_claim_a_control_and_the_scales(self, slug):
        paper = load_paper(slug)
        assert {"central", "control"} <= {claim.role for claim in paper.claims}
        assert {"toy", "small", "paper"} <= set(paper.scales)

    def test_a_record_of_small_is_kept_where_claims_are_judged_there(self, slug):
        judged = (load_paper(slug).data.get("judged") or {}).get("small")
        kept = (papers_folder() / slug / "results" / "small.ipynb").is_file()
        assert kept == bool(judged and slug not in UNDECIDED)

    def test_every_parameter_names_its_source(self, slug):
        lines = (papers_folder() / slug / "paper.yaml").read_text(encoding="utf-8").splitlines()
        assert not unsourced(lines)

    def test_sections_cells_and_lines(self, slug):
        assert form.structure_problems(notebook(slug)) == []

    def test_claims_first_prose_of_a_length_and_no_typed_results(self, slug):
        assert form.text_problems(notebook(slug)) == []

    def test_parameters_cell(self, slug):
        assert form.parameter_problems(notebook(slug), load_paper(slug)) == []

    def test_outputs(self, slug):
        assert form.output_problems(notebook(slug)) == []

    def test_the_file_is_as_jupyterlab_saves_it(self, slug):
        assert form.saved_problems(notebook(slug)) == []

    def test_record(self, slug):
        assert form.record_problems(notebook(slug), load_paper(slug), "toy") == []

    def test_gallery_has_its_row(self, slug, readmes):
        assert f"({slug}/{slug}.ipynb)" in readmes[papers_folder() / "README.md"]


@pytest.mark.parametrize("path", RESULTS, ids=[f"{p.parents[1].name}-{p.stem}" for p in RESULTS])
def test_record_of_another_scale(path):
    paper = load_paper(path.parents[1].name)
    assert form.output_problems(path) == []
    assert form.record_problems(path, paper, path.stem) == []


def test_gallery_is_current(readmes):
    for path, content in readmes.items():
        assert path.is_file()
        if isinstance(content, str):  # the picture is drawn from the same numbers, and not to the byte everywhere
            where = path.relative_to(papers_folder().parent)
            assert path.read_text(encoding="utf-8") == content, f"{where} is not current; write it with make gallery"


def unsourced(lines):
    """Parameters that no scale explains by a comment, on the value's line or on a line of its own above it."""
    start = lines.index("scales:") + 1
    end = next((i for i in range(start, len(lines)) if lines[i] and not lines[i].startswith((" ", "#"))), len(lines))
    names, explained = [], set()
    for i in range(start, end):
        value, sign, _ = lines[i].partition("#")
        if value.startswith("    ") and ":" in value:
            names.append(value.partition(":")[0].strip())
            if sign or lines[i - 1].strip().startswith("#"):
                explained.add(names[-1])
    return [name for name in dict.fromkeys(names) if name not in explained and name != "like"]


def test_a_preset_value_without_source_is_found():
    toy = ["scales:", "  toy:", "    beta: 1  # section 5", "    # appendix", "    lr: 2", "    k: 3", "    n: 4"]
    assert unsourced([*toy, "  small:", "    like: toy", "    beta: 2", "    n: 5 # table", "compare: null"]) == ["k"]
