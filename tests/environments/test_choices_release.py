"""The authors' released files: what is read, what is refused, and what the real ones hold where they are."""

import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from autodidact.environments import load_world
from autodidact.environments.choices import Release, files
from autodidact.environments.choices.files import read_lines, released_file
from tests.release import MODEL, write_releases

REAL = Path(os.environ.get("DATASETS_MIRROR", "absent")) / "self-interpretability"
STAGES = ("base", "instilled", "first half trained", "last half trained", "native before", "native after")
needs_release = pytest.mark.skipif(not REAL.is_dir(), reason="the authors' files are not in DATASETS_MIRROR")


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    """A folder that is a mirror with a release drawn at random."""
    root = tmp_path_factory.mktemp("mirror")
    write_releases(root)
    return root


@pytest.fixture
def mirror(written, monkeypatch):
    monkeypatch.setenv("DATASETS_MIRROR", str(written))
    return written / "self-interpretability"


@pytest.fixture
def spoiled(mirror):
    """Alter a table of the release for the length of a test."""
    kept = {}

    def alter(name, change):
        path = mirror / name
        kept[path] = path.read_bytes()
        change(pd.read_csv(path)).to_csv(path, index=False)

    yield alter
    for path, content in kept.items():
        path.write_bytes(content)


def test_rows_are_joined_by_name(mirror):
    release = Release(MODEL)
    table = pd.read_csv(mirror / f"{MODEL}_regression_results.csv")
    assert list(table["scenario"]) == sorted(table["scenario"]) != release.names
    assert (release.regression() == release.instilled_weights).all()  # the stand-in's regression is exact
    x, chose_a, strange = release.choices()
    assert x.shape == (100, 6, 5) and strange == 0
    assert ((np.einsum("cnk,ck->cn", x, release.instilled_weights) > 1e-9) == chose_a).mean() > 0.99


@pytest.mark.parametrize(
    ("stage", "contexts", "missing"), list(zip(STAGES, [100, 100, 50, 50, 100, 100], [0, 0, 0, 0, 1, 0], strict=True))
)
def test_malformed_reports_are_counted(stage, contexts, missing, mirror):
    reports = Release(MODEL).reports(stage)
    assert reports.values.shape == (contexts, 10, 5)
    assert reports.malformed == missing and np.isfinite(reports.mean).all()


def test_a_context_without_reports_is_nan_and_words_are_malformed(spoiled):
    def change(table):
        table = table.astype({"report_attr2": object})
        table.loc[15, "report_attr2"], table.loc[25, "report_attr2"] = "high", "40%"
        table.loc[35, "report_attr2"] = "-40"
        return table[10:]

    spoiled(f"{MODEL}_weight_reports.csv", change)
    reports = Release(MODEL).reports("base")
    assert reports.malformed == 12 and reports.values[3, 5, 1] == -40
    assert np.isnan(reports.mean[0]).all() and np.isfinite(reports.mean[1:]).all()


@pytest.mark.parametrize(
    ("name", "column", "read"),
    [
        (f"{MODEL}_weight_reports.csv", "report_attr3", lambda r: r.reports("base")),
        (f"{MODEL}_instilled_selections.csv", "B_attribute_5", lambda r: r.choices()),
        (f"{MODEL}_latent_regression_results.csv", "b_attr1", lambda r: r.regression(native=True)),
        ("instilled_weights.csv", "scenario", lambda r: r.instilled_weights),
        ("scenarios.csv", "attr2_max", lambda r: r.names),
    ],
)
def test_a_missing_column_is_named_with_its_file(name, column, read, spoiled):
    spoiled(name, lambda table: table.drop(columns=column))
    with pytest.raises(ValueError, match=f"^{name}: column '{column}' is missing"):
        read(Release(MODEL))


def test_strange_contexts_and_too_many_reports_are_refused(spoiled):
    name = f"{MODEL}_weight_reports.csv"
    spoiled(name, lambda table: table.assign(scenario=table["scenario"].where(table.index > 0, "moon")))
    with pytest.raises(ValueError, match=f"{name}: context 'moon' is none of the 100"):
        Release(MODEL).reports("base")
    spoiled(f"{MODEL}_instilled_weight_reports.csv", lambda table: pd.concat([table, table[:1]]))
    with pytest.raises(ValueError, match="11 reports about"):
        Release(MODEL).reports("instilled")
    spoiled("instilled_weights.csv", lambda table: table[1:])
    with pytest.raises(ValueError, match="instilled_weights.csv: context .* has 0 rows, must have 1"):
        _ = Release(MODEL).instilled_weights
    with pytest.raises(ValueError, match="stage='later' is unknown; known are base"):
        Release(MODEL).reports("later")


