"""The claims record: what a run measured and what follows from it, carried by the executed notebook itself.

The record is an output of type `MIME` of the notebook. Its verdicts are a function of its per-replicate numbers:
`recompute` derives them again, and `pool` joins the numbers of several runs and derives them from all.
"""

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from itertools import chain
from pathlib import Path
from typing import Any

from autodidact.claims import schemas, verdict
from autodidact.claims.paper import Claim

MIME = "application/vnd.autodidact.claims+json"
_OWN_SEEDS = ("seed", "seeds")  # parameters in which the runs of one pool differ


def claim_entry(claim: Claim, replicates: Sequence[int | str], treatment: list, control: list) -> dict[str, Any]:
    """A claim with its measurements, as the record has it, still without a verdict."""
    return {
        "id": claim.id, "says": claim.says, "role": claim.role, "whose": claim.whose, "test": claim.test,
        "expects": claim.expects, "margin": claim.margin, "smallest": claim.smallest, "needs": claim.needs,
        "unit": claim.unit, "arms": {"treatment": claim.treatment, "control": claim.control}, "stated": claim.stated,
        "replicate": claim.replicate, "replicates": list(replicates),
        "treatment": [float(x) for x in treatment], "control": [float(x) for x in control],
    }  # fmt: skip


def recompute(record: Mapping[str, Any]) -> dict[str, Any]:
    """A new record whose effects, p-values and verdicts follow from the per-replicate numbers of this one."""
    claims = record["claims"]
    evidence = [verdict.examine(c["test"], c["expects"], c["treatment"], c["control"], c.get("margin")) for c in claims]
    places = {c["id"]: i for i, c in enumerate(claims)}
    gates = [None if c["needs"] is None else places.get(c["needs"], -1) for c in claims]
    verdicts = verdict.judge(evidence, [c["role"] for c in claims], [c["smallest"] for c in claims], gates)
    return {**record, "claims": [{**c, **_outcome(c, v)} for c, v in zip(claims, verdicts, strict=True)]}


def _outcome(claim: Mapping[str, Any], result: verdict.Verdict) -> dict[str, Any]:
    """The computed fields of a claim; None (JSON null) wherever a number does not exist, never NaN."""
    evidence, worst = result.evidence, None
    if evidence.worst is not None:
        worst = {k: claim[f"{k}s" if k == "replicate" else k][evidence.worst] for k in ("replicate", *_ARMS)}
        worst["excess"] = evidence.excess
    return {
        "mean_difference": evidence.mean,
        "ci95": evidence.interval and list(evidence.interval),
        "bootstrap95": evidence.bootstrap and list(evidence.bootstrap),
        "p": evidence.p,
        "p_holm": result.p_holm,
        "p_opposite": evidence.p_opposite,
        "p_opposite_holm": result.p_opposite_holm,
        "attainable_p": evidence.attainable,
        "worst": worst,
        "note": result.note,
        "decides": result.decides,
        "verdict": result.verdict,
    }


_ARMS = ("treatment", "control")


def validate(record: Mapping[str, Any]) -> None:
    """Raise ValueError, naming the field, unless the record fits its schema and its lists fit each other."""
    schemas.check(record, schemas.RECORD, f"record of {record.get('paper', 'an unnamed paper')}")
    for claim in record["claims"]:
        lengths = {k: len(claim[k]) for k in ("replicates", *_ARMS)}
        if len(set(lengths.values())) > 1:
            raise ValueError(f"claim {claim['id']!r}: lists differ in length: {lengths}")
        if not all(map(math.isfinite, chain(claim["treatment"], claim["control"]))):
            raise ValueError(f"claim {claim['id']!r}: a measurement is not finite")


