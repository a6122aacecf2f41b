"""The same interface over IFEval's real prompts, checked by its public checkers."""

import hashlib
from collections import Counter
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np

from environments.instructions.prompts import check_split
from environments.mirror import read_dataset

NEED_NLTK_DATA = ("length_constraints:number_sentences", "change_case:capital_word_frequency")


@dataclass(frozen=True)
class IFEvalTruth:
    """What an IFEval prompt demands: kinds and their arguments, one for each."""

    key: int
    kinds: tuple[str, ...]
    arguments: tuple[tuple[tuple[str, Any], ...], ...]


@dataclass(frozen=True)
class IFEvalPrompt:
    """A real prompt and what it demands."""

    text: str
    truth: IFEvalTruth


@dataclass(frozen=True)
class InstructionsIFEval:
    """google/IFEval: real prompts with 1 to 3 verifiable instructions of 25 kinds.

    What a prompt asks: a text, with instructions such as "no commas" or "at least 300 words". Truth: their kinds and
    arguments. Score: the share of instructions that the public checkers (`if-verifiable`) pass, strict variant, in
    [0, 1]; an empty response scores 0. Prompts with a kind that needs NLTK's sentence data are left out where the data
    are absent, and counted in `left_out`. Split: a stable hash of the prompt's key. There is no demonstrator and no
    style: these are asked of the procedural world. Version 1.

    heldout: share of the prompts that is held out.
    """

    heldout: float = 0.5
    version: str = "1"

    @classmethod
    def preset(cls, name: str, **knobs: Any) -> "InstructionsIFEval":
        """`default` is the only preset."""
        if name != "default":
            raise ValueError(f"preset={name!r} is unknown; known is default")
        return cls(**knobs)

    def __post_init__(self) -> None:
        if not 0 < self.heldout < 1:
            raise ValueError(f"heldout={self.heldout} must lie between 0 and 1")

    @property
    def left_out(self) -> dict[str, int]:
        """Kind -> number of demands that are left out because the machine lacks NLTK's sentence data."""
        return dict(_load()[1])

    def prompts(
        self, n: int, rng: np.random.Generator, split: str = "train", part: int = 0, parts: int = 1
    ) -> list[IFEvalPrompt]:
        """`n` different prompts of a split. ValueError if there are fewer."""
        check_split(split, part, parts)
        pool = [
            prompt
            for prompt in _load()[0]
            if (_hash(prompt, "split") % 1000 < 1000 * self.heldout) == (split == "held-out")
            and _hash(prompt, "part") % parts == part
        ]
        if n > len(pool):
            raise ValueError(f"n={n} prompts were asked for; part {part} of {parts} of {split!r} has {len(pool)}")
        return [pool[i] for i in rng.choice(len(pool), size=n, replace=False)]

    def met(self, prompt: IFEvalPrompt, response: str) -> dict[str, float]:
        """Instruction -> 1.0 if the checker passes it in the strict variant, else 0.0."""
        pairs = zip(prompt.truth.kinds, prompt.truth.arguments, strict=True)
        return {kind: float(_passes(kind, arguments, prompt.text, response)) for kind, arguments in pairs}

    def score(self, prompt: IFEvalPrompt, response: str) -> float:
        """The share of instructions met."""
        met = self.met(prompt, response)
        return sum(met.values()) / len(met)

    def strict(self, prompt: IFEvalPrompt, response: str) -> bool:
        """Whether every instruction is met."""
        return self.score(prompt, response) == 1

    def well_formed(self, response: str) -> bool:
        """Whether there is a response at all."""
        return bool(response.strip())

    def demonstrate(self, prompt: IFEvalPrompt, rng: np.random.Generator) -> str:
        """IFEval has no reference responses."""
        raise NotImplementedError("IFEval has no reference responses; use a pretrained policy")

    def style(self, response: str) -> str | None:
        """Styles belong to the procedural world."""
        raise NotImplementedError("styles are defined in the procedural world only")


def _passes(kind: str, arguments: tuple[tuple[str, Any], ...], prompt: str, response: str) -> bool:
    if not response.strip():
        return False
    checker = _checker(kind, arguments, prompt)
    return bool(checker.check_following(response))


@lru_cache(maxsize=2048)
def _checker(kind: str, arguments: tuple[tuple[str, Any], ...], prompt: str) -> Any:
    """IFEval's own checker, its arguments set; cached, because a checker draws what is not given."""
    import langdetect
    from if_verifiable.ifeval.instructions_registry import INSTRUCTION_DICT

    langdetect.DetectorFactory.seed = 0  # its guesses are random otherwise
    checker = INSTRUCTION_DICT[kind](kind)
    checker.build_description(**{name: list(value) if isinstance(value, tuple) else value for name, value in arguments})
    if "prompt" in (checker.get_instruction_args() or {}):
        checker.build_description(prompt=prompt)
    return checker


@lru_cache(maxsize=1)
def _load() -> tuple[tuple[IFEvalPrompt, ...], tuple[tuple[str, int], ...]]:
    rows = read_dataset("google/IFEval", "train")
    absent = set() if _has_sentence_data() else set(NEED_NLTK_DATA)
    kept, left_out = [], Counter()
    for key, text, kinds, kwargs in zip(
        rows["key"], rows["prompt"], rows["instruction_id_list"], rows["kwargs"], strict=True
    ):
        missing = [kind for kind in kinds if kind in absent]
        left_out.update(missing)
        if not missing:
            arguments = tuple(tuple((k, _plain(v)) for k, v in given.items() if v is not None) for given in kwargs)
            kept.append(IFEvalPrompt(str(text), IFEvalTruth(int(key), tuple(kinds), arguments)))
    return tuple(kept), tuple(left_out.items())


def _plain(value: Any) -> Any:
    """Counts are whole numbers and lists are tuples, whatever the file format made of them."""
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return tuple(value) if isinstance(value, (list, np.ndarray)) else value


def _has_sentence_data() -> bool:
    import nltk

    try:
        nltk.data.find("tokenizers/punkt_tab")
    except LookupError:
        return False
    return True


def _hash(prompt: IFEvalPrompt, purpose: str) -> int:
    return int.from_bytes(hashlib.sha256(f"{purpose}:{prompt.truth.key}".encode()).digest()[:8], "big")
