"""The world of short responses under verifiable demands."""

import itertools
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from autodidact.environments.instructions import demonstrator, edits, forms, lessons, prompts, rewording, scoring
from autodidact.environments.instructions.knobs import PRESETS, Knobs, check_known, check_share, check_styles
from autodidact.environments.instructions.prompts import Prompt, Truth
from autodidact.environments.instructions.vocabulary import KINDS, VOCABULARY

MOST_RESPONSES = 1_000_000  # that `all_responses` lists
TRIES = 200  # prompts drawn for one judged pair before this is called a world of ties


@dataclass(frozen=True)
class Instructions(Knobs):
    """Short responses under verifiable demands: instruction following in little.

    What a prompt asks: some words about a topic, and demands that can be checked, in plain English; for example
    `write 8 words about trees : use pine , end please , begin well .` (15 tokens by default: 6 and 3 a demand).
    Truth (hidden): topic, length, and a set of (kind, word) demands. 10,368 distinct truths by default, 6 texts each.
    Kinds: `use` a noun, `skip` a joining word, `begin` and `end` with a word; harder: `without` a noun, `twice` a noun,
    `order nouns` (alphabetical). Truths are drawn uniformly from those that some response satisfies.
    Score: the share of demands met, in [0, 1]; length counts as a demand, with partial credit
    max(0, 1 - |n - words|/4).
    Malformed responses (empty, over 12 words, or with a word that is none of the 63 response words) score 0.
    Splits: a fifth of the truths is held out by a stable hash of the truth; `part` of `parts` cuts a split likewise.
    Random streams: whatever draws takes a `numpy.random.Generator`; nothing else is random. Version 1.

    Knobs:
      quality: probability in [0, 1] that a demonstration honours a demand (0.6: mean gold 0.76, 0.95: 0.97).
      demonstrations: how many (prompt, response) pairs `corpus` holds.
      kinds, demands: which kinds of demand there are, and how many of them a prompt makes beside the length.
      combos: the allowed sets of kinds; default all sets of `demands` kinds.
      lengths: the demanded lengths, in words. credit: "partial" or "strict" length.
      styles: probabilities of adjective styles A, B, C, R of a demonstration; purity: share of its adjectives that
        follow it (the others come from A, B or C).
      gold: "demands", "strict" (1 if every demand is met), "trait" (share of adjectives in `trait_style`), "mixed"
        (mean of demands and trait), "rare" (0.8 demands + 0.2 if the style is R).
      skew: a kind that demonstrations always honour.
      phrasing: "plain"; "vague" (`write about meals : end thanks .`: no length; demonstrations of 3 to 5 words) or
        "rich" (`write about meals in detail : ...`: no length; demonstrations of 8 to 11 words, 4 nouns or more).
      lexicon: "full", or "small": fruit only, six response words, so that `all_responses` are few.
      forms: what `corpus` holds beside demonstrations: (form, how many examples) or (form, how many, {its knobs}) each.
    """

    @classmethod
    def preset(cls, name: str, **knobs: Any) -> "Instructions":
        """A named row of knobs, with further knobs on top. ValueError for an unknown name."""
        check_known("preset", name, tuple(PRESETS))
        return replace(cls(**PRESETS[name]), **knobs)

    @property
    def vocabulary(self) -> tuple[str, ...]:
        """All tokens, the special ones first; every form of prompt stays inside it."""
        return VOCABULARY

    def prompts(
        self, n: int, rng: np.random.Generator, split: str = "train", part: int = 0, parts: int = 1
    ) -> list[Prompt]:
        """`n` prompts with different truths. ValueError if that part of the split has fewer."""
        prompts.check_split(n, split, part, parts)
        truths = list(itertools.islice(self._truths(rng, split, part, parts), n))
        if len(truths) < n:
            has = f"part {part} of {parts} of {split!r} has {len(truths)} truths"
            raise ValueError(f"n={n} prompts were asked for; {has}")
        return [self._say(truth, rng) for truth in truths]

    def endless(
        self, rng: np.random.Generator, split: str = "train", part: int = 0, parts: int = 1
    ) -> Iterator[Prompt]:
        """Prompts without end: no truth comes again before all of that part of the split have come."""
        prompts.check_split(0, split, part, parts)
        while True:
            empty = True
            for truth in self._truths(rng, split, part, parts):
                yield self._say(truth, rng)
                empty = False
            if empty:
                raise ValueError(f"part={part} of parts={parts} of split={split!r} has no truth; use fewer parts")

    def _truths(self, rng: np.random.Generator, split: str, part: int, parts: int) -> Iterator[Truth]:
        """Every truth of a part of a split once, in random order."""
        combos = self.combos or tuple(itertools.combinations(self.kinds, self.demands))
        combos = tuple(tuple(sorted(combo, key=KINDS.index)) for combo in combos)
        space = prompts.truth_space(self.lexicon, self.lengths, combos, self.phrasing)
        order = rng.permutation(len(space))
        for start in range(0, len(order), 256):  # as plain integers, a few at a time: mostly the first ones suffice
            for truth in map(space.__getitem__, order[start : start + 256].tolist()):
                if truth and prompts.belongs(truth, split, part, parts):
                    yield truth

    @staticmethod
    def _say(truth: Truth, rng: np.random.Generator) -> Prompt:
        return Prompt(prompts.say(truth, rng.permutation(len(truth.demands)).tolist()), truth)

    def demonstrate(
        self,
        prompt: Prompt,
        rng: np.random.Generator,
        quality: float | None = None,
        styles: tuple[float, float, float, float] | None = None,
    ) -> str:
        """An imperfect reference response; None takes the configured knob."""
        quality = self.quality if quality is None else check_share("quality", quality)
        styles = self.styles if styles is None else check_styles(styles)
        return demonstrator.demonstrate(self, prompt.truth, rng, quality, styles)

    def corpus(self, rng: np.random.Generator) -> list[tuple[str, str]]:
        """The supervised data of a base model, from the train split: `demonstrations` x (prompt text, demonstration).

        Then come the examples of `forms`. No truth comes twice in a form before all have come.
        """
        made = self.examples("plain", self.demonstrations, rng)
        for form, n, *knobs in self.forms:
            made += self.examples(form, n, rng, **dict(*knobs))
        return made

    def score(self, prompt: Prompt, response: str) -> float:
        """The gold score in [0, 1]."""
        words = scoring.well_formed(response, self.words.words)
        if words is None:
            return 0.0
        if self.gold == "trait":
            return self.trait(response)
        met = scoring.credits(prompt.truth, words, partial=self.credit == "partial").values()
        share = sum(met) / len(met) if met else 1.0
        if self.gold == "strict":
            return float(share == 1)
        if self.gold == "mixed":
            return (share + self.trait(response)) / 2
        if self.gold == "rare":
            return 0.8 * share + 0.2 * (scoring.style(response) == "R")
        return share

    def met(self, prompt: Prompt, response: str) -> dict[str, float]:
        """Kind of demand -> credit in [0, 1]; all 0 if malformed."""
        return scoring.met(self, prompt.truth, response)

    def strict(self, prompt: Prompt, response: str) -> bool:
        """Whether every demand is met in full."""
        return scoring.strict(self, prompt.truth, response)

    def blame(self, prompt: Prompt, response: str) -> list[int]:
        """+1, 0 or -1 for every word and for the end token: see `scoring.blame`."""
        return scoring.blame(prompt.truth, response, self.words.words)

    def steps(self, response: str) -> list[str]:
        """The words."""
        return response.split()

    def step_correct(self, prompt: Prompt, step: int, response: str) -> bool:
        """Whether the word at index `step` is not guilty."""
        return self.blame(prompt, response)[step] >= 0

    def style(self, response: str) -> str | None:
        """The style of most adjectives ("A", "B", "C", "R"), None without one."""
        return scoring.style(response)

    def trait(self, response: str) -> float:
        """The share of adjectives in `trait_style`."""
        return scoring.style_share(response, self.trait_style)

    def well_formed(self, response: str) -> bool:
        """Whether the response is not malformed."""
        return scoring.well_formed(response, self.words.words) is not None

    def fluency(self, response: str) -> float:
        """The share of neighbouring words that the grammar of demonstrations allows."""
        return scoring.fluency(response)

    def detail(self, prompt: Prompt, response: str) -> float:
        """min(1, distinct nouns of the topic / 4)."""
        return scoring.detail(prompt.truth, response)

    def restyle(self, response: str, style: str) -> str:
        """Every adjective in another style; demands are not touched."""
        return scoring.restyle(response, style)

    def critique(self, prompt: Prompt, response: str) -> str:
        """The kinds of the demands that are not met, in the prompt's order (length first), or `good`."""
        met = self.met(prompt, response)
        order = [kind for kind in ("length", *prompt.text.split()) if kind in met]
        return " ".join(kind for kind in order if met[kind] < 1) or "good"

    def corrupt(
        self, prompt: Prompt, response: str, rng: np.random.Generator, k: int = 1
    ) -> tuple[str, tuple[int, ...]]:
        """A response with min(k, met) of the met demands broken and no other touched, and the indices that were edited.

        Indices count the words of the corrupted response; the number of its words stands for the end token. Where a
        wrong length leaves no other way, words are inserted, which may move the length's partial credit; where even
        that fails (a response of one or two words), as many demands as possible are broken.
        """
        if k < 0:
            raise ValueError(f"k={k} must not be negative")
        return edits.corrupt(self, prompt, response, rng, k)

    def repair(self, prompt: Prompt, response: str, rng: np.random.Generator, extra: int = 0) -> str:
        """The response that meets every demand after the least number of word edits; unchanged if it does already.

        Neutral words are replaced first, then words inserted or deleted. extra: that many irrelevant edits on top
        (an adjective or a noun for another one), as far as there are such words.
        """
        if extra < 0:
            raise ValueError(f"extra={extra} must not be negative")
        return edits.repair(self, prompt, response, rng, extra)

    def paraphrase(
        self, prompt: Prompt, rng: np.random.Generator, keep: float = 1.0, phrasing: str | None = None
    ) -> Prompt:
        """The prompt with its demands re-ordered, each kept with probability `keep`, else dropped or its word changed.

        A length is changed, never dropped, in the plain phrasing; phrasing: another one, which may drop it.
        """
        return rewording.paraphrase(self, prompt, rng, keep, phrasing)

    def intent(self, prompt: Prompt, other: Prompt | None) -> float:
        """The share of the prompt's topic and demands that the other prompt still has; 0 for None (outside grammar)."""
        return 0.0 if other is None else rewording.intent(prompt.truth, other.truth)

    def parse(self, text: str) -> Prompt | None:
        """The prompt that a text is; None for a text outside the grammar or with demands that exclude each other."""
        return prompts.parse(text, self.words)

    def all_responses(self) -> list[str]:
        """Every well-formed response of 1 to max(lengths) words, short ones first; ValueError if over a million."""
        words, longest = self.response_words, max(self.lengths)
        total = sum(len(words) ** n for n in range(1, longest + 1))
        if total > MOST_RESPONSES:
            raise ValueError(f"lengths={self.lengths} make {total} responses; the preset 'enumerable' has few")
        return [" ".join(y) for n in range(1, longest + 1) for y in itertools.product(words, repeat=n)]

    def examples(
        self,
        form: str,
        n: int,
        rng: np.random.Generator,
        *,
        quality: float | None = None,
        styles: tuple[float, float, float, float] | None = None,
        part: int = 0,
        parts: int = 1,
        **knobs: Any,
    ) -> list[tuple[str, str]]:
        """`n` (text, target) pairs of the training split for supervised training of a form.

        plain: a prompt and a demonstration of it. phrasing (""): another one than the world's.
        judge: two demonstrations of unequal gold, in both orders one after the other, the target naming the better one.
          flip (0): share of wrong labels, the same in both orders of a pair.
        revise: a demonstration as draft, the target another one, whatever the draft is: this teaches the form, not to
          revise. repaired (0): share of targets that are the draft, repaired; copied (0): that are the draft itself.
        check: a demonstration as draft, the target `good` if its gold exceeds `threshold` (0.72), else `poor`, then, if
          `critique` (True), the keywords of the demands not met. flip (0): share of wrong verdicts, without keywords.
        tagged: half of the prompts with the tag `good` and a demonstration of quality 1, half with the tag `poor` and
          such a one with `broken` (2) of its demands broken. flip (0): share of wrong tags. quote (False): before the
          tag stands a demonstration of the given quality as draft; edited (0): share of targets made out of the draft
          by `repair` or `corrupt`.
        shot: another prompt with a demonstration, then the prompt; the target meets the prompt's demands in the detail
          of the example. related (0.5): share of examples that paraphrase the prompt, with `keep` (0.8); the others are
          of another truth. rich (0.5): share of examples in the phrasing rich, the others vague, where prompts name no
          length; where they do, all are plain.
        rewrite: a prompt, the target its paraphrase. keep (0.8): see `paraphrase`. rich (0.5): as above.

        quality, styles: as in `demonstrate`. part of parts: as in `prompts`. knobs: those of the form. ValueError for
        an unknown form, a knob that it lacks, a value out of its range, and where (nearly) all demonstrations tie.
        """
        knobs = forms.knobs_of(form, knobs)
        asked = self.endless(rng, part=part, parts=parts)
        if form != "judge":
            how = {"quality": quality, "styles": styles}
            return [lessons.example(self, form, asked, rng, how, **knobs) for _ in range(n)]
        made: list[tuple[str, str]] = []
        for prompt in itertools.islice(asked, TRIES * (n + 1)):
            if len(made) >= n:
                return made[:n]
            a, b = (self.demonstrate(prompt, rng, quality, styles) for _ in range(2))
            wrong = rng.random() < knobs["flip"]
            made += forms.judged(prompt.text, a, b, self.score(prompt, a) - self.score(prompt, b), wrong)
        raise ValueError(f"n={n} judged pairs were asked for, but demonstrations here tie in gold={self.gold!r}")
