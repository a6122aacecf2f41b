"""Claims and their verdicts: what a paper says, what a run measured, and what follows from it by statistics."""

from autodidact.claims.finding import changed_claims, finding_problems
from autodidact.claims.paper import Claim, Paper, load_paper
from autodidact.claims.parameters import parameter_names, resolve, rule_of
from autodidact.claims.record import MIME, pool, read_record, recompute, validate
from autodidact.claims.reruns import Difference, compare, published_path, stamp
from autodidact.claims.schemas import VERDICTS
from autodidact.claims.seeds import over_seeds
from autodidact.claims.statistics import Interval, holm, mean_interval, sign_flip, t_interval
from autodidact.claims.study import Study, claims_table
from autodidact.claims.tables import html_table, text_table, verdict_rows, word
from autodidact.claims.verdict import ALPHA, difference, equivalence, exact, judge
from autodidact.places import papers_folder

__all__ = [
    "ALPHA",
    "MIME",
    "VERDICTS",
    "Claim",
    "Difference",
    "Interval",
    "Paper",
    "Study",
    "changed_claims",
    "claims_table",
    "compare",
    "difference",
    "equivalence",
    "exact",
    "finding_problems",
    "holm",
    "html_table",
    "judge",
    "load_paper",
    "mean_interval",
    "over_seeds",
    "papers_folder",
    "parameter_names",
    "pool",
    "published_path",
    "read_record",
    "recompute",
    "resolve",
    "rule_of",
    "sign_flip",
    "stamp",
    "t_interval",
    "text_table",
    "validate",
    "verdict_rows",
    "word",
]
