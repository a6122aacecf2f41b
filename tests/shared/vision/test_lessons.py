"""How the tiny base that sees is taught: what the loss weighs, what comes first, and at what rate."""

import numpy as np
import pytest
import torch

from autodidact.environments.shapes import Shapes
from autodidact.environments.shapes.choices import REVIEW
from autodidact.models.tiny import new_tiny
from autodidact.streams import stream
from autodidact.vision import TinySight, Tower, lessons
from autodidact.vision.tiny import _assemble
from autodidact.vision.tower import Retina

WORLD = Shapes(demonstrations=300)
CHOICES = Shapes.preset("choices", demonstrations=300)
DRAWING = Shapes.preset("drawing", demonstrations=300)


def blank(world, width=192):
    return _assemble(new_tiny(world, 0, TinySight().text), Retina("mlp", width, [7, 7]).eval(), 0)


@pytest.fixture
def policy():
    return blank(WORLD)


def teach(policy, monkeypatch, world=WORLD, **options):
    """Teach, and give every batch in order: the kinds of its prompts."""
    kinds = {}
    texts = world.corpus(stream(0, "demonstrate"))
    for x, y in texts:
        kind = "review" if x.text.endswith(REVIEW) else x.truth.kind
        kinds[tuple(policy.encode(x)), tuple(policy.encode_response(y))] = kind
    batches, loss_of = [], lessons._loss

    def spy(model, rows, weights=None):
        batches.append([kinds[tuple(head), tuple(tail)] for head, tail in rows])
        assert (weights is None) == (batches[-1][0] != "draw")
        return loss_of(model, rows, weights)

    monkeypatch.setattr(lessons, "_loss", spy)
    base = TinySight(**{"steps": 10, "captions": 3, "questions": 5, "tower": Tower(), **options})
    lessons.teach(policy, texts, base, stream(0, "order"))
    return batches


def test_loss_is_the_mean_over_the_tokens_of_the_responses(policy):
    """Against the policy's own log-probabilities, computed without padding on the right."""
    texts = WORLD.corpus(stream(0, "demonstrate"))[:12]
    heads, tails = (policy.encode_prompts([x for x, _ in texts]), policy.encode_responses([y for _, y in texts]))
    loss = lessons._loss(policy, [(heads[x], tail) for (x, _), tail in zip(texts, tails, strict=True)])
    per_token = np.concatenate([policy.logprobs([x], [y])[0] for x, y in texts])
    assert len(per_token) == sum(map(len, tails))  # the end counts
    assert loss.item() == pytest.approx(-per_token.mean(), abs=1e-5)


def test_colours_come_first_and_captions_are_in_every_step(policy, monkeypatch):
    batches = teach(policy, monkeypatch, first=0.3)
    written, asked = batches[::2], batches[1::2]
    assert len(written) == len(asked) == 10
    assert all(batch == ["caption"] * 3 for batch in written)
    assert [len(batch) for batch in asked] == [5] * 10
    assert {kind for batch in asked[:3] for kind in batch} == {"colour"}
    assert {kind for batch in asked[3:] for kind in batch} == {"colour", "count", "there", "where"}


def test_first_turns_of_choices_come_first_and_captions_wait_if_told_to(monkeypatch):
    batches = teach(blank(CHOICES), monkeypatch, CHOICES, first=0.3, alone=True)
    assert batches[:3] == [["choice"] * 5] * 3
    assert batches[3::2] == [["caption"] * 3] * 7
    assert {kind for batch in batches[4::2] for kind in batch} == {"choice", "review"}
    assert teach(blank(CHOICES), monkeypatch, CHOICES, first=0.3)[::2] == [["caption"] * 3] * 10


def test_drawings_are_in_every_step_beside_what_else_there_is(monkeypatch):
    batches = teach(blank(DRAWING, 160), monkeypatch, DRAWING, first=0.3, captions=0, drawings=4)
    assert batches[1::2] == [["draw"] * 4] * 10
    assert {kind for batch in batches[:6:2] for kind in batch} == {"colour"}
    assert {kind for batch in batches[6::2] for kind in batch} == {"colour", "there", "left", "above"}


def test_questions_about_one_thing_come_before_relations(monkeypatch):
    given = {"first": 0.2, "second": 0.6, "captions": 0, "drawings": 0, "questions": 30}
    kinds = [set(batch) for batch in teach(blank(DRAWING, 160), monkeypatch, DRAWING, **given)]
    assert kinds[:2] == [{"colour"}] * 2 and kinds[2:6] == [{"colour", "there"}] * 4
    assert set.union(*kinds[6:]) == {"colour", "there", "left", "above"}


def test_things_weigh_more_in_drawings_than_ground():
    policy = blank(DRAWING, 160)
    texts = [(x, y) for x, y in DRAWING.corpus(stream(0, "demonstrate")) if x.truth.kind == "draw"][:6]
    heads, tails = (policy.encode_prompts([x for x, _ in texts]), policy.encode_responses([y for _, y in texts]))
    rows = [(heads[x], tail) for (x, _), tail in zip(texts, tails, strict=True)]
    loss = lessons._loss(policy, rows, lessons._weights(policy, 5.0))
    per_token = np.concatenate([policy.logprobs([x], [y])[0] for x, y in texts])
    words = [word for _, y in texts for word in [*y.split(), "<eos>"]]
    weights = np.array([5.0 if "-" in word and not word.endswith("-ground") else 1.0 for word in words])
    assert 0 < (weights == 5).mean() < 0.3
    assert loss.item() == pytest.approx(-np.average(per_token, weights=weights), abs=1e-5)
    assert lessons._weights(blank(WORLD), 5.0).unique().tolist() == [1.0]  # no drawings, no such tokens


def test_a_world_without_questions_is_taught_captions_alone(policy, monkeypatch):
    monkeypatch.setattr(Shapes, "corpus", lambda self, rng: [(x, "nothing .") for x in self.prompts(9, rng)])
    assert teach(policy, monkeypatch) == [["caption"] * 3] * 10


def test_rate_rises_and_falls():
    base = TinySight(steps=100, warmup=0.1)
    rates = [lessons._rate(step, base) for step in range(100)]
    assert rates[0] == pytest.approx(0.1) and int(np.argmax(rates)) == 9
    assert rates[50] == pytest.approx(0.5) and rates[99] < 0.001
    assert lessons._rate(0, TinySight(steps=100, warmup=0.0)) == 1.0


def test_teaching_is_that_of_the_seed_and_learns(policy, monkeypatch):
    texts = WORLD.corpus(stream(0, "demonstrate"))
    rows = [(policy.encode(x), policy.encode_response(y)) for x, y in texts[:40]]
    twin, base = policy.copy(), TinySight(steps=12, captions=8, questions=8)
    with torch.no_grad():
        before = lessons._loss(policy, rows).item()
    for one in (policy, twin):
        lessons.teach(one, texts, base, stream(0, "order"))
    weights = [dict(one.model.named_parameters()) for one in (policy, twin)]
    assert all(torch.equal(weights[0][name], weights[1][name]) for name in weights[0])
    with torch.no_grad():
        assert lessons._loss(policy, rows).item() < before - 0.5
    assert not policy.model.training
