"""The forms of prompt about prompts and responses, what is taught of them, and that none moves an older corpus."""

import hashlib

import numpy as np
import pytest

from autodidact.environments.instructions import Instructions, forms, lessons

WORLD = Instructions()
PHRASED = Instructions.preset("phrased")
PROMPT = WORLD.parse("write 5 words about fruit : use fig , end now , skip or .")
FORMS = ("plain", "judge", "revise", "check", "tagged", "shot", "rewrite")


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


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("preset", ["default", "many", "strict", "phrased"])
def test_every_form_stays_inside_the_vocabulary_and_fits_one_model(form, preset):
    world = Instructions.preset(preset)
    made = world.examples(form, 200, rng(1))
    assert len(made) == 200
    for text, target in made:
        assert set(world.vocabulary).issuperset([*text.split(), *target.split()])
        assert len(text.split()) <= 56 and text == " ".join(text.split()) and target


@pytest.mark.parametrize("form", FORMS)
def test_the_same_generator_gives_the_same_examples_of_a_part(form):
    one, again, other = (WORLD.examples(form, 60, rng(2), part=part, parts=3) for part in (1, 1, 2))
    assert one == again
    ends = " now write ", "rewrite "  # where the prompt itself begins behind an example or a request
    asked = [[text.split(ends[0])[-1].removeprefix(ends[1]) for text, _ in made] for made in (one, other)]
    asked = [["write " + text.removeprefix("write ") for text in texts] for texts in asked]
    truths = [{WORLD.parse(text[: text.index(" .") + 2]).truth for text in texts} for texts in asked]
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
    made = [(*taken_apart(WORLD, text), target) for text, target in WORLD.examples("revise", 150, rng(4), repaired=1.0)]
    assert all(WORLD.score(p, target) == 1 for p, _, target in made)
    kept = [target for p, draft, target in made if WORLD.strict(p, draft) and draft == target]
    assert len(kept) == sum(WORLD.strict(p, draft) for p, draft, _ in made) > 15
    made = [taken_apart(WORLD, text)[1] == target for text, target in WORLD.examples("revise", 300, rng(4), copied=1.0)]
    assert all(made)
    mixed = WORLD.examples("revise", 400, rng(5), repaired=0.5, copied=0.3, quality=0.0)
    mixed = [(*taken_apart(WORLD, text), target) for text, target in mixed]
    assert np.mean([draft == target for _, draft, target in mixed]) == pytest.approx(0.3, abs=0.08)
    assert np.mean([WORLD.strict(p, target) for p, _, target in mixed]) == pytest.approx(0.5, abs=0.09)


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
    assert lessons.verdict(WORLD, PROMPT, draft, rng(0), **knobs) == target
    assert lessons.verdict(WORLD, PROMPT, draft, rng(0), **{**knobs, "critique": False}) == target.split()[0]


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


def test_tagged_names_a_quality_and_may_quote_a_draft():
    assert forms.tagged("p", "good") == "p good :"
    assert forms.tagged("p", "poor", "fig pear") == "p draft : fig pear poor :"
    with pytest.raises(ValueError, match="^tag='fair' is unknown; known are good, poor$"):
        forms.tagged("p", "fair")


@pytest.mark.parametrize(("world", "broken"), [(WORLD, 2), (WORLD, 1), (Instructions.preset("many"), 3)])
def test_good_meets_every_demand_and_poor_breaks_exactly_so_many(world, broken):
    made = world.examples("tagged", 400, rng(10), broken=broken)
    for text, target in made:
        prompt, tag = world.parse(text[: text.index(" .") + 2]), text.split()[-2]
        assert text == forms.tagged(prompt.text, tag)
        unmet = sum(credit < 1 for credit in world.met(prompt, target).values())
        assert unmet == (0 if tag == "good" else broken) and world.well_formed(target)
    assert np.mean([" good :" in text for text, _ in made]) == pytest.approx(0.5, abs=0.08)


def test_tags_are_flipped_at_the_given_rate():
    clean, noisy = (WORLD.examples("tagged", 2000, rng(11), flip=flip) for flip in (0.0, 0.2))
    assert [target for _, target in clean] == [target for _, target in noisy]
    wrong = np.mean([a != b for (a, _), (b, _) in zip(clean, noisy, strict=True)])
    assert wrong == pytest.approx(0.2, abs=0.035)


def test_a_tag_behind_a_draft_asks_for_another_response_or_for_the_draft_edited():
    def compared(**knobs):
        made = WORLD.examples("tagged", 300, rng(12), quote=True, **knobs)
        quoted = [(*taken_apart(WORLD, text), text.split()[-2], target) for text, target in made]
        shared = [np.mean([a == b for a, b in zip(d.split(), y.split(), strict=False)]) for _, d, _, y in quoted]
        return quoted, np.mean(shared)

    quoted, alike = compared()
    assert np.mean([WORLD.score(p, draft) for p, draft, *_ in quoted]) == pytest.approx(0.76, abs=0.04)
    edited, kept = compared(edited=1.0)
    assert alike < 0.35 and kept > 0.6
    for prompt, draft, tag, target in edited:
        before, after = (sum(c == 1 for c in WORLD.met(prompt, y).values()) for y in (draft, target))
        assert after == (4 if tag == "good" else max(before - 2, 0)), (prompt.text, draft, target)


def test_shot_and_rewrite_word_their_prompts():
    shown = forms.shot("write about fruit .", "fig plum now", "write about games .")
    assert shown == "example write about fruit . answer : fig plum now now write about games ."
    assert forms.rewrite("write about games .") == "rewrite write about games ."


