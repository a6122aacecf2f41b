"""Words of the world: topics and details (content), two manners of equal length, and the words of judging."""

POOLS: tuple[tuple[tuple[str, str], tuple[str, ...]], ...] = (  # two topics share the six details of their kind
    (("boat", "ship"), ("sail", "mast", "rope", "deck", "anchor", "oar")),
    (("oven", "kitchen"), ("bread", "flour", "cake", "crust", "dough", "salt")),
    (("farm", "barn"), ("cow", "hay", "fence", "goat", "plough", "hen")),
    (("school", "class"), ("desk", "chalk", "book", "bell", "pen", "map")),
    (("forest", "grove"), ("oak", "moss", "fern", "owl", "stump", "pine")),
    (("beach", "bay"), ("sand", "shell", "wave", "crab", "gull", "dune")),
    (("city", "town"), ("tower", "street", "bridge", "square", "lamp", "gate")),
    (("bike", "cart"), ("wheel", "chain", "brake", "seat", "pedal", "spoke")),
    (("concert", "band"), ("drum", "flute", "horn", "stage", "song", "harp")),
    (("garden", "park"), ("rose", "bench", "path", "pond", "hedge", "lawn")),
    (("castle", "fort"), ("moat", "wall", "flag", "hall", "sword", "throne")),
    (("market", "shop"), ("apple", "cheese", "scale", "coin", "basket", "fish")),
)
DETAILS = {topic: details for topics, details in POOLS for topic in topics}
CLASSES = {  # class -> manner -> words; partners stand at the same place
    "opener": {"plain": ("so", "now", "here"), "brisk": ("well", "look", "right")},
    "verb": {"plain": ("has", "shows", "keeps"), "brisk": ("carries", "bears", "brings")},
    "joiner": {"plain": ("and", "with", "also"), "brisk": ("plus", "beside", "then")},
    "closer": {"plain": ("today", "indeed", "again"), "brisk": ("folks", "surely", "friend")},
}
NEUTRAL = {"opener": "answer", "verb": "holds", "joiner": "next", "closer": "done"}
MANNERS = ("plain", "brisk")
CLASS_OF = {word: kind for kind, sides in CLASSES.items() for words in sides.values() for word in words}
CLASS_OF |= {word: kind for kind, word in NEUTRAL.items()}
MANNER_OF = {word: manner for sides in CLASSES.values() for manner, words in sides.items() for word in words}
CONTENT = frozenset(DETAILS) | {word for details in DETAILS.values() for word in details}
MARKS = {".": "full stop", "?": "question mark"}
FINDINGS = ("topic", "order", "short", "fresh", "ending")
LIMITS = tuple(range(4, 9))
_FRAME = "Write about the . Put the before the . Use at most words . End with a full stop . question mark ."
_JUDGING = "Criteria : , Better answer : A B Request : Answer : yes no mark Judge"
VOCABULARY = tuple(
    dict.fromkeys(
        ("<pad>", "<bos>", "<eos>", "<blank>", *sorted(CONTENT), *CLASS_OF, ",", ".", "?", *FINDINGS)
        + tuple(_FRAME.split())
        + tuple(_JUDGING.split())
        + tuple("0123456789")
    )
)
