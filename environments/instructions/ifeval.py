"""The same interface over IFEval's real prompts, checked by its public checkers."""

import hashlib
import logging
import os
import random
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, NoReturn

import numpy as np

from autodidact.environments.instructions.prompts import check_split
from autodidact.environments.mirror import read_dataset

NEED_NLTK_DATA = ("length_constraints:number_sentences", "change_case:capital_word_frequency")


@dataclass(frozen=True, slots=True)
class IFEvalTruth:
    """What an IFEval prompt demands: kinds and their arguments, one for each."""

    key: int
    kinds: tuple[str, ...]
    arguments: tuple[tuple[tuple[str, Any], ...], ...]


@dataclass(frozen=True, slots=True)
class IFEvalPrompt:
    """A real prompt and what it demands."""

    text: str
    truth: IFEvalTruth


def _absent(name: str, why: str) -> Callable[..., NoReturn]:
    """A method of the procedural world that has no meaning for real prompts."""

    def method(self: "InstructionsIFEval", *args: Any, **kwargs: Any) -> NoReturn:
        raise NotImplementedError(f"InstructionsIFEval has no `{name}`: {why}")

    method.__name__, method.__doc__ = name, f"Raises NotImplementedError: {why}."
    return method


@dataclass(frozen=True)
class InstructionsIFEval:
    """google/IFEval: real prompts with 1 to 3 verifiable instructions of 25 kinds.

    What a prompt asks: a text, with instructions such as "no commas" or "at least 300 words". Truth: their kinds and
    arguments. Score: the share of instructions that the public checkers (`if-verifiable`) pass, strict variant, in
    [0, 1]; an empty response scores 0. Left out, and counted in `left_out`, are prompts whose truth cannot be checked:
    two kinds want NLTK's sentence data, where these are absent, and a checker that lacks an argument would draw it at
    random. Split: a stable hash of the prompt's key; parts of a split likewise. There is no demonstrator and no style:
    these are asked of the procedural world. Version 1.

    heldout: share of the prompts that is held out. longest: only prompts of at most this many characters (None: all),
    for machines on which a long prompt costs seconds; the preset `short` has 250.
    """

    heldout: float = 0.5
    longest: int | None = None
    version: str = "1"

    @classmethod
    def preset(cls, name: str, **knobs: Any) -> "InstructionsIFEval":
        """A named row of knobs: `default` (all prompts) or `short`; ValueError for an unknown name."""
        presets: dict[str, dict[str, Any]] = {"default": {}, "short": {"longest": 250}}
        if name not in presets:
            raise ValueError(f"preset={name!r} is unknown; known are {', '.join(presets)}")
        return cls(**{**presets[name], **knobs})

    def __post_init__(self) -> None:
        if not 0 < self.heldout < 1:
            raise ValueError(f"heldout={self.heldout} must lie between 0 and 1")

    @property
    def left_out(self) -> dict[str, int]:
        """Kind -> number of demands that cannot be checked on this machine; their prompts are left out."""
        return dict(_load(os.environ.get("DATASETS_MIRROR"))[1])

    def prompts(
        self, n: int, rng: np.random.Generator, split: str = "train", part: int = 0, parts: int = 1
    ) -> list[IFEvalPrompt]:
        """`n` different prompts of a split. ValueError if there are fewer."""
        check_split(n, split, part, parts)
        pool = [
            prompt
            for prompt in _load(os.environ.get("DATASETS_MIRROR"))[0]
            if (self.longest is None or len(prompt.text) <= self.longest)
            and (_hash(prompt, "split") % 1000 < 1000 * self.heldout) == (split == "held-out")
            and _hash(prompt, "part") % parts == part
        ]
        if n > len(pool):
            raise ValueError(f"n={n} prompts were asked for; part {part} of {parts} of {split!r} has {len(pool)}")
        return [pool[i] for i in rng.choice(len(pool), size=n, replace=False)]

    def met(self, prompt: IFEvalPrompt, response: str, loose: bool = False) -> dict[str, float]:
        """Instruction -> 1.0 if its checker passes, else 0.0; the second of a kind is called `kind (2)`.

        loose: pass too what passes without its first line, last line or asterisks (IFEval's loose variant).
        """
        variants, seen, result = _variants(response, loose), Counter(), {}
        for kind, arguments in zip(prompt.truth.kinds, prompt.truth.arguments, strict=True):
            seen[kind] += 1
            name = f"{kind} ({seen[kind]})" if seen[kind] > 1 else kind
            checker = _checker(kind, arguments)
            result[name] = float(any(checker.check_following(variant) for variant in variants))
        return result

    def score(self, prompt: IFEvalPrompt, response: str, loose: bool = False) -> float:
        """The share of instructions met."""
        met = self.met(prompt, response, loose)
        return sum(met.values()) / len(met)

    def strict(self, prompt: IFEvalPrompt, response: str) -> bool:
        """Whether every instruction is met."""
        return self.score(prompt, response) == 1

    def well_formed(self, response: str) -> bool:
        """Whether there is a response at all."""
        return bool(_variants(response, loose=False))

    demonstrate = _absent("demonstrate", "there are no reference responses; use a pretrained policy")
    corpus = _absent("corpus", "there are no reference responses; use a pretrained policy")
    blame = _absent("blame", "the checkers judge whole responses")
    corrupt = _absent("corrupt", "minimal edits are defined in the procedural world only")
    repair = _absent("repair", "minimal edits are defined in the procedural world only")
    style = _absent("style", "styles are defined in the procedural world only")
    trait = _absent("trait", "styles are defined in the procedural world only")
    restyle = _absent("restyle", "styles are defined in the procedural world only")
    fluency = _absent("fluency", "its grammar is that of the procedural world")
    detail = _absent("detail", "real prompts have no list of topics")
    parse = _absent("parse", "real prompts follow no grammar")
    paraphrase = _absent("paraphrase", "real prompts follow no grammar")
    intent = _absent("intent", "real prompts follow no grammar")


