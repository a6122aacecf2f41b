"""Prompts about prompts and responses, all inside the vocabulary, whose words are the same with and without them."""

from typing import Any

from autodidact.environments.instructions.prompts import PHRASINGS

# Form -> what can be set of its examples, with the defaults: see `Instructions.examples`.
KNOBS: dict[str, dict[str, Any]] = {
    "plain": {"phrasing": ""},
    "judge": {"flip": 0.0},
    "revise": {"repaired": 0.0, "copied": 0.0},
    "check": {"flip": 0.0, "threshold": 0.72, "critique": True},
    "tagged": {"flip": 0.0, "broken": 2, "quote": False, "edited": 0.0},
    "shot": {"related": 0.5, "keep": 0.8, "rich": 0.5},
    "rewrite": {"keep": 0.8, "rich": 0.5},
}
FORMS = tuple(KNOBS)
TAGS = ("good", "poor")


def judge(prompt: str, first: str, second: str) -> str:
    """Ask which of two responses is better; the target is `first` or `second`."""
    return f"{prompt} first : {first} second : {second} which ?"


def judge_both(prompt: str, a: str, b: str) -> tuple[str, str]:
    """The judge's question in both orders: (a first, b first). The mean over both takes a slot bias out."""
    return judge(prompt, a, b), judge(prompt, b, a)


def revise(prompt: str, draft: str) -> str:
    """Ask for a better response than the draft; the target is a response."""
    return f"{prompt} draft : {draft} better :"


def check(prompt: str, draft: str) -> str:
    """Ask whether the draft is good; the target is `good` or `poor`, then the keywords of the demands not met."""
    return f"{prompt} draft : {draft} check :"


def tagged(prompt: str, tag: str, draft: str | None = None) -> str:
    """Ask for a response of a quality, `good` or `poor`, in place of a draft if one is quoted; ValueError otherwise."""
    if tag not in TAGS:
        raise ValueError(f"tag={tag!r} is unknown; known are {', '.join(TAGS)}")
    return f"{prompt} {tag} :" if draft is None else f"{prompt} draft : {draft} {tag} :"


def shot(example: str, answer: str, prompt: str) -> str:
    """Show another prompt with its answer, then ask; the target is a response."""
    return f"example {example} answer : {answer} now {prompt}"


def rewrite(prompt: str) -> str:
    """Ask for the prompt in other words; the target is a prompt's text."""
    return f"rewrite {prompt}"


def check_form(form: str) -> None:
    """ValueError for a form that is unknown."""
    if form not in FORMS:
        raise ValueError(f"form={form!r} is unknown; known are {', '.join(FORMS)}")


def knobs_of(form: str, given: dict[str, Any]) -> dict[str, Any]:
    """All knobs of a form, those given over the defaults. ValueError for an unknown form or knob, or a bad value."""
    check_form(form)
    known = KNOBS[form]
    for name, value in given.items():
        if name not in known:
            raise ValueError(f"{name}={value!r} is no knob of form={form!r}; it has {', '.join(known) or 'none'}")
        _check_value(name, value, known[name])
    knobs = {**known, **given}
    if knobs.get("repaired", 0) + knobs.get("copied", 0) > 1:
        raise ValueError(f"repaired={knobs['repaired']} and copied={knobs['copied']} must not exceed 1 together")
    if knobs.get("edited", 0) and not knobs["quote"]:
        raise ValueError(f"edited={knobs['edited']} needs quote=True: only a draft that is quoted can be edited")
    return knobs


def _check_value(name: str, value: Any, default: Any) -> None:
    """ValueError for a value that does not fit a knob with this default: phrasing, switch, number or share."""
    if isinstance(default, str):
        if value not in ("", *PHRASINGS):
            raise ValueError(f"{name}={value!r} is unknown; known are {', '.join(PHRASINGS)}")
        return
    if isinstance(default, bool):
        if not isinstance(value, bool):
            raise ValueError(f"{name}={value!r} must be True or False")
    elif isinstance(default, int):
        if not isinstance(value, int) or value < 0:
            raise ValueError(f"{name}={value!r} must be a whole number, 0 at least")
    elif not 0 <= value <= 1:
        raise ValueError(f"{name}={value} must lie in [0, 1]")


def judged(prompt: str, a: str, b: str, gap: float, wrong: bool) -> list[tuple[str, str]]:
    """Both orders of a pair with their labels, by the gap of their scores, a's less b's; nothing for a tie."""
    if not gap:
        return []
    labels = ("first", "second") if (gap > 0) != wrong else ("second", "first")
    return list(zip(judge_both(prompt, a, b), labels, strict=True))
