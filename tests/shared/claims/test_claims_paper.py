"""paper.yaml: what is read, what is refused, and how parameters are resolved."""

import pytest
from fable_paper import CLAIM, PAPER

from autodidact.claims import load_paper, papers_folder, parameter_names, resolve
from autodidact.claims.paper import ROOT


def test_load(write_paper):
    write_paper()
    paper = load_paper("fable")
    assert (paper.slug, paper.title, paper.year, paper.venue) == ("fable", "A fable", 2020, None)
    assert [c.id for c in paper.claims] == ["grapes", "sour", "law"]
    assert [c.margin for c in paper.claims] == [None, 0.5, 1e-6]
    assert [c.replicate for c in paper.claims] == ["seed", "seed", "lambda"]
    assert paper.compare["after"] == 28.53
    assert parameter_names(paper) == ("scale", "seed", "seeds", "model", "beta", "rounds", "clip", "soft", "etas")
    with pytest.raises(AttributeError, match="no field 'journal'"):
        _ = paper.journal


def test_the_folder_of_papers(write_paper, monkeypatch):
    assert papers_folder() == write_paper().parent
    monkeypatch.delenv("AUTODIDACT_PAPERS")
    assert papers_folder() == ROOT / "papers"


def test_numbers_with_an_exponent_are_numbers(write_paper):
    import yaml

    write_paper(text=yaml.safe_dump(PAPER).replace("beta: 0.1", "beta: 5e-7").replace("beta: 0.01", "beta: 1E+2"))
    assert [p["beta"] for p in load_paper("fable").scales.values()] in ([5e-7, 100.0], [100.0, 5e-7])


@pytest.mark.parametrize("slug", ["fables", "../fable", "Fable", ""])
def test_unknown_paper(write_paper, slug):
    write_paper()
    with pytest.raises(ValueError, match="is unknown; (did you mean 'fable'\\? Known|known) are fable"):
        load_paper(slug)


def claims_with(**changes):
    return {"claims": [{"id": "grapes", **CLAIM, **changes}]}


WRONG = [
    ({"title": None}, "fable/paper.yaml: title: "),
    ({"claims": []}, "fable/paper.yaml: claims: "),
    ({"extra": 1}, "top level: .*'extra'"),
    ({"slug": "other"}, "slug: is 'other', must be the folder's name 'fable'"),
    (claims_with(role="main"), "claims.grapes.role: 'main' is not one of"),
    (claims_with(test="t-test"), "claims.grapes.test: "),
    (claims_with(expects="equal"), "claims.grapes.expects: 'equal' is not one of"),
    (claims_with(margin=0.1), "claims.grapes.margin: "),
    (claims_with(test="equivalence", expects="equal"), "claims.grapes: 'margin' is a required property"),
    (claims_with(test="equivalence", expects="equal", margin=0), "claims.grapes.margin: 0 is less than or equal"),
    (claims_with(test="exact", expects="equal", margin=-1), "claims.grapes.margin: -1 is less than the minimum"),
    (claims_with(margn=1), "claims.grapes: .*'margn'"),
    (claims_with(id="Has Blank"), "does not match"),
    ({"claims": [{"id": "grapes", **CLAIM}] * 2}, "the id 'grapes' occurs more than once"),
    ({"scales": {"small": {}}}, "scales: 'toy' is a required property"),
    ({"scales": {"toy": {"beta": 1}, "small": {}}}, "scales.small: parameter 'beta' must stand in every scale"),
    ({"scales": {"toy": {"threads": 0}}}, "scales.toy.threads: 0 is less than the minimum"),
    ({"compare": {"metric": "win rate"}}, "compare: "),
]


@pytest.mark.parametrize(("changes", "message"), WRONG)
def test_a_wrong_file_is_refused_by_file_and_field(write_paper, changes, message):
    write_paper(**changes)
    with pytest.raises(ValueError, match=message) as caught:
        load_paper("fable")
    assert "\n" not in str(caught.value) and "fable/paper.yaml" in str(caught.value)


def test_broken_yaml_is_refused_in_one_line(write_paper):
    write_paper(text="slug: [fable\ntitle")
    with pytest.raises(ValueError, match=r"fable/paper.yaml is not YAML: [^\n]*line 2"):
        load_paper("fable")


def test_resolve(write_paper):
    write_paper()
    paper = load_paper("fable")
    preset = resolve(paper, "toy", {})
    assert preset == {"scale": "toy", "seed": 0, "seeds": 10, **PAPER["scales"]["toy"]}
    given = resolve(paper, "small", {"scale": "small", "beta": 1, "seeds": 3, "model": None, "clip": 2.5})
    assert given["beta"] == 1.0 and isinstance(given["beta"], float)
    assert (given["seeds"], given["model"], given["clip"], given["rounds"]) == (3, "smollm2", 2.5, 2)
    assert resolve(paper, "toy", {"clip": 2, "etas": (1, 3.5)})["etas"] == [1.0, 3.5]
    assert resolve(paper, "toy", {"clip": 2})["clip"] == 2.0  # of the type that another scale gives it
    assert resolve(paper, "toy", {})["etas"] == [1.0, 2.0]


@pytest.mark.parametrize(
    ("scale", "given", "message"),
    [
        ("huge", {}, "scale='huge' is unknown to fable; known are toy, small"),
        (
            "toy",
            {"betta": 0.1},
            "parameter 'betta' is unknown to fable; did you mean 'beta'\\? Known are scale, seed, seeds, model, beta",
        ),
        ("toy", {"beta": "0.1"}, "parameter beta='0.1' is of type str; float is wanted, such as 0.1"),
        ("toy", {"rounds": 2.0}, "parameter rounds=2.0 is of type float; int is wanted, such as 3"),
        ("toy", {"rounds": True}, "parameter rounds=True is of type bool; int is wanted"),
        ("toy", {"soft": 1}, "parameter soft=1 is of type int; bool is wanted"),
        ("toy", {"etas": ["x"]}, r"parameter etas\[0\]='x' is of type str; float is wanted"),
        ("toy", {"beta": float("nan")}, "parameter beta=nan must be finite"),
        ("toy", {"seeds": 0}, "parameter seeds=0 must be at least 1"),
        ("toy", {"seed": -1}, "parameter seed=-1 must be at least 0"),
        ("toy", {"seeds": "3"}, "parameter seeds='3' is of type str; int is wanted"),
    ],
)
def test_resolve_refuses_in_one_line(write_paper, scale, given, message):
    write_paper()
    with pytest.raises(ValueError, match=message) as caught:
        resolve(load_paper("fable"), scale, given)
    assert "\n" not in str(caught.value)
