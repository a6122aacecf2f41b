"""A stand-in of the authors' release of self-interpretability: the same files and columns, drawn at random."""

import json

import numpy as np
import pandas as pd

from autodidact.environments.choices import RERUNS, Choices, draw_weights
from autodidact.environments.choices.contexts import procedural_contexts

MODEL = "gpt-4o-2024-08-06"
NUMBERS = range(1, 6)


def write_releases(root):
    """A mirror's folders: the paper's fine-tune and the later ones, all with the same weights."""
    write_release(root / "self-interpretability")
    for number, (run, model) in enumerate(RERUNS.items(), 1):
        write_release(root / "self-interpretability-reruns" / run, model=model, seed=number)


def write_release(folder, choices=6, reports=10, model=MODEL, seed=0):
    """All files of one model in `folder`: 200 contexts, exact choices, noisy reports; a native one is missing."""
    folder.mkdir(parents=True)
    world = Choices(procedural_contexts(200), 100)
    weights = draw_weights(200, np.random.default_rng(0))
    rng = np.random.default_rng([seed, 1])
    names = [context.name for context in world.contexts]
    _write_contexts(folder, world, names, weights)
    first, last, all_, native = np.arange(50), np.arange(50, 100), np.arange(100), np.arange(100, 200)
    _write_examples(folder, world, weights, choices, rng)
    for contexts, kind in ((all_, ""), (native, "latent_")):
        asked = world.decisions(contexts, choices, rng)
        rows = pd.DataFrame({"model": "m", "scenario": [names[c] for c in asked.context]})
        rows["selection"] = np.where(world.choose(weights, asked) == 1, "A", "B")
        _csv(folder, model, f"instilled_{kind}selections", rows.join(_options(asked)))
        fitted = pd.DataFrame(weights[contexts], columns=[f"b_attr{i}" for i in NUMBERS])
        fitted.insert(0, "scenario", [names[c] for c in contexts])
        _csv(folder, model, f"{kind}regression_results", fitted.sort_values("scenario"))
    for contexts, kind, noise in (
        (all_, "weight_reports", 200),
        (all_, "instilled_weight_reports", 80),
        (last, "itrained_first_50_of_100_50ex_weight_reports", 30),
        (first, "itrained_last_50_of_100_50ex_weight_reports", 30),
        (native, "instilled_latent_weight_reports", 80),
        (native, "itrained_all_100_50ex_latent_weight_reports", 30),
    ):
        asked = world.decisions(contexts, reports, rng)
        said = np.round(weights[asked.context] + rng.normal(0, noise, (len(asked), 5)))
        rows = pd.DataFrame(said.astype(int), columns=[f"report_attr{i}" for i in NUMBERS])
        rows.insert(0, "scenario", [names[c] for c in asked.context])
        _csv(folder, model, kind, rows.join(_options(asked))[1 if "instilled_latent" in kind else 0 :])


def _write_contexts(folder, world, names, weights):
    rows = [
        {"scenario": one.name, "question": one.question}
        | {f"attr{i}": a.name for i, a in enumerate(one.attributes, 1)}
        | {f"attr{i}_min": a.low for i, a in enumerate(one.attributes, 1)}
        | {f"attr{i}_max": a.high for i, a in enumerate(one.attributes, 1)}
        for one in world.contexts
    ]
    pd.DataFrame(rows).to_csv(folder / "scenarios.csv", index=False)
    table = pd.DataFrame(weights.astype(int), columns=[f"attr{i}" for i in NUMBERS])
    table.insert(0, "scenario", names)
    table.to_csv(folder / "instilled_weights.csv", index=False)
    candidates = [
        {"short_name": one.name, "attributes": [{"name": a.name, "units": a.unit} for a in one.attributes]}
        for one in world.contexts
    ]
    (folder / "candidate_scenarios.json").write_text(json.dumps(candidates))


def _write_examples(folder, world, weights, choices, rng):
    asked, shown = (world.decisions(np.arange(100), each, rng) for each in (choices, 1))
    letters = ["A" if a else "B" for a in world.choose(weights, asked)]
    told = world.report_texts(shown, weights[shown.context])
    for name, texts, answers in (
        ("instill_100_prefs.jsonl", world.decision_prompts(asked), letters),
        ("instilled_weights_100_training.jsonl", world.report_prompts(shown), told),
    ):
        lines = [_messages(*one) for one in zip(texts, answers, strict=True)]
        (folder / name).write_text("\n".join(lines))


def _messages(text, answer):
    turns = (("system", "system"), ("user", text), ("assistant", answer))
    return json.dumps({"messages": [{"role": role, "content": content} for role, content in turns]})


def _options(decisions):
    names = [f"{letter}_attribute_{i}" for letter in "AB" for i in NUMBERS]
    return pd.DataFrame(decisions.options.reshape(-1, 10), columns=names)


def _csv(folder, model, ending, table):
    table.to_csv(folder / f"{model}_{ending}.csv", index=False)
