"""What came out of a paper in a sentence, and whether a record bears it out."""

from collections.abc import Mapping
from typing import Any

from autodidact.claims.paper import Paper


def finding_problems(paper: Paper, record: Mapping[str, Any]) -> list[str]:
    """What is false about the finding of `paper.yaml` by this record, a line each: a claim whose verdict is another.

    A claim that the record does not judge is one too. An empty list: the finding is borne out.
    """
    verdicts = {claim["id"]: claim["verdict"] for claim in record["claims"]}
    return [
        f"the finding needs {claim} to be {wanted}, it is {verdicts.get(claim, 'not judged')}"
        for claim, wanted in paper.finding["verdicts"].items()
        if verdicts.get(claim) != wanted
    ]


def changed_claims(paper: Paper, record: Mapping[str, Any]) -> list[str]:
    """Ids of claims that do not stand in `paper.yaml` as they stood when the record was made, new and gone ones too.

    Such a claim is to be measured again, on seeds that were not run before.
    """
    now = {claim.id: claim.stated for claim in paper.claims_at(record["scale"])}
    then = {claim["id"]: claim["stated"] for claim in record["claims"]}
    return [name for name in {**now, **then} if now.get(name) != then.get(name)]