def test_a_choice_that_is_no_letter_is_counted(spoiled):
    spoiled(f"{MODEL}_instilled_selections.csv", lambda t: t.assign(selection=t["selection"].where(t.index > 2, "C")))
    _, chose_a, strange = Release(MODEL).choices()
    assert strange == 3 and np.isnan(chose_a).sum() == 3


def test_a_file_that_the_mirror_lacks_is_named(mirror):
    with pytest.raises(FileNotFoundError, match="has no .*other-model_weight_reports.csv; put the file of github.com"):
        Release("other-model").reports("base")


def test_a_later_run_has_its_own_files_and_the_weights_of_the_paper(mirror):
    run = Release("qwen_12_30")
    assert run.model == "qwen2.5-7b-instruct" and run.names == Release(MODEL).names
    assert (run.instilled_weights == Release(MODEL).instilled_weights).all()
    assert (run.regression() == run.instilled_weights).all()
    assert not np.allclose(run.reports("base").mean, Release(MODEL).reports("base").mean)


def test_without_a_mirror_files_are_fetched_once(monkeypatch, tmp_path):
    monkeypatch.delenv("DATASETS_MIRROR", raising=False)
    monkeypatch.setenv("AUTODIDACT_CACHE", str(tmp_path))
    asked = []

    class Answer:
        def __enter__(self):
            return self

        def __exit__(self, *_):
            pass

        def read(self):
            return b"scenario\n"

    def urlopen(url, timeout):
        asked.append(url)
        return Answer()

    monkeypatch.setattr(files.urllib.request, "urlopen", urlopen)
    assert released_file("scenarios.csv") == released_file("scenarios.csv")
    assert len(asked) == 1 and asked[0].endswith(f"{files.COMMIT}/data/original_paper/scenarios.csv")
    released_file("candidate_scenarios.json")
    assert asked[1].endswith(f"{files.COMMIT}/data/candidate_scenarios.json")
    path = released_file("m_weight_reports.csv", "qwen_12_30")
    assert path == tmp_path / "self-interpretability-reruns" / "qwen_12_30" / "m_weight_reports.csv"
    assert asked[2].endswith(f"{files.COMMIT}/data/qwen_12_30/m_weight_reports.csv")

    def unreachable(url, timeout):
        raise OSError("no network")

    monkeypatch.setattr(files.urllib.request, "urlopen", unreachable)
    with pytest.raises(FileNotFoundError, match="instilled_weights.csv could not be fetched .*download it by hand"):
        released_file("instilled_weights.csv")


def test_a_line_that_is_not_json_is_named(mirror):
    path = mirror / "instill_100_prefs_val.jsonl"
    path.write_text('{"messages": []}\n{"messages": ')
    with pytest.raises(ValueError, match="instill_100_prefs_val.jsonl: line 2 is not JSON"):
        read_lines(path.name)


def test_the_authors_world_takes_its_examples_from_the_files(mirror):
    world = load_world("choices/authors").cut(4, 2)
    rng = np.random.default_rng(0)
    examples = world.choice_examples(np.arange(4), 5, rng)
    assert examples.context.tolist() == np.repeat(np.arange(4), 5).tolist()
    assert (world.weights(rng)[:4] == Release(MODEL).instilled_weights[:4]).all()
    with pytest.raises(ValueError, match="instill_100_prefs.jsonl has 6 examples of .*, 7 were asked for"):
        world.choice_examples(np.arange(4), 7, rng)


@needs_release
@pytest.mark.parametrize(
    ("examples", "asked", "name", "each"),
    [
        ("choice_examples", "decision_prompts", "instill_100_prefs.jsonl", 50),
        ("report_examples", "report_prompts", "instilled_weights_100_training.jsonl", 1),
    ],
)
def test_our_prompts_are_the_authors_word_for_word(examples, asked, name, each):
    world = load_world("choices/authors")
    rng = np.random.default_rng(0)
    weights = world.weights(rng)
    decisions = getattr(world, examples)(np.arange(100), each, rng)
    answers = (
        ["A" if a else "B" for a in world.choose(weights, decisions)]
        if each > 1
        else world.report_texts(decisions, weights[decisions.context])
    )
    ours = set(zip(getattr(world, asked)(decisions), answers, strict=True))
    theirs = {(row["messages"][1]["content"], row["messages"][2]["content"]) for row in read_lines(name)}
    assert ours == theirs and len(theirs) == 100 * each
    system = {row["messages"][0]["content"] for row in read_lines(name)}
    from autodidact.environments.choices import SYSTEM

    assert system == {SYSTEM}
