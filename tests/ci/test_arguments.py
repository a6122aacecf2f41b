"""What a person types: read right, or refused in one line that names it."""

import pytest

from ci import arguments, batch, publish, run
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


def test_parameters_are_typed_as_yaml_and_strings_stay_raw():
    text = "-p beta 0.05 -p rounds 3 -p on true -p rate 1e-3 -p names '[a, b]' -r name 007 -p model tiny"
    expected = {"beta": 0.05, "rounds": 3, "on": True, "rate": 0.001, "names": ["a", "b"], "name": "007"}
    assert arguments.parse_parameters(text) == {**expected, "model": "tiny"}
    assert arguments.parse_parameters("") == {}


@pytest.mark.parametrize(
    ("text", "named"),
    [("-p beta", "needs a name and a value"), ("beta 1", "'beta' is no option"), ("-p seed 3", "SEEDS="),
     ("-p beta 1 -p beta 2", "'beta' is given more than once"), ("-p beta '", "cannot be read"),
     ("-p beta [1", "is not YAML"), ("-p scale small", "SCALE=")],
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
