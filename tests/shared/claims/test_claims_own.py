"""Statistics for anybody's own experiment, without a paper.yaml, outside of this repository."""

import subprocess
import sys

import pytest

from autodidact.claims import Claim, Study, validate

EXAMPLE = """
import numpy as np
from autodidact.claims import Claim, Study

claim = Claim("warm-up-helps", says="Warm-up lowers the loss", unit="nats", treatment="warm-up", control="none",
              expects="less", smallest=0.05)
study = Study(claims=[claim], seeds=10)
for seed in study.seeds():
    noise = np.random.default_rng(seed).normal(size=2)
    study.measure("warm-up-helps", treatment=2.0 + 0.1 * noise[0], control=2.3 + 0.1 * noise[1], replicate=seed)
study.verdicts()
study.say("It {warm-up-helps.verdict}: {warm-up-helps.effect}.")
"""


def test_the_example_runs_where_there_is_no_repository(tmp_path):
    assert len(EXAMPLE.strip().splitlines()) <= 15
    heavy = "import sys; assert not {'torch', 'matplotlib', 'transformers', 'threadpoolctl'} & set(sys.modules)"
    command = [sys.executable, "-c", EXAMPLE + heavy]
    environment = {"PATH": "", "AUTODIDACT_PAPERS": str(tmp_path / "none")}
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=True)
    lines = done.stdout.splitlines()
    assert lines[0] == "What came out" and lines[1].startswith(
        "  ● holds: Warm-up lowers the loss (warm-up-helps: -0.273 [-0.389, -0.158] nats)"
    )
    assert lines[-1].startswith("It holds: -0.273 [") and lines[-1].endswith("nats.") and not done.stderr


def test_the_record_is_a_record():
    study = Study("mine", claims=[Claim("a", "it rises", "points", "new", "old", "greater")])
    for i in range(6):
        study.measure("a", treatment=1.0 + i, control=0.0, replicate=f"item {i}")
    study.verdicts()
    validate(study.record)
    assert study.record["paper"] == "mine" and study.record["claims"][0]["verdict"] == "reproduced"
    assert vars(study.parameters) == {"scale": "own", "seed": 0, "seeds": 1}


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Study(), "a study needs the slug of a paper or claims of its own"),
        (lambda: Study(claims=[]), "claims is empty"),
        (lambda: Study(claims=[Claim("a", "x", "u", "t", "c", "more")]), "claim 'a': expects: 'more' is not one of"),
        (lambda: Study(claims=[Claim("a", "x", "u", "t", "c", "equal", test="exact")]), "claim 'a': margin"),
        (lambda: Study(claims=[Claim("a", "x", "u", "t", "c", "less", needs="b")]), "claims.a.needs: the claim 'b'"),
        (lambda: Study(claims=[Claim("a", "x", "u", "t", "c", "less")], seeds=0), "seeds=0 must be at least 1"),
    ],
)
def test_wrong_claims_are_refused(make, message):
    with pytest.raises(ValueError, match=message):
        make()
