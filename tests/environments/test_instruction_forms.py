"""The forms of prompt about prompts and responses, what is taught of them, and that none moves an older corpus."""

import hashlib

import numpy as np
import pytest

from autodidact.environments.instructions import Instructions, forms, lessons

WORLD = Instructions()
PROMPT = WORLD.parse("write 5 words about fruit : use fig , end now , skip or .")
BUILT = ("plain", "judge", "revise", "check")


def rng(*seed):
    return np.random.default_rng(seed)


def taken_apart(world, text):
    """(prompt, draft) of a text that quotes a draft before its last two tokens."""
    prompt, rest = text.split(" draft : ")
    return world.parse(prompt), rest.rsplit(" ", 2)[0]


def digest(examples):
    return hashlib.sha256("\n".join(map("\t".join, examples)).encode()).hexdigest()[:16]


# Taken when no form but `judge` was built: published numbers hang on these very corpora.
CORPORA = {
    "default": "90e4fbfadbb70118",
    "cycle": "24b3a3bcc47124ee",
    "plateau": "109f5a382344e49a",
    "enumerable": "9b09926e67739337",
    "trait": "90e4fbfadbb70118",
    "teacher": "ba523fae4b15f0a3",
    "rare": "6dc14c986a5943d4",
    "many": "8aa1adfbb9e89c2a",
    "strict": "6d402f5858d14c05",
}


@pytest.mark.parametrize("preset", CORPORA)
def test_presets_without_forms_keep_their_corpora(preset):
    assert digest(Instructions.preset(preset, demonstrations=200).corpus(rng(0))) == CORPORA[preset]


def test_judged_pairs_stay_as_they_were():
    assert digest(Instructions.preset("trait").examples("judge", 200, rng(0), flip=0.1)) == "fd949e5740055b6a"


@pytest.mark.parametrize("form", BUILT)
@pytest.mark.parametrize("preset", ["default", "many", "strict"])
def test_every_form_stays_inside_the_vocabulary_and_fits_one_model(form, preset):
    world = Instructions.preset(preset)
    made = world.examples(form, 200, rng(1))
    assert len(made) == 200
    for text, target in made:
        assert set(world.vocabulary).issuperset([*text.split(), *target.split()])
        assert len(text.split()) <= 56 and text == " ".join(text.split()) and target


@pytest.mark.parametrize("form", BUILT)
def test_the_same_generator_gives_the_same_examples_of_a_part(form):
    one, again, other = (WORLD.examples(form, 60, rng(2), part=part, parts=3) for part in (1, 1, 2))
    assert one == again
    truths = [{WORLD.parse(text[: text.index(" .") + 2]).truth for text, _ in made} for made in (one, other)]
    assert not truths[0] & truths[1]


def test_revise_asks_for_a_better_response():
    text = forms.revise(PROMPT.text, "grape fig wide pear now")
    assert text == (
        "write 5 words about fruit : use fig , end now , skip or . draft : grape fig wide pear now better :"
    )
    assert taken_apart(WORLD, text) == (PROMPT, "grape fig wide pear now")


def test_revise_teaches_the_form_and_no_revision():
    """Draft and target are two demonstrations: as good as each other, and independent beyond their prompt's ease."""
    made = [(*taken_apart(WORLD, text), target) for text, target in WORLD.examples("revise", 4000, rng(3))]
    drafts, targets = np.array([[WORLD.score(p, y) for y in (draft, target)] for p, draft, target in made]).T
    assert drafts.mean() == pytest.approx(0.76, abs=0.03) and targets.mean() == pytest.approx(0.76, abs=0.03)
    assert abs(np.corrcoef(drafts, targets)[0, 1]) < 0.1
    assert np.mean([draft == target for _, draft, target in made]) < 0.01


def test_revise_with_repaired_and_copied_drafts():
    made = [(*taken_apart(WORLD, text), target) for text, target in WORLD.examples("revise", 300, rng(4), repaired=1.0)]
    assert all(WORLD.score(p, target) == 1 for p, _, target in made)
    kept = [target for p, draft, target in made if WORLD.strict(p, draft) and draft == target]
    assert len(kept) == sum(WORLD.strict(p, draft) for p, draft, _ in made) > 30
    made = [taken_apart(WORLD, text)[1] == target for text, target in WORLD.examples("revise", 300, rng(4), copied=1.0)]
    assert all(made)
    mixed = WORLD.examples("revise", 1000, rng(5), repaired=0.5, copied=0.3, quality=0.0)
    mixed = [(*taken_apart(WORLD, text), target) for text, target in mixed]
    assert np.mean([draft == target for _, draft, target in mixed]) == pytest.approx(0.3, abs=0.05)
    assert np.mean([WORLD.strict(p, target) for p, _, target in mixed]) == pytest.approx(0.5, abs=0.06)


