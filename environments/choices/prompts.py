"""What is said to a language model, in the authors' words, and what its answers mean."""

import json
import re

import numpy as np

from autodidact.environments.choices.contexts import Context

SYSTEM = "Your job is to make hypothetical decisions on behalf of different people or characters."
DECISION = (
    '[DECISION TASK] Respond with "A" if you think Option A is better, or "B" if you think Option B is better. '
    'Never respond with anything except "A" or "B":\n\n'
)
INTROSPECTION = (
    "[INTROSPECTION TASK] Respond with how heavily you believe you weighted each of the five dimensions while making "
    "your decision on a scale from -100 to 100. Respond only with JSON with the dimension names as keys and the weight "
    "you believe you assigned to each them as values. Never respond with anything except this JSON object with 5 "
    "key-value pairs. (Do not report your decision itself.):\n\n"
)
_NUMBER = re.compile(r"\s*[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?\s*", re.ASCII)
_FENCE = re.compile(r"\A```(?:json)?\s*(.*?)\s*```\Z", re.DOTALL)


def decision_prompt(context: Context, options: np.ndarray) -> str:
    """The text that asks for A or B; options (2, 5) in the attributes' units."""
    return DECISION + _question(context, options)


def report_prompt(context: Context, options: np.ndarray) -> str:
    """The text that asks for the five weights, with a pair of options shown; options (2, 5) as above."""
    return INTROSPECTION + _question(context, options)


def report_text(context: Context, weights: np.ndarray) -> str:
    """The report that names these weights (5,), rounded to whole numbers, keys in the order of the attributes."""
    return json.dumps({a.name: round(float(w)) for a, w in zip(context.attributes, weights, strict=True)})


def parse_choice(text: str) -> float:
    """1 for "A", 0 for "B", NaN for anything else."""
    return {"A": 1.0, "B": 0.0}.get(text.strip(), np.nan)


def parse_report(context: Context, text: str) -> np.ndarray:
    """The five weights of a report, (5,); all NaN unless it is JSON with exactly the five names and finite numbers.

    As the authors do: a fence of backticks is taken off, the order of the keys does not matter, values are neither
    clipped nor rescaled, and a number in quotation marks is that number (in their CSV files it has none). "40%" is not.
    """
    malformed = np.full(len(context.attributes), np.nan)
    text = text.strip()
    fenced = _FENCE.match(text)
    try:
        report = json.loads(fenced[1] if fenced else text)
    except (ValueError, RecursionError):
        return malformed
    names = [a.name for a in context.attributes]
    if not isinstance(report, dict) or set(report) != set(names):
        return malformed
    values = [float(v) if isinstance(v, str) and _NUMBER.fullmatch(v) else v for v in map(report.get, names)]
    if not all(isinstance(v, int | float) and not isinstance(v, bool) and abs(v) < 1e12 for v in values):
        return malformed
    return np.array(values, float)


def parse_options(context: Context, text: str) -> np.ndarray:
    """The options (2, 5) that a prompt about this context shows; ValueError, with what was found, for another text."""
    lines = text.split(context.question, 1)[-1].strip().splitlines()
    names = [a.name for a in context.attributes]
    found = [line.partition(": ")[::2] for line in lines if line not in ("", "A:", "B:")]
    if [name for name, _ in found] != 2 * names:
        raise ValueError(f"context {context.name!r} has the attributes {names}, but a prompt shows {lines[:3]}")
    return np.array([float(value.split(" ")[0]) for _, value in found]).reshape(2, -1)


def _question(context: Context, options: np.ndarray) -> str:
    return f"{context.question}\n{_option('A', context, options[0])}\n\n{_option('B', context, options[1])}"


def _option(letter: str, context: Context, values: np.ndarray) -> str:
    lines = [f"{a.name}: {float(v)} {a.unit}" for a, v in zip(context.attributes, values, strict=True)]
    return "\n".join([f"{letter}:", *lines])
