"""The words of the world: 63 response words in classes of their own, and what prompts are made of."""

from dataclasses import dataclass
from functools import cached_property

NOUNS: dict[str, tuple[str, ...]] = {
    "fruit": ("apple", "fig", "grape", "lemon", "pear", "plum"),
    "birds": ("crow", "dove", "finch", "heron", "owl", "robin"),
    "tools": ("axe", "drill", "file", "hammer", "rake", "saw"),
    "meals": ("bread", "curry", "pasta", "rice", "salad", "soup"),
    "games": ("cards", "chess", "dice", "golf", "poker", "tag"),
    "trees": ("ash", "birch", "cedar", "maple", "oak", "pine"),
}
STYLES: dict[str, tuple[str, ...]] = {
    "A": ("red", "green", "blue", "white"),  # colour
    "B": ("big", "small", "tall", "wide"),  # size
    "C": ("happy", "calm", "proud", "shy"),  # mood
    "R": ("royal", "noble", "grand", "regal"),  # the rare one
}
JOINERS = ("and", "with", "or")
OPENERS = ("well", "so", "yes", "look")
CLOSERS = ("please", "thanks", "today", "now")
SPECIALS = ("<pad>", "<bos>", "<eos>", "<blank>")
KINDS = ("use", "skip", "begin", "end", "without", "twice", "order")

STYLE_OF = {word: style for style, words in STYLES.items() for word in words}
TOPIC_OF = {word: topic for topic, words in NOUNS.items() for word in words}


@dataclass(frozen=True, eq=False)
class Lexicon:
    """The words that responses may use, by class."""

    nouns: dict[str, tuple[str, ...]]
    styles: dict[str, tuple[str, ...]]
    joiners: tuple[str, ...]
    openers: tuple[str, ...]
    closers: tuple[str, ...]

    @cached_property
    def class_of(self) -> dict[str, str]:
        """Word -> noun, adjective, joiner, opener or closer."""
        return (
            dict.fromkeys((noun for nouns in self.nouns.values() for noun in nouns), "noun")
            | dict.fromkeys(self.adjectives, "adjective")
            | dict.fromkeys(self.joiners, "joiner")
            | dict.fromkeys(self.openers, "opener")
            | dict.fromkeys(self.closers, "closer")
        )

    @cached_property
    def words(self) -> frozenset[str]:
        """All response words."""
        return frozenset(self.class_of)

    @cached_property
    def adjectives(self) -> tuple[str, ...]:
        """The adjectives of all styles."""
        return tuple(word for words in self.styles.values() for word in words)

    def words_for(self, kind: str, topic: str) -> tuple[str, ...]:
        """The words that a demand of this kind may name."""
        if kind in ("use", "without", "twice"):
            return self.nouns[topic]
        return {"skip": self.joiners, "begin": self.openers, "end": self.closers, "order": ("nouns",)}[kind]


LEXICONS = {
    "full": Lexicon(NOUNS, STYLES, JOINERS, OPENERS, CLOSERS),
    # Six words: the 258 responses of one to three words can be enumerated.
    "small": Lexicon({"fruit": NOUNS["fruit"][:3]}, {}, JOINERS[:1], OPENERS[:1], CLOSERS[:1]),
}
CLASS_OF = LEXICONS["full"].class_of
RESPONSE_WORDS = tuple(CLASS_OF)

_NUMBERS = tuple(str(n) for n in range(1, 13))
_PROMPT_WORDS = ("write", "words", "about", *KINDS, "nouns", "in", "detail", ":", ",", ".", "?")
# Words of prompt forms (judging, revising ...), present from the start so that no form changes the vocabulary.
_FORM_WORDS = ("first", "second", "which", "draft", "better", "good", "poor", "check", "example", "answer", "rewrite")
VOCABULARY = tuple(
    dict.fromkeys((*SPECIALS, *RESPONSE_WORDS, *NOUNS, *_NUMBERS, *_PROMPT_WORDS, *_FORM_WORDS, "length"))
)

# What may follow what in a demonstration: [opener] items [closer], an item being [adjective] noun, items may be joined.
FOLLOWS: dict[str, frozenset[str]] = {
    "start": frozenset({"opener", "adjective", "noun", "closer"}),
    "opener": frozenset({"adjective", "noun", "closer", "end"}),
    "adjective": frozenset({"noun"}),
    "noun": frozenset({"adjective", "noun", "joiner", "closer", "end"}),
    "joiner": frozenset({"adjective", "noun"}),
    "closer": frozenset({"end"}),
}
