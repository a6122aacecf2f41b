"""The authors' own contexts, weights and training examples, as a world of choices."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from autodidact.environments.choices import prompts
from autodidact.environments.choices.contexts import ATTRIBUTES, Attribute, Context
from autodidact.environments.choices.files import read_json, read_lines, read_table
from autodidact.environments.choices.world import Choices, Decisions

INSTILLED, NATIVE = 100, 100  # contexts 0 to 99 are instilled, 100 to 199 native; the other 900 are not used
CHOICES_FILE = "instill_100_prefs.jsonl"
REPORTS_FILE = "instilled_weights_100_training.jsonl"
NUMBERS = range(1, ATTRIBUTES + 1)
_SCENARIO = ("scenario", "question", *(f"attr{i}{end}" for end in ("", "_min", "_max") for i in NUMBERS))


@dataclass(frozen=True)
class AuthorsChoices(Choices):
    """Choices whose contexts, weights and examples are the authors'; only what measures is drawn.

    `fixed` maps a context's name to its released weights. Examples are those of the jsonl files, the first of every
    context.
    """

    fixed: Mapping[str, list[float]] = field(default_factory=dict, compare=False, repr=False)

    def weights(self, rng: np.random.Generator) -> np.ndarray:
        """The released weights, whatever the generator, for the contexts of this world."""
        return np.array([self.fixed[context.name] for context in self.contexts])

    def choice_examples(self, contexts: np.ndarray, each: int, rng: np.random.Generator) -> Decisions:
        """The first `each` (50 at most) of the released choice examples of every context."""
        return self._first(CHOICES_FILE, contexts, each)

    def report_examples(self, contexts: np.ndarray, each: int, rng: np.random.Generator) -> Decisions:
        """The released report examples, of which there is one a context."""
        return self._first(REPORTS_FILE, contexts, each)

    def _first(self, name: str, contexts: np.ndarray, each: int) -> Decisions:
        asked = released_prompts(name)
        rows = []
        for c in contexts:
            texts = asked.get(self.contexts[c].question, [])
            if len(texts) < each:
                asked_of = self.contexts[c].name
                raise ValueError(f"{name} has {len(texts)} examples of {asked_of!r}, {each} were asked for")
            rows += [(c, prompts.parse_options(self.contexts[c], text)) for text in texts[:each]]
        return Decisions(np.array([c for c, _ in rows], int), np.array([o for _, o in rows]))


def authors_world() -> AuthorsChoices:
    """The released contexts, 100 instilled and 100 native, with the released weights."""
    table = read_table("instilled_weights.csv", ("scenario", *(f"attr{i}" for i in NUMBERS))).set_index("scenario")
    fixed = {name: row.tolist() for name, row in zip(table.index, table.to_numpy(float), strict=True)}
    return AuthorsChoices(authors_contexts(), INSTILLED, fixed=fixed)


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
