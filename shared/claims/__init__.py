"""Claims and their verdicts: what a paper says, what a run measured, and what follows from it by statistics."""

from autodidact.claims.paper import Claim, Paper, load_paper, papers_folder, parameter_names, resolve
from autodidact.claims.record import MIME, pool, read_record, recompute, validate
from autodidact.claims.seeds import over_seeds
from autodidact.claims.statistics import Interval, holm, mean_interval, sign_flip, t_interval
from autodidact.claims.study import Study, claims_table
from autodidact.claims.tables import html_table, text_table, verdict_rows
from autodidact.claims.verdict import ALPHA, difference, equivalence, exact, judge

__all__ = [
    "ALPHA",
    "MIME",
    "Claim",
    "Interval",
    "Paper",
    "Study",
    "claims_table",
    "difference",
    "equivalence",
    "exact",
    "holm",
    "html_table",
    "judge",
    "load_paper",
    "mean_interval",
    "over_seeds",
    "papers_folder",
    "parameter_names",
    "pool",
    "read_record",
    "recompute",
    "resolve",
    "sign_flip",
    "t_interval",
    "text_table",
    "validate",
    "verdict_rows",
]
