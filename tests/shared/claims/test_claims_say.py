"""Prose from the record: no number and no verdict in it can be false."""

import pytest

from autodidact.claims import Study


@pytest.fixture
def study(write_paper, capsys):
    write_paper(judged={"small": {"seed": ["grapes"]}})
    study = Study("fable", {"seeds": 6})
    for s in study.seeds():
        study.measure("grapes", treatment=1.0 + s / 100, control=0.5, replicate=s)
        study.measure("sour", treatment=0.45 + 0.1 * (-1) ** s, control=0.0, replicate=s)
    study.measure("law", treatment=1.0, control=1.0, replicate="lambda=1")
    with pytest.raises(ValueError, match="say comes after verdicts"):
        study.say("too early")
    study.verdicts()
    capsys.readouterr()
    return study


def test_places_are_filled_from_the_record(study, capsys):
    study.say("{grapes.effect}; {grapes.verdict}, {sour.verdict}; {grapes.control} of {n} {{seeds}}, p {grapes.p}", n=6)
    text = capsys.readouterr().out
    assert text == "0.525 [0.505, 0.545] nats; reproduced, open; 0.5 [0.5, 0.5] of 6 {seeds}, p 0.016\n"
    study.say("{grapes.treatment} and {curve}, {law.p}, n = {law.n}", curve=[1.0, 2.0, 3.0])
    assert capsys.readouterr().out == "1.02 [1.01, 1.04] and 2 [-0.484, 4.48], exact, n = 1\n"


def test_a_claim_of_ours_is_not_reproduced(study, capsys):
    study.say("{law.verdict}")
    assert capsys.readouterr().out == "reproduced\n"
    study.record["claims"][2]["whose"] = "ours"
    study.say("{law.verdict}")
    assert capsys.readouterr().out == "holds\n"


def test_text_by_verdict(study, capsys):
    study.say({"grapes": {"reproduced": "They hang {grapes.effect} higher.", "open": "Who knows."},
               "sour": {"contradicted": "Sweet.", "otherwise": "Sour or not."}})  # fmt: skip
    assert capsys.readouterr().out == "They hang 0.525 [0.505, 0.545] nats higher. Sour or not.\n"
    study.say({"grapes": {"open": "Nobody knows."}})
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{grape.effect}", "claim 'grape' is unknown; did you mean 'grapes'"),
        ("{grapes.efect}", "field 'efect' of grapes is unknown; did you mean 'effect'"),
        ("{rounds}", "value 'rounds' is unknown"),
        ({"grape": {}}, "claim 'grape' is unknown"),
        ({"grapes": {"holds": "x"}}, "verdict 'holds' of grapes is unknown"),
    ],
)
def test_unknown_names_are_refused(study, text, message):
    with pytest.raises(ValueError, match=message):
        study.say(text)


def test_what_a_scale_does_not_judge_is_not_spoken_of(write_paper, capsys):
    write_paper(judged={"small": {"prompt": ["grapes"]}})
    study = Study("fable", {"scale": "small"})
    assert study.judged == ("grapes",)
    study.measure("sour", treatment=1.0, control=1.0, replicate=0)  # passed over
    ids = [f"prompt {i}" for i in range(8)]
    study.measure_each("grapes", treatment=[1.0 + i / 10 for i in range(8)], control=0.5, replicates=ids)
    study.verdicts()
    assert [c["id"] for c in study.record["claims"]] == ["grapes"]
    assert study.record["claims"][0]["replicate"] == "prompt" and study.record["claims"][0]["replicates"] == ids
    assert "over prompts under fixed models." in capsys.readouterr().out
    study.say("{sour.effect} against {grapes.effect}")
    study.say({"sour": {"otherwise": "x"}})
    assert capsys.readouterr().out == ""
    with pytest.raises(ValueError, match=r"must have an entry for each of the 2 replicates"):
        study.measure_each("grapes", treatment=[1.0], control=0.5, replicates=["a", "b"])
