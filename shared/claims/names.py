"""Names that people type: what is unknown is refused, with the known name that is nearest."""

from collections.abc import Iterable
from difflib import get_close_matches

_NEAR = 0.5  # difflib's likeness from which a name is worth suggesting


def unknown(what: str, name: object, known: Iterable[str], to: str = "") -> ValueError:
    """The error, for the caller to raise: "paper 'spo' is unknown; did you mean 'sppo'? Known are ..."."""
    known = list(known)
    near = get_close_matches(str(name), known, n=1, cutoff=_NEAR)
    guess = f"did you mean {near[0]!r}? Known" if near else "known"
    return ValueError(f"{what} is unknown{f' to {to}' if to else ''}; {guess} are {', '.join(known) or 'none'}")
