"""What a person may set: every value is checked before anything runs, and a slip of the keys is understood."""

import nbformat
import papermill
import pytest
from fable_paper import PAPER
from nbformat.v4 import new_code_cell, new_notebook

from autodidact.claims import load_paper, papers_folder, resolve, rule_of
from autodidact.claims.loads import check_world
from autodidact.claims.parameters import injected_names

PAPERS = sorted(path.parent.name for path in papers_folder().glob("*/paper.yaml"))
REFUSED = [
    ("all-you-need-is-sex", {"crossover": 2.0}, "parameter crossover=2.0 must be at most 1"),
    ("all-you-need-is-sex", {"tournament": 0}, "parameter tournament=0 must be at least 1"),
    ("all-you-need-is-sex", {"mutations": [0.1, -1.0]}, r"parameter mutations\[1\]=-1.0 must be at least 0"),
    ("all-you-need-is-sex", {"problems": ["koza-9"]}, r"parameter problems\[0\]='koza-9': .*koza-1"),
    ("all-you-need-is-sex", {"popsize": 5}, "parameter 'popsize' is unknown to all-you-need-is-sex; .*population"),
    ("sppo", {"learning_rate": -1.0}, "parameter learning_rate=-1.0 must be greater than 0"),
    ("sppo", {"learningrate": 1.0}, "parameter 'learningrate' is unknown to sppo; did you mean 'learning_rate'"),
    ("sppo", {"model": "tinny"}, "parameter model='tinny' is unknown; did you mean 'tiny'"),
    ("sppo", {"model": "/no/such/folder"}, "parameter model='/no/such/folder' is unknown"),
    ("sppo", {"world": "instructoins"}, "parameter world='instructoins': world='instructoins' is unknown"),
    ("sppo", {"world": "instructions/plato"}, "parameter world='instructions/plato': preset='plato'"),
    ("sppo", {"cycle_world": "nowhere"}, "parameter cycle_world='nowhere'"),
    ("sppo", {"top_p": 0.0}, "parameter top_p=0.0 must be greater than 0"),
    ("sppo", {"top_p": 1.1}, "parameter top_p=1.1 must be at most 1"),
    ("sppo", {"temperature": 0.0}, "parameter temperature=0.0 must be greater than 0"),
    ("sppo", {"lora_rank": 0}, "parameter lora_rank=0 must be at least 1"),
    ("sppo", {"lora_rank": "r"}, "parameter lora_rank='r' is of type str; int is wanted, such as 16"),
    ("sppo", {"optimizer": "adam"}, "parameter optimizer='adam' is unknown; did you mean 'adamw_torch'"),
    ("spin", {"discriminator": "smolm2"}, "parameter discriminator='smolm2' is unknown; did you mean 'smollm2'"),
    ("minimaximalist-spo", {"limited_task": "Walker3d-v5"}, "parameter limited_task='Walker3d-v5'"),
    ("minimaximalist-spo", {"noise": [0.7]}, r"parameter noise\[0\]=0.7 must be at most 0.5"),
    ("sppo", {"rounds": 0}, "parameter rounds=0 must be at least 1"),
    ("sppo", {"ipo_beta": -1}, "parameter ipo_beta=-1.0 must be greater than 0"),
    ("sppo", {"responses": 1}, "parameter responses=1 must be at least 2"),
    ("sppo", {"beta": 10**400}, "parameter beta of 401 digits must be finite"),
    ("sppo", {"seeds": 10**10}, "parameter seeds=10000000000 must be at most 10000"),
    ("sppo", {"threads": 10**6}, "parameter threads=1000000 must be at most 1024"),
    ("sppo", {"model": ""}, "parameter model='' is unknown"),
    ("sppo", {"cycle_model": "nosuch"}, "parameter cycle_model='nosuch' is unknown"),
    (
        "sppo",
        {"world": "game/town"},
        "parameter world='game/town' is a world of another kind: it has no prompts",
    ),
    ("sppo", {"world": "ifeval"}, "parameter world='ifeval' has no vocabulary, which model='tiny' needs"),
    ("sppo", {"cycle_world": "gsm8k"}, "parameter cycle_world='gsm8k' is a world of another kind: it has no style"),
    ("cream", {"seed_world": "nosuch"}, "parameter seed_world='nosuch'"),
    ("dno", {"teacher_quality": 0.7}, r"parameter teacher_quality=0.7 must be one of the entries of qualities="),
    ("dno", {"qualities": [0.75, 1.5]}, r"parameter qualities\[1\]=1.5 must be at most 1"),
    ("dno", {"margins": [2, 0]}, r"parameter margins=\[2, 0\] must not fall from one entry to the next"),
    ("dno", {"replay": [0.6]}, r"parameter replay\[0\]=0.6 must be less than 0.5"),
    ("dno", {"least_grade": 7}, "parameter least_grade=7 must be at most 6"),
    ("dno", {"teacher_model": "nosuch"}, "parameter teacher_model='nosuch' is unknown"),
    ("cream", {"measure": "kendal"}, "parameter measure='kendal' is unknown; did you mean 'kendall'"),
    ("dstc", {"codes": 1}, "parameter codes=1 must be at least 2"),
    ("dstc", {"world": "facts"}, "parameter world='facts' is a world of another kind"),
    ("rain", {"world": "facts/hhh"}, "parameter world='facts/hhh'"),
    ("rain", {"lengths": []}, r"parameter lengths=\[\]: the number of entries must be at least 1"),
    ("dbg-self-preference", {"lean": 1.5}, "parameter lean=1.5 must be at most 1"),
    ("spin", {"table_lambdas": [0.1, 0.1]}, r"parameter table_lambdas=\[0.1, 0.1\] must not have an entry twice"),
    ("step-dpo", {"depth": [4, 2]}, r"parameter depth=\[4, 2\] must not fall from one entry to the next"),
    ("step-dpo", {"depth": [2]}, r"parameter depth=\[2\]: the number of entries must be at least 2"),
    ("step-dpo", {"stop": "(it"}, r"parameter stop='\(it' is no regular expression"),
    ("all-you-need-is-sex", {"problems": [""]}, r"parameter problems\[0\]='' must name a world"),
    ("minimaximalist-spo", {"noisy_rate": 0.3}, "parameter noisy_rate=0.3 must be one of the entries of noise="),
    ("minimaximalist-spo", {"noise": [0.0, 0.2]}, "parameter noisy_rate=0.4 must be one of the entries of noise="),
    ("minimaximalist-spo", {"tasks": []}, "parameter tasks=.*: the number of entries must be at least 1"),
    ("pixel-game-testing", {"moments": [0.5, 1.5]}, r"parameter moments\[1\]=1.5 must be at most 1"),
    (
        "pixel-game-testing",
        {"knobs": {"horizon": 9, "sise": 20}},
        "field 'sise' of parameter knobs is unknown; did",
    ),
    ("pixel-game-testing", {"knobs": {"size": 20}}, "parameter knobs=.* must have the field 'horizon'"),
    ("pixel-game-testing", {"knobs": {"horizon": 0}}, "parameter knobs.horizon=0 must be at least 1"),
    ("pixel-game-testing", {"knobs": {"horizon": 9.5}}, "parameter knobs.horizon=9.5 is of type float; int is wanted"),
    (
        "self-consuming-curation",
        {"plane": "densities/digits"},
        "parameter plane='densities/digits' is a world of ano",
    ),
    ("self-interpretability", {"analysis_model": "gpt-4o"}, "parameter analysis_model='gpt-4o' is unknown; did you"),
    ("self-interpretability", {"few_contexts": 41}, "parameter few_contexts=41 must be at most 40"),
    ("stic", {"strength": {"blur": float("nan"), "colour": 0.1}}, "parameter strength.blur=nan must be finite"),
    ("stic", {"tower": {"kind": "cnn", "pictures": 1, "steps": 1}}, "parameter tower.kind='cnn' is unknown; did you"),
    ("stic", {"sizes": [10, 20]}, "parameter images=360 must be one of the entries of sizes="),
]