def read_record(path: str | Path) -> dict[str, Any]:
    """The record in an executed notebook: its last output of type `MIME`, checked.

    Raises ValueError, naming the file, where it holds none, is no notebook, or the record does not fit its schema.
    """
    try:
        cells = json.loads(Path(path).read_text(encoding="utf-8"))["cells"]
        outputs = chain.from_iterable(cell.get("outputs", ()) for cell in cells)
        found = [output["data"][MIME] for output in outputs if MIME in output.get("data", ())]
    except (KeyError, TypeError, AttributeError, json.JSONDecodeError) as error:
        raise ValueError(f"{path} is not a notebook: {error!r}") from None
    if not found:
        raise ValueError(f"{path} holds no claims record: it was not executed to its verdicts")
    validate(found[-1])
    return found[-1]


def pool(records: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """One record out of several runs of a paper: all replicates together, verdicts computed anew.

    The runs share paper, scale, claims, code and every parameter but `seed` and `seeds`. Replicates that are seeds must
    all differ. Of other replicates (an instance, a context) each run may hold the same one: it is kept once if the
    numbers agree. Raises ValueError that names what differs or what repeats.
    """
    records = list(records)
    if not records:
        raise ValueError("records is empty: there is nothing to pool")
    first = records[0]
    for other in records[1:]:
        _same_run(first, other)
    definitions = [[_definition(c) for c in r["claims"]] for r in records]
    if any(d != definitions[0] for d in definitions):
        raise ValueError(f"the records of {first['paper']} differ in their claims: paper.yaml changed between the runs")
    parameters = [r["parameters"] for r in records]
    seeds = {"seed": min(p["seed"] for p in parameters), "seeds": sum(p["seeds"] for p in parameters)}
    pooled = {
        **first,
        "parameters": {**first["parameters"], **seeds},
        "seconds": math.fsum(r["seconds"] for r in records),
        "code": {name: digest for r in reversed(records) for name, digest in r["code"].items()},
        "claims": [_join([r["claims"][i] for r in records]) for i in range(len(first["claims"]))],
    }
    return recompute(pooled)


def _same_run(first: Mapping[str, Any], other: Mapping[str, Any]) -> None:
    """Refuse records that differ in anything but their seeds; of code, the modules that both name are compared."""
    pairs = {name: (first[name], other[name]) for name in ("paper", "scale")}
    names = [n for n in {**first["parameters"], **other["parameters"]} if n not in _OWN_SEEDS]
    pairs |= {f"parameter {n}": (first["parameters"].get(n), other["parameters"].get(n)) for n in names}
    pairs |= {f"code of {n}": (d, other["code"][n]) for n, d in first["code"].items() if n in other["code"]}
    for name, (one, two) in pairs.items():
        if one != two:
            raise ValueError(
                f"cannot pool records of {first['paper']}: {name} is {one!r} in one and {two!r} in another"
            )


def _definition(claim: Mapping[str, Any]) -> dict[str, Any]:
    names = ("id", "role", "whose", "test", "expects", "margin", "smallest", "needs", "unit", "replicate", "stated")
    return {k: claim[k] for k in names}


def _join(parts: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """The measurements of one claim over all runs, ordered by replicate where these are seeds."""
    measured: dict[int | str, tuple[float, float]] = {}
    for part in parts:
        for replicate, *values in zip(part["replicates"], part["treatment"], part["control"], strict=True):
            same = replicate in measured and part["replicate"] != "seed" and _agree(measured[replicate], values)
            if replicate in measured and not same:
                raise ValueError(f"claim {part['id']!r}: replicate {replicate!r} occurs in more than one record")
            measured.setdefault(replicate, tuple(values))
    order = sorted(measured) if all(isinstance(r, int) for r in measured) else list(measured)
    treatment, control = zip(*(measured[r] for r in order), strict=True)
    return {**parts[0], "replicates": order, "treatment": list(treatment), "control": list(control)}


def _agree(one: Sequence[float], two: Sequence[float]) -> bool:
    return all(math.isclose(a, b, rel_tol=1e-9, abs_tol=1e-12) for a, b in zip(one, two, strict=True))