def _variants(response: str, loose: bool) -> list[str]:
    """What the checkers look at, in the manner of the public evaluation: no thinking block, nothing empty."""
    from if_verifiable.common import get_loose_transformations, strip_thinking

    response = strip_thinking(response) if isinstance(response, str) else ""
    if not response:
        return []
    return [text for text in get_loose_transformations(response) if text.strip()] if loose else [response]


@lru_cache(maxsize=1)
def _checkers() -> dict[str, Any]:
    """IFEval's checkers by kind, quiet and deterministic."""
    import langdetect
    from if_verifiable.ifeval.instructions_registry import INSTRUCTION_DICT

    langdetect.DetectorFactory.seed = 0  # its guesses are random otherwise
    # A text without letters has no language: the checker lets it pass, and would log an error for each of them.
    logging.getLogger().addFilter(lambda record: not str(record.msg).startswith("Unable to detect language"))
    return INSTRUCTION_DICT


def _build(kind: str, arguments: tuple[tuple[str, Any], ...]) -> Any:
    checker = _checkers()[kind](kind)
    checker.build_description(**{name: list(value) if isinstance(value, tuple) else value for name, value in arguments})
    return checker


_checker = lru_cache(maxsize=4096)(_build)


@lru_cache(maxsize=4)
def _load(mirror: str | None) -> tuple[tuple[IFEvalPrompt, ...], tuple[tuple[str, int], ...]]:
    """The prompts, and how many demands of which kind cannot be checked; `mirror` is the key of the cache."""
    import pyarrow as pa

    schema = {"key": pa.int64(), "prompt": pa.string(), "instruction_id_list": pa.list_(pa.string())}
    schema["kwargs"] = pa.list_(pa.struct([]))  # whose fields are those of all kinds
    rows = read_dataset("google/IFEval", "train", pa.schema(schema))
    kept, left_out = [], Counter()
    for number, (key, text, kinds, kwargs) in enumerate(zip(*(rows[name] for name in schema), strict=True)):
        arguments = tuple(tuple((k, _plain(v)) for k, v in given.items() if v is not None) for given in kwargs)
        if unknown := [kind for kind in kinds if kind not in _checkers()]:
            raise rows.error("instruction_id_list", number, f"has the unknown kind {unknown[0]!r}")
        if len(kinds) != len(arguments):
            raise rows.error("kwargs", number, f"has {len(arguments)} entries for {len(kinds)} instructions")
        try:
            missing = [kind for kind, given in zip(kinds, arguments, strict=True) if not _checkable(kind, given)]
        except (TypeError, ValueError) as error:  # of a checker that is given what it does not take
            raise rows.error("kwargs", number, f"suits none of its instructions: {error}") from None
        left_out.update(missing)
        if not missing:
            kept.append(IFEvalPrompt(text, IFEvalTruth(key, tuple(kinds), arguments)))
    return tuple(kept), tuple(left_out.items())


def _checkable(kind: str, arguments: tuple[tuple[str, Any], ...]) -> bool:
    """Whether the checker has its data and every argument: what is missing it would draw from the global generator."""
    if kind in NEED_NLTK_DATA and not _has_sentence_data():
        return False
    _checkers()  # importing them may draw as well
    before = random.getstate()
    _build(kind, arguments)
    drew = random.getstate() != before
    random.setstate(before)
    return not drew


def _plain(value: Any) -> Any:
    """Counts are whole numbers and lists are tuples, whatever the file format made of them."""
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return tuple(value) if isinstance(value, list) else value


@lru_cache(maxsize=1)
def _has_sentence_data() -> bool:
    from if_verifiable.ifeval import instructions_util

    try:
        instructions_util.count_sentences("One. Two.")
        instructions_util.nltk.word_tokenize("One. Two.")
    except LookupError:
        return False
    return True


def _hash(prompt: IFEvalPrompt, purpose: str) -> int:
    return int.from_bytes(hashlib.sha256(f"{purpose}:{prompt.truth.key}".encode()).digest()[:8], "big")