@pytest.mark.parametrize(("slug", "given", "message"), REFUSED)
def test_refused_in_one_line_before_anything_runs(slug, given, message):
    with pytest.raises(ValueError, match=message) as caught:
        resolve(load_paper(slug), "toy", given)
    assert "\n" not in str(caught.value)


def test_a_scale_or_a_paper_mistyped():
    with pytest.raises(ValueError, match="scale='smal' is unknown to sppo; did you mean 'small'"):
        resolve(load_paper("sppo"), "smal", {})
    with pytest.raises(ValueError, match="paper 'spppo' is unknown; did you mean 'sppo'"):
        load_paper("spppo")


@pytest.mark.parametrize("slug", PAPERS)
def test_every_parameter_of_every_paper_has_a_rule_or_needs_none(slug):
    """Numbers without a range are few; whoever adds one says why here."""
    free = {"limit", "length_bias"}  # a return, and a liking that may be a dislike
    paper = load_paper(slug)
    numbers = {name for name, value in paper.scales["toy"].items() if type(value) in (int, float)}
    assert {name for name in numbers if not rule_of(paper, name)} <= free
    for scale in paper.scales:
        assert resolve(paper, scale, {}).items() >= paper.scales[scale].items()


@pytest.mark.parametrize("slug", PAPERS)
def test_the_worlds_of_the_presets_offer_what_is_asked_of_others(slug):
    paper = load_paper(slug)
    asked = {name: rule["offers"] for name, rule in (paper.parameters or {}).items() if "offers" in rule}
    for name, offers in asked.items():
        for world in {row[name] for row in paper.scales.values()} - {"densities/cifar10", "densities/cifar10-16"}:
            check_world(name, world, offers=offers)  # CIFAR-10 takes long to read