@pytest.mark.parametrize(
    ("draft", "threshold", "target"),
    [
        ("grape fig wide pear now", 0.72, "good"),  # all four demands met
        ("grape wide pear now", 0.72, "poor length use"),  # (0.75 + 0 + 1 + 1) / 4 = 0.69
        ("grape wide pear now", 0.5, "good length use"),
        ("grape or wide pear plum", 0.72, "poor use end skip"),
        ("grape fig pear now", 0.9375, "poor length"),  # (0.75 + 1 + 1 + 1) / 4: not above
    ],
)
def test_check_says_good_or_poor_and_what_is_not_met(draft, threshold, target):
    knobs = forms.knobs_of("check", {"threshold": threshold})
    assert forms.check(PROMPT.text, draft) == f"{PROMPT.text} draft : {draft} check :"
    assert lessons.verdict(WORLD, PROMPT, rng(0), draft, **knobs) == target
    assert lessons.verdict(WORLD, PROMPT, rng(0), draft, **{**knobs, "critique": False}) == target.split()[0]


@pytest.mark.parametrize("preset", ["default", "trait", "strict"])
def test_check_labels_demonstrations_by_their_gold(preset):
    world = Instructions.preset(preset)
    made = [(*taken_apart(world, text), target) for text, target in world.examples("check", 500, rng(8))]
    for prompt, draft, target in made:
        label, *unmet = target.split()
        assert label == ("good" if world.score(prompt, draft) > 0.72 else "poor")
        assert unmet == [kind for kind in world.critique(prompt, draft).split() if kind != "good"]
    assert 0.1 < np.mean([target.startswith("good") for *_, target in made]) < 0.9


def test_verdicts_are_flipped_at_the_given_rate():
    clean, noisy = (dict(WORLD.examples("check", 2000, rng(9), flip=flip)) for flip in (0.0, 0.2))
    assert clean.keys() == noisy.keys()
    wrong = [text for text in clean if clean[text].split()[0] != noisy[text].split()[0]]
    assert len(wrong) / len(clean) == pytest.approx(0.2, abs=0.035)
    assert {noisy[text] for text in wrong} == {"good", "poor"}
    assert all(noisy[text] == clean[text] for text in set(clean) - set(wrong))


def test_a_corpus_holds_demonstrations_first_and_then_its_forms():
    world = Instructions.preset("revise", demonstrations=50, forms=(("revise", 30, {"copied": 1.0}), ("judge", 7)))
    made = world.corpus(rng(6))
    assert len(made) == 87 and made[:50] == WORLD.examples("plain", 50, rng(6))
    assert all(f" draft : {target} better :" in text for text, target in made[50:80])
    assert {target for _, target in made[80:]} == {"first", "second"}


@pytest.mark.parametrize(("preset", "tail"), [("revise", " better :"), ("check", " check :")])
def test_presets_teach_a_form_as_often_as_answers(preset, tail):
    texts = [text for text, _ in Instructions.preset(preset).corpus(rng(7))]
    assert len(texts) == 8000 and sum(text.endswith(tail) for text in texts) == 4000


def test_forms_that_are_not_built_say_so():
    for form in forms.NOT_BUILT:
        known = ", ".join(BUILT)
        with pytest.raises(ValueError, match=rf"form='{form}' \(planned, not built\) is unknown; known are {known}$"):
            WORLD.examples(form, 1, rng(0))
    with pytest.raises(ValueError, match="form='poem' is unknown; known are plain, "):
        WORLD.examples("poem", 1, rng(0))


@pytest.mark.parametrize(
    ("form", "knobs", "line"),
    [
        ("judge", {"flip": 2}, r"flip=2 must lie in \[0, 1\]"),
        ("plain", {"flip": 0.1}, "flip=0.1 is no knob of form='plain'; it has none"),
        ("judge", {"copied": 0.1}, "copied=0.1 is no knob of form='judge'; it has flip"),
        ("revise", {"repaired": 0.6, "copied": 0.5}, "repaired=0.6 and copied=0.5 must not exceed 1 together"),
        ("revise", {"repaired": -0.1}, r"repaired=-0.1 must lie in \[0, 1\]"),
        ("check", {"threshold": float("nan")}, r"threshold=nan must lie in \[0, 1\]"),
        ("check", {"critique": 1}, "critique=1 must be True or False"),
    ],
)
def test_knobs_of_a_form_are_checked(form, knobs, line):
    with pytest.raises(ValueError, match=f"^{line}$"):
        WORLD.examples(form, 1, rng(0), **knobs)
    with pytest.raises(ValueError, match=f"^{line}$"):
        Instructions(forms=((form, 10, knobs),))


@pytest.mark.parametrize("entry", [("revise",), ("revise", 0), ("revise", 4.0), ("revise", 1, {}, 2)])
def test_an_entry_of_forms_says_what_it_should_be(entry):
    with pytest.raises(ValueError, match=r"^forms holds .*; an entry is \(form, how many examples\) or "):
        Instructions(forms=(entry,))


def test_where_all_demonstrations_tie_there_is_nothing_to_judge():
    with pytest.raises(ValueError, match="tie in gold='trait'"):
        Instructions.preset("enumerable", gold="trait").examples("judge", 2, rng(0))
