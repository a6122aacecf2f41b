"""The authors' own contexts, weights and training examples, for a world of choices."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from autodidact.environments.choices import prompts
from autodidact.environments.choices.contexts import ATTRIBUTES, Attribute, Context
from autodidact.environments.choices.decisions import Decisions
from autodidact.environments.choices.files import read_json, read_lines, read_table

INSTILLED, NATIVE = 100, 100  # contexts 0 to 99 are instilled, 100 to 199 native; the other 900 are not used
CHOICES_FILE = "instill_100_prefs.jsonl"
REPORTS_FILE = "instilled_weights_100_training.jsonl"
NUMBERS = range(1, ATTRIBUTES + 1)
_SCENARIO = ("scenario", "question", *(f"attr{i}{end}" for end in ("", "_min", "_max") for i in NUMBERS))


@dataclass(frozen=True)
class Authors:
    """The released weights and training examples, looked up for the contexts of a world.

    `fixed` maps a context's name to its released weights. Examples are those of the jsonl files, the first of every
    context; `of` are indices into `contexts`. ValueError where more examples are asked for than there are.
    """

    fixed: Mapping[str, list[float]]

    @classmethod
    def released(cls) -> "Authors":
        """What the authors' table of weights holds."""
        table = read_table("instilled_weights.csv", ("scenario", *(f"attr{i}" for i in NUMBERS))).set_index("scenario")
        return cls({name: row.tolist() for name, row in zip(table.index, table.to_numpy(float), strict=True)})

    def weights(self, contexts: Sequence[Context]) -> np.ndarray:
        """The released weights of these contexts, (contexts, 5)."""
        return np.array([self.fixed[context.name] for context in contexts])

    def choice_examples(self, contexts: Sequence[Context], of: np.ndarray, each: int) -> Decisions:
        """The first `each` (50 at most) of the released choice examples of every context asked for."""
        return _first(CHOICES_FILE, contexts, of, each)

    def report_examples(self, contexts: Sequence[Context], of: np.ndarray, each: int) -> Decisions:
        """The released report examples, of which there is one a context."""
        return _first(REPORTS_FILE, contexts, of, each)


def _first(name: str, contexts: Sequence[Context], of: np.ndarray, each: int) -> Decisions:
    asked = released_prompts(name)
    rows = []
    for c in of:
        texts = asked.get(contexts[c].question, [])
        if len(texts) < each:
            raise ValueError(f"{name} has {len(texts)} examples of {contexts[c].name!r}, {each} were asked for")
        rows += [(c, prompts.parse_options(contexts[c], text)) for text in texts[:each]]
    return Decisions(np.array([c for c, _ in rows], int), np.array([o for _, o in rows]))


def authors_contexts() -> tuple[Context, ...]:
    """The first 200 contexts: questions, names and ranges of `scenarios.csv`, units of `candidate_scenarios.json`."""
    table = read_table("scenarios.csv", _SCENARIO)[: INSTILLED + NATIVE]
    units = {
        (one["short_name"], attribute["name"]): attribute["units"]
        for one in read_json("candidate_scenarios.json")
        for attribute in one["attributes"]
    }
    return tuple(_context(row, units) for row in table.to_dict("records"))


def _context(row: dict[str, Any], units: Mapping[tuple[str, str], str]) -> Context:
    named = [(i, row[f"attr{i}"]) for i in NUMBERS]
    return Context(
        row["scenario"],
        row["question"],
        tuple(
            Attribute(name, units[row["scenario"], name], row[f"attr{i}_min"], row[f"attr{i}_max"]) for i, name in named
        ),
    )


def released_prompts(name: str) -> dict[str, list[str]]:
    """Question -> the user messages about it in a released jsonl file, in their order."""
    asked: dict[str, list[str]] = {}
    for row in read_lines(name):
        text = row["messages"][1]["content"]
        asked.setdefault(text.split("\n\n", 1)[1].splitlines()[0], []).append(text)
    return asked
