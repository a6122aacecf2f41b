"""The same interface for pretrained models: IFEval's real prompts, and sentences; checkers are the truth."""

from dataclasses import dataclass

import numpy as np

from autodidact.environments.instructions.ifeval import IFEvalPrompt, InstructionsIFEval
from autodidact.environments.instructions.sentences import SentencePrompt, Sentences
from autodidact.environments.judging.vocabulary import MANNERS

OPENERS = {"plain": "Here is what you asked for:", "brisk": "Okay so my best shot is:"}
CLOSERS = {"plain": "I hope that it is of use.", "brisk": "Just tell me if it needs work."}


def compare_prompt(prompt: IFEvalPrompt, a: str, b: str) -> str:
    """What a pairwise judge reads; its answer begins with A or B."""
    return (
        f"Here are a request and two answers to it. Which answer follows the request better?\n\n"
        f"Request: {prompt.text}\n\nAnswer A: {a}\n\nAnswer B: {b}\n\nReply with the letter A or B only."
    )


def manner_of(answer: str) -> str | None:
    """The manner of the opening and the close that there are; "neutral" without, None if they are mixed."""
    found = {m for m in MANNERS if answer.startswith(OPENERS[m]) or answer.endswith(CLOSERS[m])}
    return None if len(found) > 1 else next(iter(found), "neutral")


def restyle(answer: str, manner: str) -> str:
    """The answer with the opening and the close of `manner` in place of any that it has, or without ("neutral").

    Raises ValueError for another manner.
    """
    if manner not in (*MANNERS, "neutral"):
        raise ValueError(f"manner={manner!r} is unknown; it must be one of {', '.join(MANNERS)} or neutral")
    bare, before = answer.strip(), None
    while bare != before:  # one taken away may lay another bare
        before = bare
        for m in MANNERS:
            bare = bare.removeprefix(OPENERS[m]).removesuffix(CLOSERS[m]).strip()
    return bare if manner == "neutral" else f"{OPENERS[manner]}\n\n{bare}\n\n{CLOSERS[manner]}"


@dataclass(frozen=True)
class JudgingIFEval:
    """Answers to google/IFEval's prompts, in two manners.

    Quality: the number of instructions that the public checkers pass, strict variant. Manner: the sentence that opens
    an answer and the one that closes it, of equal length in words; "neutral" has neither. Unlike the procedural
    world's, such a manner can meet or break an instruction ("at most 50 words"), so quality must be computed on the
    very text that is judged. There are no writers and no corpus: a pretrained policy writes.

    longest: only prompts of at most this many characters (None: all).
    """

    longest: int | None = 250
    version: str = "1"
    manners = MANNERS
    manner_of = staticmethod(manner_of)
    restyle = staticmethod(restyle)
    compare_prompt = staticmethod(compare_prompt)

    @property
    def source(self) -> InstructionsIFEval:
        """The prompts and their checkers."""
        return InstructionsIFEval(longest=self.longest)

    def prompts(self, n: int, rng: np.random.Generator, split: str = "train") -> list[IFEvalPrompt]:
        """n different prompts of a split. Raises ValueError if there are fewer."""
        return self.source.prompts(n, rng, split)

    def quality(self, prompt: IFEvalPrompt, answer: str) -> int:
        """Number of instructions met."""
        return int(sum(self.source.met(prompt, answer).values()))

    def score(self, prompt: IFEvalPrompt, answer: str) -> float:
        """The share of instructions met, in [0, 1]."""
        return self.source.score(prompt, answer)


@dataclass(frozen=True)
class JudgingSentences:
    """Answers to `instructions/sentences`: what a pretrained model of 135M parameters can write, and partly judge.

    Quality: how many of the three demands are met in full (word, one sentence, length). A prompt of a split has a topic
    and a word of its own, so that prompts are independent; manners are those of IFEval. There are no writers and no
    corpus: a pretrained policy writes.
    """

    version: str = "1"
    source = Sentences()
    manners = MANNERS
    manner_of = staticmethod(manner_of)
    restyle = staticmethod(restyle)

    @staticmethod
    def compare_prompt(prompt: SentencePrompt, a: str, b: str) -> str:
        """What a pairwise judge reads, in few words; its answer begins with A or B."""
        question = "Which answer follows the request better? Reply with the letter A or B only."
        return f"{prompt.text}\n\nA: {a}\nB: {b}\n\n{question}"

    def prompts(self, n: int, rng: np.random.Generator, split: str = "train") -> list[SentencePrompt]:
        """n prompts of a split, no two with one topic and word. Raises ValueError if there are fewer."""
        pool = self.source.prompts(self.source.count(split), rng, split)
        apart = list({(x.truth.topic, x.truth.word): x for x in pool}.values())
        if not 1 <= n <= len(apart):
            raise ValueError(f"n={n} prompts of split {split!r} were asked for; it must be 1 to {len(apart)}")
        return apart[:n]

    def quality(self, prompt: SentencePrompt, answer: str) -> int:
        """Number of demands met in full, 0 to 3."""
        return sum(credit == 1 for credit in self.source.met(prompt, answer).values())

    def score(self, prompt: SentencePrompt, answer: str) -> float:
        """quality / 3, in [0, 1]."""
        return self.quality(prompt, answer) / 3

    def opponent(self, prompt: SentencePrompt, rng: np.random.Generator, skill: float) -> str:
        """An answer by another writer, out of templates, that honours each demand with probability `skill`."""
        return self.source.demonstrate(prompt, rng, skill)
