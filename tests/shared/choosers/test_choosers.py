"""Choosers: the tiny transformer alone and side by side, what it learns, and a language model behind the same door."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from autodidact.choosers import Lesson, Teaching, TinyChooser, TinySize, load_chooser, teach
from autodidact.choosers.tiny import forward
from autodidact.decision_weights import pooled_r
from autodidact.environments import load_world
from autodidact.environments.choices import SYSTEM
from autodidact.training import Diverged

WORLD = load_world("choices/default").cut(4, 2)
SIZE = TinySize(layers=1, width=8, heads=2, expansion=1)


def rng(*seed):
    return np.random.default_rng(seed)


def lesson(seed, choices=200, reports=40):
    weights = WORLD.weights(rng(seed))
    asked = WORLD.decisions(np.arange(4), choices, rng(seed, 1))[np.arange(choices)]
    shown = WORLD.decisions(np.arange(4), reports, rng(seed, 2))[np.arange(reports)]
    return Lesson(asked, WORLD.choose(weights, asked), shown, weights[shown.context])


def test_forward_is_the_plain_transformer_written_token_by_token():
    """One chooser, one decision, no batch: every layer again with matrices and loops."""
    chooser = TinyChooser.fresh(WORLD, rng(1), SIZE)
    p = {k: v.double() for k, v in chooser.parameters.items()}
    values = torch.tensor(rng(2).uniform(-1, 1, (5, 2)))
    x = torch.cat([p["task"][1:], p["context"][3:4], p["attribute"] + values @ p["value"]])

    def norm(rows):
        centred = rows - rows.mean(-1, keepdim=True)
        return centred / (centred.square().mean(-1, keepdim=True) + 1e-5).sqrt()

    qkv = (norm(x) @ p["qkv0"]).reshape(7, 3, 2, 4)
    mixed = torch.zeros(7, 2, 4, dtype=torch.float64)
    for head in range(2):
        q, k, v = (qkv[:, i, head] for i in range(3))
        mixed[:, head] = torch.softmax(q @ k.T / 4**0.5, dim=-1) @ v
    x = x + mixed.reshape(7, 8) @ p["out0"]
    gate, up = (norm(x) @ p["up0"]).split(8, dim=-1)
    x = norm(x + (gate * torch.sigmoid(gate) * up) @ p["down0"])
    one = {k: v[None] for k, v in p.items()}
    index = torch.tensor([[1]]), torch.tensor([[3]])
    logits, reports = forward(one, *index, values[None, None], SIZE)
    assert torch.allclose(logits[0, 0], (x[0] @ p["choice"])[0])
    assert torch.allclose(reports[0, 0], (x[2:] @ p["report"])[:, 0])


def test_side_by_side_is_one_after_the_other():
    choosers, lessons = [TinyChooser.fresh(WORLD, rng(i), SIZE) for i in (3, 4)], [lesson(i) for i in (5, 6)]
    teaching = Teaching(6, 16, 1e-2, "cosine", 0.5)
    together = teach(choosers, lessons, teaching, rng(7))
    for i in range(2):
        (alone,) = teach(choosers[i : i + 1], lessons[i : i + 1], teaching, rng(7))
        for name, value in alone.parameters.items():
            assert torch.allclose(value, together[i].parameters[name], atol=1e-5), name


def test_a_step_moves_every_weight_against_its_gradient_and_leaves_the_teacher_alone():
    chooser, one = TinyChooser.fresh(WORLD, rng(8), SIZE), lesson(9, 16, 16)
    before = {k: v.clone() for k, v in chooser.parameters.items()}
    (after,) = teach([chooser], [one], Teaching(1, 64, 1e-3), rng(10))
    assert all(torch.equal(before[k], v) for k, v in chooser.parameters.items())
    moved = {k: not torch.equal(before[k], v) for k, v in after.parameters.items()}
    assert all(moved.values()), moved
    (only,) = teach([chooser], [lesson(9, 16, 0)], Teaching(1, 64, 1e-3), rng(10))
    assert torch.equal(only.parameters["report"], before["report"])  # a lesson without reports teaches none


def test_the_loss_falls_and_a_chooser_learns_choices_and_reports():
    weights = WORLD.weights(rng(11))
    asked, shown = (WORLD.decisions(np.arange(4), n, rng(12, n)) for n in (300, 50))
    one = Lesson(asked, WORLD.choose(weights, asked), shown, weights[shown.context])
    (taught,) = teach([TinyChooser.fresh(WORLD, rng(13))], [one], Teaching(250, 64, 6e-3), rng(14))
    fresh = WORLD.decisions(np.arange(4), 200, rng(15))
    assert (taught.choose(fresh) == WORLD.choose(weights, fresh)).mean() > 0.8
    assert pooled_r(taught.report(fresh), weights[fresh.context]) > 0.9


def test_warm_up_and_cosine_scale_the_steps():
    chooser, one = TinyChooser.fresh(WORLD, rng(16), SIZE), lesson(17, 16, 16)

    def move(teaching):
        (after,) = teach([chooser], [one], teaching, rng(18))
        return float((after.parameters["choice"] - chooser.parameters["choice"]).abs().max())

    full = move(Teaching(1, 8, 1e-3))
    assert move(Teaching(1, 8, 2e-3)) == pytest.approx(2 * full, rel=0.02)
    assert move(Teaching(2, 8, 1e-3, "cosine", 1.0)) < 1.6 * full < move(Teaching(2, 8, 1e-3)) * 0.85


@pytest.mark.parametrize("steps", [1, 5])
def test_a_teaching_that_diverges_says_so(steps):
    chooser = TinyChooser.fresh(WORLD, rng(13))
    with pytest.raises(Diverged, match=r"step \d: (loss is|the weights \w+ are not finite)"):
        teach([chooser], [lesson(9, 16, 4)], Teaching(steps, 8, 1e39), rng(10))
    assert all(weight.isfinite().all() for weight in chooser.parameters.values())


def test_bad_lessons_and_teachings_are_named():
    one = lesson(19, 8, 8)
    with pytest.raises(ValueError, match="chose_a has 3 rows, must have 8"):
        Lesson(one.choices, one.chose_a[:3], one.reports, one.weights)
    with pytest.raises(ValueError, match="teaches nothing"):
        Lesson(one.choices[:0], one.chose_a[:0], one.reports[:0], one.weights[:0])
    for field, value, words in (
        ("steps", 0, "steps=0 must be at least 1"),
        ("schedule", "odd", "schedule='odd' must be"),
        ("warmup", 2.0, "warmup=2.0 is a share"),
    ):
        with pytest.raises(ValueError, match=words):
            Teaching(**{"steps": 1, "batch_size": 1, "learning_rate": 1.0, field: value})
    chooser = TinyChooser.fresh(WORLD, rng(20), SIZE)
    with pytest.raises(ValueError, match="lessons must be of one length"):
        teach([chooser] * 2, [one, lesson(19, 7, 8)], Teaching(1, 1, 1.0), rng(0))
    with pytest.raises(ValueError, match="must be as many, one or more: 1 and 0"):
        teach([chooser], [], Teaching(1, 1, 1.0), rng(0))


@pytest.fixture(scope="module")
def language(checkpoint):
    return load_chooser(str(checkpoint), WORLD, rng(0), report_tokens=6)


def test_a_language_model_is_asked_with_the_authors_system_message(language):
    ids = language.policy.encode("Which?")
    assert SYSTEM in language.policy.decode(ids) and "Which?" in language.policy.decode(ids)


def test_a_language_model_learns_its_letter_and_answers_nan_for_anything_else(language):
    asked = WORLD.decisions(np.arange(2), 2, rng(21))
    assert np.isnan(language.report(asked)).all()
    none = asked[:0]
    one = Lesson(asked, np.ones(len(asked)), none, np.zeros((0, 5)))
    teaching = Teaching(15, 4, 1e-2)
    (taught,) = teach([language], [one], teaching, rng(22), lora_rank=None)
    assert (taught.choose(asked) == 1).all()
    both = Lesson(none, np.zeros(0), asked, np.zeros((len(asked), 5)))
    (again,) = teach([taught], [both], Teaching(1, 4, 1e-3), rng(23), lora_rank=2, gradient_accumulation=2)
    assert hasattr(again.policy.model, "peft_config") and not hasattr(taught.policy.model, "peft_config")


def test_the_cross_entropy_of_the_choice_is_what_is_minimised():
    """One plain gradient step of torch on a chooser of its own gives the direction of the first step of Adam."""
    chooser, one = TinyChooser.fresh(WORLD, rng(24), SIZE), lesson(25, 1, 1)
    (after,) = teach([chooser], [one], Teaching(1, 1, 1e-4), rng(26))
    p = {k: v.clone()[None].requires_grad_() for k, v in chooser.parameters.items()}

    def inputs(decisions):
        values = 2 * torch.tensor(WORLD.features(decisions), dtype=torch.float32).transpose(1, 2) - 1
        return torch.tensor(decisions.context)[None], values[None]

    (c, v), (c2, v2) = inputs(one.choices), inputs(one.reports)
    logits, _ = forward(p, torch.zeros_like(c), c, v, SIZE)
    _, reports = forward(p, torch.ones_like(c2), c2, v2, SIZE)
    loss = F.softplus(-logits if one.chose_a[0] else logits).sum()
    loss = loss + (reports - torch.tensor(one.weights / 100)).square().mean()
    loss.backward()
    for name, tensor in p.items():
        moved = after.parameters[name] - chooser.parameters[name]
        large = tensor.grad[0].abs() > 1e-5
        assert (torch.sign(moved[large]) == -torch.sign(tensor.grad[0][large])).all(), name


def test_watching_tiny_choosers_shows_them_as_they_are_and_changes_nothing():
    choosers, lessons = [TinyChooser.fresh(WORLD, rng(i), SIZE) for i in (3, 4)], [lesson(i) for i in (5, 6)]
    seen = {}
    teaching = Teaching(6, 16, 1e-2)
    watched = teach(
        choosers, lessons, teaching, rng(7), watch=lambda *at: seen.update({at[:2]: at[2].parameters}), at=(2, 6)
    )
    unwatched, shorter = (teach(choosers, lessons, Teaching(n, 16, 1e-2), rng(7)) for n in (6, 2))
    assert set(seen) == {(0, 2), (1, 2), (0, 6), (1, 6)}
    for place in range(2):
        for name, value in unwatched[place].parameters.items():
            assert torch.equal(value, watched[place].parameters[name])
            assert torch.equal(value, seen[place, 6][name])
            assert torch.equal(shorter[place].parameters[name], seen[place, 2][name])
    for at in ((0,), (7,)):
        with pytest.raises(ValueError, match="must be steps of the teaching, 1 to 6"):
            teach(choosers, lessons, teaching, rng(7), watch=print, at=at)


def test_watching_a_language_model_shows_it_on_its_way_and_changes_nothing(language):
    asked, seen = WORLD.decisions(np.arange(2), 2, rng(21)), []
    one = Lesson(asked, np.ones(len(asked)), asked[:0], np.zeros((0, 5)))

    def look(place, step, chooser):
        assert not chooser.policy.model.training
        seen.append((place, step, chooser.policy.logprobs(["Which?"], ["A"])[0]))

    for rank in (None, 2):
        seen.clear()
        how = {"lora_rank": rank}
        (watched,) = teach([language], [one], Teaching(4, 2, 1e-2), rng(22), watch=look, at=(1, 4), **how)
        (alone,) = teach([language], [one], Teaching(4, 2, 1e-2), rng(22), **how)
        after = [chooser.policy.logprobs(["Which?"], ["A"])[0] for chooser in (watched, alone)]
        assert [at[:2] for at in seen] == [(0, 1), (0, 4)]
        assert np.allclose(after[0], after[1]) and np.allclose(after[0], seen[1][2])
        assert not np.allclose(seen[0][2], seen[1][2])
