"""paper.yaml: what is read, what is refused, and how parameters are resolved."""

import re
from dataclasses import asdict, replace

import pytest
from fable_paper import CLAIM, PAPER

from autodidact.claims import Claim, load_paper, papers_folder, parameter_names, resolve
from autodidact.places import ROOT


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
    ({"scales": {"toy": {"beta": -0.1}}}, "scales.toy: parameter beta=-0.1 must be greater than 0"),
    (
        {"scales": {"toy": {"x": 1}, "small": {"like": "tow"}}},
        "scales.small.like: the scale 'tow' is unknown; did you mean 'toy'",
    ),
    ({"scales": {"toy": {"like": "small"}, "small": {"like": "toy"}}}, "like: runs in a circle: toy -> small -> toy"),
    (
        {"scales": {"toy": {"x": 1}, "small": {"like": "toy", "y": 1}}},
        "scales.small: parameter 'y' must stand in every",
    ),
    ({"parameters": {"betta": {"above": 0}}}, "parameters: parameter 'betta' is unknown; did you mean 'beta'"),
    ({"parameters": {"beta": {"more": 0}}}, "parameters.beta: .*'more'"),
    ({"parameters": {"beta": {"at_most": "rond"}}}, "parameters: parameter 'rond' is unknown; did you mean 'rounds'"),
    ({"parameters": {"rounds": {"at_most": "clip"}}}, "scales.small: parameter rounds=2 must be at most 1.0"),
    (
        {"parameters": {"rounds": {"among": "etas"}}},
        r"scales.toy: parameter rounds=3 must be one of the entries of etas",
    ),
    ({"name": ""}, "name: "),
    ({"finding": {"says": "x " * 30, "verdicts": {"grapes": "open"}}}, "finding.says: 30 words, must be 18 at most"),
    (
        {"finding": {"says": "x", "verdicts": {"grape": "open"}}},
        "finding.verdicts: the claim 'grape' is unknown; did you",
    ),
    ({"finding": {"says": "x", "verdicts": {"grapes": "holds"}}}, "finding.verdicts.grapes: 'holds' is not one of"),
    ({"judged": {"huge": {"seed": ["grapes"]}}}, "judged: the scale 'huge' is unknown"),
    ({"judged": {"small": {"seed": ["grape"]}}}, "judged.small: the claim 'grape' is unknown"),
    ({"judged": {"small": {"seed": ["grapes"], "prompt": ["grapes"]}}}, "judged.small: the claim 'grapes' occurs more"),
    (claims_with(whose="theirs"), "claims.grapes.whose: 'theirs' is not one of"),
    (claims_with(smallest=0), "claims.grapes.smallest: "),
    (claims_with(test="exact", expects="equal", margin=0.1, smallest=0.1), "claims.grapes.smallest: "),
    (claims_with(test="equivalence", expects="greater", margin=0.1), "claims.grapes.expects: 'greater' is not one of"),
    (claims_with(needs="gate"), "claims.grapes.needs: the claim 'gate' is unknown; did you mean"),
    (claims_with(needs="grapes"), "claims.grapes.needs: runs in a circle: grapes -> grapes"),
    ({"compare": {"metric": "win rate"}}, "compare: "),
]


@pytest.mark.parametrize(("changes", "message"), WRONG)
def test_a_wrong_file_is_refused_by_file_and_field(write_paper, changes, message):
    write_paper(**changes)
    with pytest.raises(ValueError, match=message) as caught:
        load_paper("fable")
    assert "\n" not in str(caught.value) and "fable/paper.yaml" in str(caught.value)


