"""The README's examples work as they stand, with the name of a model filled in; its commands exist."""

import re

import pytest

from ci.files import ROOT

README = (ROOT / "README.md").read_text(encoding="utf-8")
GUIDE = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
EXAMPLES = dict(re.findall(r"<!-- take-home: (\w+) -->\n```python\n(.*?)```", README, re.DOTALL))


@pytest.fixture
def executed(tmp_path, monkeypatch, request):
    """`executed("loss")` runs that example in an empty folder and gives its names."""

    def run(name):
        monkeypatch.chdir(tmp_path)
        text, scope = EXAMPLES[name], {}
        if "your/model" in text:
            text = text.replace("your/model", str(request.getfixturevalue("checkpoint")))
        exec(compile(text, f"README.md, {name}", "exec"), scope)
        return scope

    return run


def test_take_a_loss_home(executed):
    assert executed("loss")["trainer"].state.global_step == 1


def test_take_a_search_home(executed):
    scope = executed("search")
    assert 1 <= len(scope["answer"].tokens) <= 12 and scope["answer"].judged


def test_take_the_statistics_home(executed, capsys):
    claim = executed("statistics")["study"].record["claims"][0]
    differences = [a - b for a, b in zip(claim["treatment"], claim["control"], strict=True)]
    assert claim["mean_difference"] == pytest.approx(sum(differences) / 6)
    assert claim["p"] == pytest.approx(1 / 2**6)  # all six differences are positive: one of 64 flips does as well
    assert claim["verdict"] == "reproduced" and "holds" in capsys.readouterr().out


def test_examples_are_short_and_there_are_no_others():
    assert set(EXAMPLES) == {"loss", "search", "statistics"} and README.count("```python") == 3
    for text in EXAMPLES.values():
        lines = [line for line in text.splitlines() if line.strip() and not line.startswith(("from", "import"))]
        assert len(lines) <= 10


@pytest.mark.parametrize("text", [README, GUIDE], ids=["README", "CONTRIBUTING"])
def test_commands_are_targets_of_the_makefile(text):
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    named = {word for line in re.findall(r"^make .*|`make [^`]*", text, re.MULTILINE) for word in commands(line)}
    assert named and named <= targets, named - targets


def commands(line):
    """The targets in `make gallery test PAPER=x   # a comment`."""
    words = re.sub(r'"[^"]*"', "", line.lstrip("`").partition("#")[0]).split()[1:]
    return [word for word in words if re.fullmatch("[a-z]+", word)]


def test_it_promises_no_number_of_papers_or_minutes_but_what_is_counted():
    typed = re.sub(r"<!-- gallery -->.*<!-- /gallery -->", "", README, flags=re.DOTALL)
    assert not re.search(r"[Ff]ifty|run in three|ten minutes|\d+ papers", typed)


def test_it_names_the_platforms_and_the_licence():
    for word in ("x86_64", "aarch64", "macOS", "Python 3.11 to 3.13", "Apache-2.0", "CITATION.cff", "CONTRIBUTING.md"):
        assert word in README
    assert (ROOT / "LICENSE").read_text().lstrip().startswith("Apache License")