def test_models_and_worlds_that_are_accepted(tmp_path, monkeypatch):
    paper = load_paper("sppo")
    with pytest.raises(ValueError, match="is a folder without config.json"):
        resolve(paper, "toy", {"model": str(tmp_path)})
    (tmp_path / "config.json").write_text("{}")
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", False)
    for model in ("tiny", "smollm2", "owner/name-7B.v0_2", str(tmp_path)):
        assert resolve(paper, "toy", {"model": model})["model"] == model
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    with pytest.raises(ValueError, match="model='owner/name-7B.v0_2' is not in the hub's cache"):
        resolve(paper, "toy", {"model": "owner/name-7B.v0_2"})
    assert resolve(paper, "toy", {"world": "instructions/plateau"})["world"] == "instructions/plateau"


def test_a_rule_of_the_paper_stands_in_place_of_the_name_s(write_paper):
    write_paper(parameters={"rounds": {"at_least": 0, "below": 4}, "model": {"choices": ["tiny", "smollm2", "none"]}})
    paper = load_paper("fable")
    assert resolve(paper, "toy", {"rounds": 0, "model": "none"})["rounds"] == 0
    with pytest.raises(ValueError, match="parameter rounds=4 must be less than 4"):
        resolve(paper, "toy", {"rounds": 4})


CELL = "scale = 'toy'\nseed = 0\nseeds = 10\nbeta = None"


def test_names_that_cells_have_set():
    sources = [
        "",
        CELL,
        "# Parameters\npopsize = 5\nbeta: float = 0.2\n",
        "other = 3",
        "%%bash\nls",
        "# Parameters too\nx = 1",
    ]
    assert injected_names({"In": sources}) == {"scale", "seed", "seeds", "beta", "popsize"}
    assert injected_names({}) == set()


def test_values_that_the_notebook_undoes_are_an_error():
    injected = "# Parameters\nbeta = 0.2\n"
    with pytest.raises(ValueError, match="which undoes it; that cell must have the tag `parameters`"):
        injected_names({"In": ["", injected, CELL]})
    assert injected_names({"In": ["", CELL, injected, CELL]})  # a person ran the first cell again


@pytest.fixture
def notebook(write_paper):
    folder = write_paper(scales={"toy": {"beta": 0.1}}, claims=[PAPER["claims"][0]])
    body = "from autodidact.claims import Study\nstudy = Study('fable', globals())\nprint(study.parameters.beta)"
    cells = [new_code_cell(CELL, metadata={"tags": ["parameters"]}), new_code_cell(body)]
    kernel = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
    nbformat.write(new_notebook(cells=cells, metadata=kernel), folder / "fable.ipynb")
    return folder / "fable.ipynb"


def test_papermill_s_unknown_name_is_an_error(notebook, tmp_path):
    with pytest.raises(
        papermill.PapermillExecutionError, match="parameter 'betta' is unknown to fable; did you mean 'beta'"
    ):
        papermill.execute_notebook(notebook, tmp_path / "out.ipynb", parameters={"betta": 0.3}, progress_bar=False)
    with pytest.raises(papermill.PapermillExecutionError, match="parameter beta=-1.0 must be greater than 0"):
        papermill.execute_notebook(notebook, tmp_path / "out.ipynb", parameters={"beta": -1}, progress_bar=False)
    done = papermill.execute_notebook(notebook, tmp_path / "out.ipynb", parameters={"beta": 0.3}, progress_bar=False)
    assert done.cells[-1].outputs[0]["text"] == "0.3\n"