TWICE = " in line 2: the key 'slug' is given more than once"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("slug: [fable\ntitle", " in line 2: expected"),
        ("slug: fable\nslug: other", TWICE),
        ("a:\n  {beta: 1, beta: 2}", " in line 2: the key 'beta' is given more than once"),
        ("beta: .nan", " in line 1: .nan is not finite"),
        ("beta: -.inf", " in line 1: -.inf is not finite"),
        ("beta: 1e999", " in line 1: 1e999 is not finite"),
        ("rounds: 010", " in line 1: 010 can be read as two numbers"),
        ("rounds: 1:30", " in line 1: 1:30 can be read as two numbers"),
        ("beta: 1:30.5", " in line 1: 1:30.5 can be read as two numbers"),
        ("beta: !!python/name:os.system 1", " in line 1: could not determine a constructor"),
        ("beta: \x07", ": unacceptable character"),
    ],
)
def test_broken_yaml_is_refused_in_one_line(write_paper, text, message):
    write_paper(text=text)
    with pytest.raises(ValueError, match=f"fable/paper.yaml is not YAML{re.escape(message)}"):
        load_paper("fable")


def test_a_file_that_is_not_utf_8_is_named(write_paper):
    (write_paper() / "paper.yaml").write_bytes("title: Émile".encode("latin-1"))
    with pytest.raises(ValueError, match="^fable/paper.yaml is not UTF-8: byte 7 is 0xc9$"):
        load_paper("fable")


@pytest.mark.parametrize("name", [True, "two words", "lambda", 3])
def test_a_parameter_is_a_name_of_python_s(write_paper, name):
    write_paper(scales={"toy": {name: 1.0}})
    with pytest.raises(ValueError, match=f"scales.toy: parameter {name!r} must be a name of Python's"):
        load_paper("fable")


def test_a_preset_that_names_a_date_is_text(write_paper):
    place = write_paper(scales={"toy": {"name": "x"}}) / "paper.yaml"
    write_paper(text=place.read_text().replace("name: x", "name: 2020-01-01"))
    assert load_paper("fable").scales["toy"]["name"] == "2020-01-01"


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


def gated(**needs):
    return {"claims": [{"id": name, **CLAIM, "needs": gate} for name, gate in {"grapes": None, **needs}.items()]}


def test_gates_in_a_circle_and_gates_that_are_not_judged(write_paper):
    write_paper(**gated(a="b", b="c", c="a"))
    with pytest.raises(ValueError, match="claims.a.needs: runs in a circle: a -> b -> c -> a"):
        load_paper("fable")
    write_paper(**gated(a="b", b="grapes"), judged={"small": {"seed": ["a"]}})
    with pytest.raises(ValueError, match="judged.small: 'a' needs 'b', which must be judged too"):
        load_paper("fable")


def test_a_scale_says_only_what_differs(write_paper):
    toy = {"model": "tiny", "beta": 0.1, "steps": 3, "clip": None}
    small = {"like": "toy", "model": "smollm2", "clip": 1.0}
    write_paper(scales={"toy": toy, "small": small, "paper": {"like": "small", "beta": 0.01}})
    assert load_paper("fable").scales == {
        "toy": toy,
        "small": toy | {"model": "smollm2", "clip": 1.0},
        "paper": toy | {"model": "smollm2", "clip": 1.0, "beta": 0.01},
    }


def test_a_claim_is_stated_by_whatever_decides_its_verdict(write_paper):
    claim = Claim("a", "it rises", "nats", "x", "y", "greater")
    others = {"says": "it falls", "unit": "bits", "expects": "less", "margin": 1.0, "smallest": 0.1, "needs": "b",
              "whose": "paper", "role": "control", "measures": "more",
              "test": "exact", "replicate": "prompt"}  # fmt: skip
    stated = {replace(claim, **{name: value}).stated for name, value in others.items()}
    assert len(stated | {claim.stated}) == len(others) + 1
    assert replace(claim, reported="table 1").stated == claim.stated
    assert len(claim.stated) == 64 and claim.stated == Claim(**asdict(claim)).stated


def test_claims_of_a_scale(write_paper):
    write_paper(judged={"small": {"prompt": ["sour"], "lambda": ["law"]}})
    paper = load_paper("fable")
    assert [(c.id, c.replicate) for c in paper.claims_at("small")] == [("sour", "prompt"), ("law", "lambda")]
    assert paper.claims_at("toy") == paper.claims
