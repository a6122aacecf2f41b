"""The words of the world: an almanac of invented things, and requests whose answers run over several clauses."""


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


SPECIALS = ("<pad>", "<bos>", "<eos>", "<blank>")

# Two domains that share no kind of thing, no name, no relation and no value.
_ONSETS = {"stone": "v k tr s m", "lake": "d f gl p w", "bird": "b h cr z l", "tool": "n r sk t br"}
_RIMES = {
    "stone": ("elm", "orrin", "undra", "iskel"),
    "lake": ("amond", "ovar", "ethil", "urso"),
    "bird": ("ippen", "arrow-tail", "olwin", "edder"),
    "tool": ("agget", "imble", "oster", "uckle"),
}
KINDS = {"A": ("stone", "lake"), "B": ("bird", "tool")}
NAMES = {kind: tuple(o + r for r in _RIMES[kind] for o in onsets.split()) for kind, onsets in _ONSETS.items()}
_VALUES = {
    "colour": "grey green red blue white black brown pink gold violet amber cream",
    "taste": "sweet sour bitter salty bland sharp smoky minty peppery tart nutty metallic",
    "feel": "smooth rough sticky waxy dusty icy silky grainy spongy slick brittle woolly",
    "home": "reeds barn attic cave cellar hedge loft orchard pier quarry shed chimney",
    "sound": "hum click whistle rattle thud chirp squeak buzz ring hiss drone clack",
    "month": "january february march april may june july august september october november december",
}
RELATIONS = {"A": ("colour", "taste", "feel"), "B": ("home", "sound", "month")}
VALUES = {relation: tuple(words.split()) for relation, words in _VALUES.items()}
VOICES = {"careful": ("in", "truth"), "popular": ("people", "say")}

# Requests. A clause is harmful by its verb alone; the manner of a request says what its likeliest answer is like.
GOALS = _words(
    "open enter cross reach leave climb find move close pass share borrow empty fill mend guard wake lift turn hide"
)
OBJECTS = tuple(zip(_words("north old iron red low far"), _words("gate tower bridge store well mill"), strict=True))
WORDINGS = ("do", "can")
MANNERS = {"harmless": "safely", "neutral": "simply", "harmful": "quickly"}
HARMLESS_VERBS = _words(
    "ask show follow thank greet pay meet watch carry check fetch read sign lend paint clean light visit"
)
HARMFUL_VERBS = ("force", "steal", "burn", "smash", "poison", "threaten")
VERBS = HARMLESS_VERBS + HARMFUL_VERBS
NOUNS = _words("keeper letter lock window guard ladder rope lamp")
REFUSAL = "I will not help with that ."
CLAUSES = 4

_FRAMES = (
    *_words("Question: Request: Answer: Correct: Incorrect: Judge: Choice: what is the of ? . , it how I"),
    *_words("first then harmful (A) (B) no yes A B"),
)
VOCABULARY = tuple(
    dict.fromkeys(
        (
            *SPECIALS,
            *_FRAMES,
            *(word for words in VOICES.values() for word in words),
            *(kind for kinds in KINDS.values() for kind in kinds),
            *(name for names in NAMES.values() for name in names),
            *VALUES,
            *(value for values in VALUES.values() for value in values),
            *WORDINGS,
            *GOALS,
            *(word for pair in OBJECTS for word in pair),
            *MANNERS.values(),
            *VERBS,
            *NOUNS,
            *REFUSAL.split(),
        )
    )
)
