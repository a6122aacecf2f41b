"""Prompts about prompts and responses, all inside the vocabulary.

Built: `plain` (the prompt itself), `judge`, `revise` and `check`. Not built yet: tagged, shot, rewrite; their words are
in the vocabulary from the start, so that a form added later changes no base model.
"""

from typing import Any

# Form -> what can be set of its examples, with the defaults: see `Instructions.examples`.
KNOBS: dict[str, dict[str, Any]] = {
    "plain": {},
    "judge": {"flip": 0.0},
    "revise": {"repaired": 0.0, "copied": 0.0},
    "check": {"flip": 0.0, "threshold": 0.72, "critique": True},
}
FORMS = tuple(KNOBS)
NOT_BUILT = ("tagged", "shot", "rewrite")


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


def check_form(form: str) -> None:
    """ValueError for a form that is unknown or not built yet."""
    if form not in FORMS:
        later = " (planned, not built)" if form in NOT_BUILT else ""
        raise ValueError(f"form={form!r}{later} is unknown; known are {', '.join(FORMS)}")


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
    return knobs


def _check_value(name: str, value: Any, default: Any) -> None:
    """ValueError for a value that does not fit a knob with this default: a switch or a share."""
    if isinstance(default, bool):
        if not isinstance(value, bool):
            raise ValueError(f"{name}={value!r} must be True or False")
    elif not 0 <= value <= 1:
        raise ValueError(f"{name}={value} must lie in [0, 1]")


def judged(prompt: str, a: str, b: str, gap: float, wrong: bool) -> list[tuple[str, str]]:
    """Both orders of a pair with their labels, by the gap of their scores, a's less b's; nothing for a tie."""
    if not gap:
        return []
    labels = ("first", "second") if (gap > 0) != wrong else ("second", "first")
    return list(zip(judge_both(prompt, a, b), labels, strict=True))
