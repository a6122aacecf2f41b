"""What a person types: read right, or refused in one line that names it."""

import shlex

import pytest
from papermill.cli import _resolve_type

from ci import arguments, batch, publish, run, tune
from ci.bench.small_paper import write_paper


@pytest.mark.parametrize(
    ("text", "seeds"),
    [("3", [0, 1, 2]), ("5-7", [5, 6, 7]), ("0,3,7", [0, 3, 7]), ("0-2, 9", [0, 1, 2, 9]), ("4-4", [4])],
)
def test_seeds_are_a_number_a_range_or_a_list(text, seeds):
    assert arguments.parse_seeds(text) == seeds


@pytest.mark.parametrize(
    ("text", "named"),
    [("0", "empty"), ("9-5", "'9-5' is empty"), ("1,2,1", "seed 1 more than once"), ("0-3,2", "seed 2 more"),
     ("x", "'x' is no seed"), ("-3", "no seed"), ("", "no seed"), ("1,,2", "no seed"), ("1.5", "no seed"),
     ("10000000000", "more than 10000"), ("0-10000000000", "more than 10000")],
)  # fmt: skip
def test_bad_seeds_are_named(text, named):
    with pytest.raises(ValueError, match=named):
        arguments.parse_seeds(text)


def test_parameters_are_scalars_strings_or_yaml():
    text = "-p beta 0.05 -p on True -p rate 1e-3 -y '{names: [a, b], small: 1e-5}' -r name 007 -p model tiny"
    expected = {"beta": 0.05, "on": True, "rate": 0.001, "names": ["a", "b"], "small": 1e-5, "name": "007"}
    assert arguments.parse_parameters(text) == {**expected, "model": "tiny"}
    assert arguments.parse_parameters("") == arguments.parse_parameters("-y {}") == {}


WORDS = ["010", "1:30", "0x10", "0b1", "1_000", "1e3", "1e-3", ".5", "5.", "+3", "-0", " 7 ", "٣", "²", "true", "True",
         "yes", "null", "None", "~", "nan", "-inf", "Infinity", "1e999", "2020-01-01", "a: b", "#x", "'q'", "*",
         "1,000", "1.", "0o17", "9" * 5000, ""]  # fmt: skip


@pytest.mark.parametrize("word", WORDS, ids=lambda word: repr(word[:12]))
def test_a_word_means_what_papermill_makes_of_it(word):
    ours, its = arguments.parse_parameters(f"-p x {shlex.quote(word)}")["x"], _resolve_type(word)
    assert type(ours) is type(its) and repr(ours) == repr(its)


def test_a_number_that_papermill_reads_otherwise_is_refused_as_yaml():
    for text in ("010", "1:30"):
        with pytest.raises(ValueError, match="can be read as two numbers"):
            arguments.parse_parameters(f"-y '{{rounds: {text}}}'")
        with pytest.raises(ValueError, match="can be read as two numbers"):
            tune.parse_grid(f"rounds=[{text}]")
    assert tune.parse_grid("rounds=010,2 rate=1e-3,[1e-5]")[0] == {"rounds": 10, "rate": 0.001}


@pytest.mark.parametrize(
    ("text", "named"),
    [("-p beta", "needs a name and a value"), ("beta 1", "'beta' is no option"), ("-p seed 3", "SEEDS="),
     ("-p beta 1 -p beta 2", "'beta' is given more than once"), ("-p beta '", "cannot be read"),
     ("-p beta [1", "takes no list or mapping, '\\[1'; give -y"), ("-p scale small", "SCALE="),
     ("-y", "-y needs a mapping"), ("-y '[1'", "is not YAML in line 1"), ("-y '[1]'", "must be a mapping of names"),
     ("-y '{1: 2}'", "must be a mapping of names"), ("-y '{beta: 1, beta: 2}'", "'beta' is given more than once"),
     ("-y '{beta: 1}' -p beta 2", "'beta' is given more than once"), ("-y '{seeds: 3}'", "SEEDS=")],
)  # fmt: skip
def test_bad_options_are_named(text, named):
    with pytest.raises(ValueError, match=named):
        arguments.parse_parameters(text)


