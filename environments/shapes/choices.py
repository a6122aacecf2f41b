"""Questions with four options, answers that reason first, and second turns that review a first answer.

An answer says what it sees of the thing asked for, its option and the letter, and marks the letter: `i see a blue star
. so blue B # B #`. A tiny model learns to find the letter of an option that stands right before it; of a caption of the
whole picture the letter would be one word in thirty, among the colours of other things, and stay a guess.
"""

import re
from collections.abc import Sequence

import numpy as np

from autodidact.environments.shapes.knobs import Knobs
from autodidact.environments.shapes.prompts import Prompt, Truth
from autodidact.environments.shapes.questions import POOLS, draw_question
from autodidact.environments.shapes.scenes import Scene

LETTERS = ("A", "B", "C", "D")
REVIEW = "review : find problems in your answer , then improve it ."
FIRST_RIGHT = 0.5  # share of right first answers in demonstrated reviews, so that both kinds are reviewed often
_WORDS = f"options i see so # {REVIEW}"
WORDS = (*LETTERS, *_WORDS.split())
_OPTION = re.compile(r"\b([A-D]) ([a-z]+(?: [a-z]+)?)(?= [,.])")
_MARKED = re.compile(r"#+\s*([A-D])\b[^#]*#")
_LOOSE = re.compile(r"\b([A-D])\s*\.")


def pose(knobs: Knobs, scene: Scene, picture: np.ndarray, rng: np.random.Generator) -> Prompt | None:
    """`what colour is the star ? options A red , B blue , C green , D purple .`, None where the scene admits none.

    Kinds evenly those of `choice_kinds`; the right letter and the wrong options are uniform.
    """
    kind = knobs.choice_kinds[int(rng.integers(len(knobs.choice_kinds)))]
    asked = draw_question(scene, rng, kind, shapes=knobs.shapes, companions=knobs.companions)
    if asked is None:
        return None
    text, right, about = asked
    wrong = [option for option in POOLS[kind] if option != right]
    options = [right, *(wrong[i] for i in rng.permutation(len(wrong))[: len(LETTERS) - 1])]
    shown = rng.permutation(len(LETTERS))
    listed = " , ".join(f"{letter} {options[i]}" for letter, i in zip(LETTERS, shown, strict=True))
    answer = LETTERS[int(np.flatnonzero(shown == 0)[0])]
    return Prompt(f"{text} options {listed} .", picture, Truth(scene, "choice", answer, about))


def parse_choice(text: str) -> str | None:
    """The letter between ## marks, else one before a full stop, the first of several; else None. Never raises."""
    found = _MARKED.search(str(text)) or _LOOSE.search(str(text))
    return found[1] if found else None


def options_of(text: str) -> dict[str, str]:
    """What a choice offers, letter to option; {} for a text that offers nothing."""
    return dict(_OPTION.findall(text.rpartition(" options ")[2]))


def respond(prompt: Prompt, letter: str) -> str:
    """The answer for which a letter stands, right or wrong.

    `i see a blue star . so blue B # B #`, `i see two ring . so two C # C #`, `i see a red star at top left . so ...`.
    """
    option = options_of(prompt.text)[letter]
    match prompt.text.split():
        case ["what", _, _, _, shape, *_]:
            seen = f"a {option} {shape}"
        case ["how", _, shape, *_]:
            seen = f"{option} {shape}"
        case ["where", _, _, colour, shape, *_]:
            seen = f"a {colour} {shape} at {option}"
    return f"i see {seen} . so {option} {letter} # {letter} #"


def demonstrate(knobs: Knobs, prompt: Prompt, rng: np.random.Generator) -> str:
    """A first answer: right, save for a share `guess_noise` that picks any letter."""
    guesses = rng.random() < knobs.guess_noise
    return respond(prompt, LETTERS[int(rng.integers(len(LETTERS)))] if guesses else prompt.truth.answer)


def ask_review(prompt: Prompt, first: str) -> Prompt:
    """The second turn: the whole dialogue so far and the request to review."""
    return prompt.ask(f"{prompt.text} {first} {REVIEW}")


def review(prompt: Prompt, first: str, rng: np.random.Generator, p_keep_right: float, p_fix_wrong: float) -> str:
    """A demonstrated second answer to a choice, of the same form as the first.

    A right first answer is kept with probability `p_keep_right`, else any wrong letter takes its place; a wrong or
    unreadable one is put right with probability `p_fix_wrong`, else any wrong letter comes, the old one included.
    Raises ValueError for a prompt of another kind and for what is no probability.
    """
    _must_be_choice(prompt)
    for name, value in (("p_keep_right", p_keep_right), ("p_fix_wrong", p_fix_wrong)):
        if not 0 <= value <= 1:
            raise ValueError(f"{name}={value} is a probability and must lie in [0, 1]")
    right = prompt.truth.answer
    p_right = p_keep_right if parse_choice(first) == right else p_fix_wrong
    return respond(prompt, _letter(right, p_right, rng))


def lesson(knobs: Knobs, prompt: Prompt, rng: np.random.Generator) -> tuple[Prompt, str]:
    """A demonstration for the corpus: a first answer, or, in a share `review_share`, the review of one."""
    if rng.random() >= knobs.review_share:
        return prompt, demonstrate(knobs, prompt, rng)
    first = respond(prompt, _letter(prompt.truth.answer, FIRST_RIGHT, rng))
    return ask_review(prompt, first), review(prompt, first, rng, knobs.review_keep, knobs.review_fix)


def type_table(first: Sequence[str | None], second: Sequence[str | None], truth: Sequence[str]) -> np.ndarray:
    """Counts, int (2, 2), of [[right to right, right to wrong], [wrong to right, wrong to wrong]].

    first, second: letters, None where unreadable, which is wrong; truth: right letters. Source: types 1, 3, 2, 4 of
    SCL (arXiv 2410.04055). Raises ValueError if the three differ in length.
    """
    if not len(first) == len(second) == len(truth):
        raise ValueError(f"first, second and truth differ in length: {len(first)}, {len(second)}, {len(truth)}")
    table = np.zeros((2, 2), int)
    for before, after, right in zip(first, second, truth, strict=True):
        table[int(before != right), int(after != right)] += 1
    return table


def _letter(right: str, p_right: float, rng: np.random.Generator) -> str:
    if rng.random() < p_right:
        return right
    wrong = [letter for letter in LETTERS if letter != right]
    return wrong[int(rng.integers(len(wrong)))]


def _must_be_choice(prompt: Prompt) -> None:
    if prompt.truth.kind != "choice":
        raise ValueError(f"prompt={prompt.text!r} is no choice; its kind is {prompt.truth.kind!r}")
