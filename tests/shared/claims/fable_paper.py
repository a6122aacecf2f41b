"""An invented paper: its paper.yaml as data, and the code cells of the notebook that studies it."""

CLAIM = {
    "says": "the treatment is greater", "measures": "a number", "unit": "nats", "treatment": "sppo", "control": "dpo",
    "test": "difference", "expects": "greater", "role": "central", "whose": "paper", "reported": "Table 1: 0.3",
}  # fmt: skip
PAPER = {
    "slug": "fable",
    "name": "FABLE",
    "title": "A fable",
    "authors": "Aesop",
    "year": 2020,
    "arxiv": None,
    "kind": "self-play losses",
    "summary": "A fox learns from its own grapes.",
    "finding": {"says": "The grapes hang higher.", "verdicts": {"grapes": "reproduced"}},
    "claims": [
        {"id": "grapes", **CLAIM},
        {
            "id": "sour",
            **CLAIM,
            "test": "equivalence",
            "expects": "equal",
            "margin": 0.5,
            "role": "control",
            "whose": "ours",
        },
        {"id": "law", **CLAIM, "test": "exact", "expects": "at_most", "margin": 1e-6, "replicate": "lambda"},
    ],
    "scales": {
        "toy": {"model": "tiny", "beta": 0.1, "rounds": 3, "clip": None, "soft": True, "etas": [1.0, 2.0]},
        "small": {"model": "smollm2", "beta": 0.01, "rounds": 2, "clip": 1.0, "soft": True, "etas": [1.0]},
    },
    "compare": {"metric": "win rate", "before": 17.11, "after": 28.53},
}
CELLS = [
    ("scale = 'toy'; seed = 0; seeds = 10\nmodel = None; beta = None; rounds = None", ["parameters"]),
    (
        "from autodidact.claims import Study, claims_table\nfrom autodidact.figures import by_round, panels, show\n"
        "from autodidact.streams import stream\n"
        "study = Study('fable', globals())\np = study.parameters\nclaims_table('fable')",
        [],
    ),
    (
        "import numpy as np\ncurves = []\nfor s in study.seeds():\n    study.progress('round 1')\n"
        "    x = stream(s, 'table').normal(size=3)\n    curves.append(x.cumsum() + 1)\n"
        "    study.measure('grapes', treatment=1 + 0.1 * x[0], control=p.beta, replicate=s)\n"
        "    study.measure('sour', treatment=x[1] / 10, control=0.0, replicate=s)\n"
        "study.measure('law', treatment=1.0, control=1.0, replicate='lambda=1')",
        [],
    ),
    (
        "figure, (ax,) = panels()\nby_round(ax, {'sppo': np.array(curves)}, quantity='gold score', unit='share')\n"
        "show(figure, alt='Gold by round')\n"
        "study.table([{'arm': 'sppo', 'last': [c[-1] for c in curves]}], 'Last round')",
        [],
    ),
    ("study.verdicts()", []),
]
