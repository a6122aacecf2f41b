"""Prompts about prompts and responses, all inside the vocabulary.

Built: `plain` (the prompt itself) and `judge`. Not built yet: revise, tagged, check, shot, rewrite; their words are in
the vocabulary from the start, so that a form added later changes no base model.
"""

FORMS = ("plain", "judge")
NOT_BUILT = ("revise", "tagged", "check", "shot", "rewrite")


def judge(prompt: str, first: str, second: str) -> str:
    """Ask which of two responses is better; the target is `first` or `second`."""
    return f"{prompt} first : {first} second : {second} which ?"


def judge_both(prompt: str, a: str, b: str) -> tuple[str, str]:
    """The judge's question in both orders: (a first, b first). The mean over both takes a slot bias out."""
    return judge(prompt, a, b), judge(prompt, b, a)


def check_form(form: str) -> None:
    """ValueError for a form that is unknown or not built yet."""
    if form not in FORMS:
        later = " (planned, not built)" if form in NOT_BUILT else ""
        raise ValueError(f"form={form!r}{later} is unknown; known are {', '.join(FORMS)}")


def judged(prompt: str, a: str, b: str, gap: float, wrong: bool) -> list[tuple[str, str]]:
    """Both orders of a pair with their labels, by the gap of their scores, a's less b's; nothing for a tie."""
    if not gap:
        return []
    labels = ("first", "second") if (gap > 0) != wrong else ("second", "first")
    return list(zip(judge_both(prompt, a, b), labels, strict=True))