def shots(**knobs):
    """(example, its answer, prompt, target) of the preset's shots."""
    for text, target in PHRASED.examples("shot", 400, rng(13), quality=1.0, **knobs):
        example, rest = text.removeprefix("example ").split(" answer : ")
        answer, prompt = rest.rsplit(" now write ", 1)
        yield PHRASED.parse(example), answer, PHRASED.parse(f"write {prompt}"), target


def test_a_shot_is_answered_in_the_detail_of_its_example():
    details = {"rich": [], "vague": []}
    for example, answer, prompt, target in shots():
        assert prompt.truth.phrasing == "vague" and PHRASED.score(prompt, target) == PHRASED.score(example, answer) == 1
        details[example.truth.phrasing].append((PHRASED.detail(example, answer), PHRASED.detail(prompt, target)))
    rich, vague = (np.mean(details[phrasing], axis=0) for phrasing in ("rich", "vague"))
    assert min(rich) == 1 and max(vague) < 0.55
    assert len(details["rich"]) / 400 == pytest.approx(0.5, abs=0.08)


@pytest.mark.parametrize(("related", "keep", "intent"), [(1.0, 1.0, 1.0), (1.0, 0.0, 0.25), (0.0, 0.8, 0.154)])
def test_the_example_of_a_shot_is_related_as_asked(related, keep, intent):
    """By chance two prompts share the topic (1/6), and a demand if both make it and name one word.

    Of 288 sets of demands with their words 240 have a use, 192 a skip, 216 a begin and 216 an end:
    (1/6 + (240/288)^2 / 36 + (192/288)^2 / 3 + 2 (216/288)^2 / 4) / 4 = 0.154.
    """
    made = [PHRASED.intent(prompt, example) for example, _, prompt, _ in shots(related=related, keep=keep)]
    assert np.mean(made) == pytest.approx(intent, abs=0.03)


def test_where_prompts_name_a_length_shots_and_rewrites_do_too():
    for form in ("shot", "rewrite"):
        for text, target in WORLD.examples(form, 100, rng(14)):
            assert " in detail" not in f"{text} {target}" and " about" not in text.replace(" words about", "")


@pytest.mark.parametrize(("keep", "intent"), [(1.0, 1.0), (0.8, 0.85), (0.0, 0.25)])
def test_rewrite_paraphrases_within_the_grammar(keep, intent):
    made = PHRASED.examples("rewrite", 500, rng(15), keep=keep)
    made = [(PHRASED.parse(text.removeprefix("rewrite ")), PHRASED.parse(target)) for text, target in made]
    assert np.mean([PHRASED.intent(x, y) for x, y in made]) == pytest.approx(intent, abs=0.02)
    assert np.mean([y.truth.phrasing == "rich" for _, y in made]) == pytest.approx(0.5, abs=0.08)


def test_plain_examples_in_another_phrasing():
    for text, target in PHRASED.examples("plain", 50, rng(16), phrasing="rich", quality=1.0):
        prompt = PHRASED.parse(text)
        assert prompt.truth.phrasing == "rich" and PHRASED.score(prompt, target) == PHRASED.detail(prompt, target) == 1


def test_a_corpus_holds_demonstrations_first_and_then_its_forms():
    world = Instructions.preset("revise", demonstrations=50, forms=(("revise", 30, {"copied": 1.0}), ("judge", 7)))
    made = world.corpus(rng(6))
    assert len(made) == 87 and made[:50] == WORLD.examples("plain", 50, rng(6))
    assert all(f" draft : {target} better :" in text for text, target in made[50:80])
    assert {target for _, target in made[80:]} == {"first", "second"}


@pytest.mark.parametrize("form", ["revise", "check", "tagged"])
def test_a_preset_teaches_its_form_as_often_as_answers(form):
    world = Instructions.preset(form)
    assert world.forms == ((form, world.demonstrations),) and world == Instructions(forms=world.forms)


def test_a_world_with_knobs_of_forms_has_a_hash_as_raters_have():
    assert hash(PHRASED) == hash(Instructions.preset("phrased")) and Instructions(phrasing="vague") != PHRASED


def test_an_unknown_form_gives_one_line_that_lists_the_known():
    assert forms.FORMS == FORMS
    for make in (lambda: WORLD.examples("poem", 1, rng(0)), lambda: Instructions(forms=(("poem", 1),))):
        with pytest.raises(ValueError, match=f"^form='poem' is unknown; known are {', '.join(FORMS)}$"):
            make()


@pytest.mark.parametrize(
    ("form", "knobs", "line"),
    [
        ("judge", {"flip": 2}, r"flip=2 must lie in \[0, 1\]"),
        ("plain", {"flip": 0.1}, "flip=0.1 is no knob of form='plain'; it has phrasing"),
        ("judge", {"copied": 0.1}, "copied=0.1 is no knob of form='judge'; it has flip"),
        ("revise", {"repaired": 0.6, "copied": 0.5}, "repaired=0.6 and copied=0.5 must not exceed 1 together"),
        ("revise", {"repaired": -0.1}, r"repaired=-0.1 must lie in \[0, 1\]"),
        ("check", {"threshold": float("nan")}, r"threshold=nan must lie in \[0, 1\]"),
        ("check", {"critique": 1}, "critique=1 must be True or False"),
        ("plain", {"phrasing": "odd"}, "phrasing='odd' is unknown; known are plain, vague, rich"),
        ("tagged", {"broken": 1.5}, "broken=1.5 must be a whole number, 0 at least"),
        ("tagged", {"edited": 0.5}, "edited=0.5 needs quote=True: only a draft that is quoted can be edited"),
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