BAD = {
    "unknown paper": (["--papers", "alpha nope"], "'nope' is unknown"),
    "repeated paper": (["--papers", "alpha alpha"], "'alpha' more than once"),
    "unknown scale": (["--scale", "huge"], "scale='huge'"),
    "unknown parameter": (["--args=-p gamma 1"], "'gamma' is unknown"),
    "wrong type": (["--args=-p rounds many"], "parameter rounds='many'"),
    "empty seeds": (["--seeds", "0"], "SEEDS='0' is empty"),
    "empty range": (["--seeds", "7-3"], "range '7-3' is empty"),
    "repeated seed": (["--seeds", "1,1"], "seed 1 more than once"),
    "bad jobs": (["--jobs", "0"], "JOBS='0'"),
    "bad option": (["--args=-x 1"], "'-x' is no option"),
}


@pytest.mark.parametrize(("words", "named"), BAD.values(), ids=BAD)
@pytest.mark.parametrize("tool", [batch, run])
def test_bad_input_ends_with_one_line_before_anything_runs(tool, words, named, papers, capsys, monkeypatch):
    monkeypatch.setattr("subprocess.Popen", lambda *_, **__: pytest.fail("a process was started"))
    write_paper(papers, "alpha")
    assert tool.main([*words]) == 2
    error = capsys.readouterr().err
    assert named in error and error.count("\n") == 1


def test_more_gpus_than_there_are_is_refused(papers, capsys, monkeypatch):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "3,5")
    write_paper(papers, "alpha")
    assert batch.main(["--gpus", "4"]) == 2
    assert "this machine has 2 GPU(s)" in capsys.readouterr().err


def test_a_paper_without_notebook_is_named(papers, capsys):
    write_paper(papers, "alpha").unlink()
    assert run.main(["--papers", "alpha"]) == 2
    assert "has no notebook" in capsys.readouterr().err


@pytest.mark.parametrize("tool", [batch, run])
def test_a_notebook_that_would_run_with_its_own_values_is_named(tool, papers, capsys, monkeypatch):
    monkeypatch.setattr("subprocess.Popen", lambda *_, **__: pytest.fail("a process was started"))
    place = write_paper(papers, "alpha")
    tag = '"parameters"'
    assert place.read_text().count(tag) == 1
    place.write_text(place.read_text().replace(tag, '"parameter"'))
    assert tool.main([]) == 2
    assert capsys.readouterr().err.endswith("alpha/alpha.ipynb: 0 cells are tagged `parameters`, must be 1\n")


def test_a_model_s_folder_is_given_by_its_whole_path(papers, tmp_path, monkeypatch):
    paper = write_paper(papers, "alpha").with_name("paper.yaml")
    paper.write_text(paper.read_text().replace("name: plain", "model: tiny"))
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "config.json").write_text("{}")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ValueError, match="model='mine' is a folder seen from here, .* give its whole path, '/.*/mine'"):
        arguments.check(["alpha"], "toy", {"model": "mine"})
    assert arguments.check(["alpha"], "toy", {"model": str(tmp_path / "mine")})


def test_one_notebook_runs_consecutive_seeds_only(papers, capsys):
    write_paper(papers, "alpha")
    assert run.main(["--seeds", "0,2"]) == 2
    assert "gaps" in capsys.readouterr().err


@pytest.mark.parametrize(
    "words", [[], ["--papers", "alpha", "--seeds", "2"], ["--papers", "alpha", "--args=-p beta 1"]]
)
def test_publishing_takes_a_paper_at_its_default(words, papers, capsys):
    write_paper(papers, "alpha")
    assert publish.main(words) == 2
    assert capsys.readouterr().err.count("\n") == 1
