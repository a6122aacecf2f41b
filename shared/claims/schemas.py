"""JSON schemas of `paper.yaml` and of the claims record, and the check that names file and field."""

import sys
from typing import Any

_TEXT = {"type": "string", "minLength": 1}
_NUMBER = {"type": "number"}
_MAYBE = {"type": ["number", "null"]}
_SHARE = {"type": ["number", "null"], "minimum": 0, "maximum": 1}
_INTERVAL = {"oneOf": [{"type": "null"}, {"type": "array", "items": _NUMBER, "minItems": 2, "maxItems": 2}]}
_NUMBERS = {"type": "array", "items": _NUMBER, "minItems": 1}
_ID = {"type": "string", "pattern": "^[a-z0-9]+(-[a-z0-9]+)*$"}
_ROLE = {"enum": ["central", "supporting", "control"]}


def _test(test: str, expects: list[str], margin: dict, required: bool) -> dict:
    """The branch of one test: which expectations and which margin go with it."""
    smallest = {} if test == "difference" else {"smallest": {"type": "null"}}  # there the margin says what matters
    then = {"properties": {"expects": {"enum": expects}, "margin": margin, **smallest}}
    if required:
        then["required"] = ["margin"]
    return {"if": {"properties": {"test": {"const": test}}}, "then": then}


_TESTS = [
    _test("difference", ["greater", "less"], {"type": "null"}, False),
    _test("equivalence", ["equal", "at_least", "at_most"], {"type": "number", "exclusiveMinimum": 0}, True),
    _test("exact", ["at_least", "at_most", "equal"], {"type": "number", "minimum": 0}, True),
]
VERDICTS = ("reproduced", "contradicted", "negligible", "open", "untested")
_WHOSE = {"enum": ["paper", "ours"]}
_SMALLEST = {"oneOf": [{"type": "null"}, {"type": "number", "exclusiveMinimum": 0}]}
_GATE = {"oneOf": [{"type": "null"}, _ID]}
_SCALE = {
    "type": "object",
    "properties": {
        "like": _TEXT,
        "seed": {"type": "integer", "minimum": 0},
        "seeds": {"type": "integer", "minimum": 1},
        "threads": {"type": ["integer", "null"], "minimum": 1},
    },
}
_TEST_NAMES = {"enum": ["difference", "equivalence", "exact"]}
_EXPECTS = {"enum": ["greater", "less", "equal", "at_least", "at_most"]}

CLAIM = {
    "type": "object",
    "properties": {
        "id": _ID,
        "role": _ROLE,
        "test": _TEST_NAMES,
        "expects": _EXPECTS,
        "margin": _MAYBE,
        "whose": _WHOSE,
        "smallest": _SMALLEST,
        "needs": _GATE,
        **{k: _TEXT for k in ("says", "measures", "unit", "treatment", "control", "reported", "replicate")},
    },
    "required": [
        "id", "says", "measures", "unit", "treatment", "control", "test", "expects", "role", "whose", "reported",
    ],
    "additionalProperties": False,
    "allOf": _TESTS,
}  # fmt: skip
_FINDING = {
    "type": "object",
    "properties": {
        "says": _TEXT,
        "verdicts": {"type": "object", "additionalProperties": {"enum": list(VERDICTS)}, "minProperties": 1},
    },
    "required": ["says", "verdicts"],
    "additionalProperties": False,
}
BOUNDS = ("at_least", "above", "at_most", "below")
_BOUND = {"type": ["number", "string"]}  # a number, or the name of another parameter
_ENTRIES = {"type": "object", "properties": {k: _NUMBER for k in BOUNDS}, "additionalProperties": False}
_FIELD = {
    "type": "object",
    "properties": {
        **{k: _BOUND for k in BOUNDS},
        "among": _TEXT,  # another parameter, a list, of whose entries this one is one
        "choices": {"type": "array", "minItems": 1},
        "is": {"enum": ["model", "world", "text", "pattern"]},
        "of": _TEXT,
        "offers": {"type": "array", "items": _TEXT, "minItems": 1},  # what a world must have
        "entries": _ENTRIES,  # how many a list has; one or more where nothing is said
        "rising": {"const": True},
        "distinct": {"const": True},
    },
    "additionalProperties": False,
    "minProperties": 1,
}
_FIELDS = {"type": "object", "additionalProperties": _FIELD, "minProperties": 1}
_RULE = {**_FIELD, "properties": {**_FIELD["properties"], "fields": _FIELDS}}  # fields: of a mapping, a rule for each
_JUDGED = {"type": "object", "additionalProperties": {"type": "array", "items": _ID, "minItems": 1}, "minProperties": 1}
_COMPARE = {
    "type": "object",
    "properties": {"metric": _TEXT, "before": _MAYBE, "after": _MAYBE},
    "required": ["metric", "before", "after"],
    "additionalProperties": False,
}
PAPER = {
    "type": "object",
    "properties": {
        "slug": _ID,
        "authors": {"oneOf": [_TEXT, {"type": "array", "items": _TEXT, "minItems": 1}]},
        "year": {"type": "integer", "minimum": 1950},
        "arxiv": {"type": ["string", "null"]},
        "venue": {"type": ["string", "null"]},
        "code": {"type": ["string", "null"]},
        **{k: _TEXT for k in ("name", "title", "kind", "summary")},
        "finding": _FINDING,
        "parameters": {"type": "object", "additionalProperties": _RULE},
        "judged": {"type": "object", "additionalProperties": _JUDGED},
        "claims": {"type": "array", "items": CLAIM, "minItems": 1},
        "scales": {"type": "object", "required": ["toy"], "additionalProperties": _SCALE},
        "compare": {"oneOf": [{"type": "null"}, _COMPARE, {"type": "array", "items": _COMPARE}]},
    },
    "required": [
        "slug", "name", "title", "authors", "year", "arxiv", "kind", "summary", "finding", "claims", "scales",
        "compare",
    ],
    "additionalProperties": False,
}  # fmt: skip

_WORST = {"type": "object", "required": ["replicate", "treatment", "control", "excess"]}
RESULT = {
    "type": "object",
    "properties": {
        "id": _ID,
        "role": _ROLE,
        "test": _TEST_NAMES,
        "expects": _EXPECTS,
        "margin": _MAYBE,
        "whose": _WHOSE,
        "smallest": _SMALLEST,
        "needs": _GATE,
        "stated": _TEXT,
        **{k: _TEXT for k in ("says", "unit", "replicate")},
        "arms": {"type": "object", "required": ["treatment", "control"], "additionalProperties": _TEXT},
        "replicates": {"type": "array", "items": {"type": ["integer", "string"]}, "minItems": 1, "uniqueItems": True},
        "treatment": _NUMBERS,
        "control": _NUMBERS,
        "mean_difference": _NUMBER,
        "ci95": _INTERVAL,
        "bootstrap95": _INTERVAL,
        **{k: _SHARE for k in ("p", "p_holm", "p_opposite", "p_opposite_holm", "attainable_p")},
        "worst": {"oneOf": [{"type": "null"}, _WORST]},
        "note": {"type": ["string", "null"]},
        "decides": {"type": ["integer", "null"], "minimum": 1},
        "verdict": {"enum": list(VERDICTS)},
    },
    "required": [
        "id", "role", "whose", "test", "expects", "margin", "smallest", "needs", "stated", "unit", "replicate",
        "replicates", "treatment", "control", "mean_difference", "ci95", "p", "p_holm", "decides", "verdict",
    ],
    "allOf": _TESTS,
}  # fmt: skip
_HASHES = {"type": "object", "required": ["notebook"], "additionalProperties": {"type": ["string", "null"]}}
_MACHINE = {
    "type": "object",
    "properties": {
        "cpu": {"type": ["string", "null"]},
        "capability": {"type": ["string", "null"]},
        "threads": {"type": ["integer", "null"]},
    },
    "required": ["cpu", "capability", "threads"],
}
_STAMP = {
    "type": "object",
    "properties": {"before": _TEXT, "code": _TEXT, "seeds": {"type": "array"}, "machine": _MACHINE},
    "required": ["before", "code", "seeds"],
}
RECORD = {
    "type": "object",
    "properties": {
        "paper": _ID,
        "scale": _TEXT,
        "parameters": {
            "type": "object",
            "properties": {
                "seed": {"type": "integer", "minimum": 0},
                "seeds": {"type": "integer", "minimum": 1},
            },
            "required": ["seed", "seeds"],
        },
        "seconds": {"type": "number", "minimum": 0},
        "device": _TEXT,
        "machine": _MACHINE,
        "generalises": {"type": "string"},
        "confirmed": {"type": "array", "items": _STAMP},
        "versions": {"type": "object", "additionalProperties": {"type": "string"}},
        "code": _HASHES,
        "claims": {"type": "array", "items": RESULT, "minItems": 1},
    },
    "required": ["paper", "scale", "parameters", "seconds", "versions", "machine", "code", "claims"],
}


def check(data: Any, schema: dict, where: str) -> None:
    """Raise ValueError in one line, naming `where` and the field, if `data` does not fit `schema`."""
    # jsonschema builds a grammar of addresses when it is imported, 1.5 s for a format that no schema here has.
    missing = sys.modules.setdefault("rfc3987_syntax", None) is None
    from jsonschema import Draft202012Validator, exceptions

    if missing:
        sys.modules.pop("rfc3987_syntax", None)
    error = exceptions.best_match(Draft202012Validator(schema).iter_errors(data))
    if error is not None:
        field = ".".join(_name(data, list(error.absolute_path)))
        raise ValueError(f"{where}: {field or 'top level'}: {' '.join(error.message.split())[:300]}")


def _name(data: Any, path: list) -> list[str]:
    """The steps to a field; an entry of a list that has an id is called by it."""
    names = []
    for step in path:
        data = data[step]
        named = isinstance(step, int) and isinstance(data, dict) and "id" in data
        names.append(str(data["id"] if named else step))
    return names
