"""A model as its own judge: points added up criterion by criterion, 0 to 5, read off what it writes."""

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from autodidact.models.policy import Policy

ADDITIVE_PROMPT = """Judge the response to the user's question by adding up points, one for each criterion it meets:

- 1 point if the response is on the subject and gives some information, even if incomplete or partly beside the point.
- 1 more if it deals with a large part of the question, though it need not settle it or answer it directly.
- 1 more if it answers the basic parts of the question in a useful way, whoever seems to have written it.
- 1 more if it answers directly and in full, clear, well organised and helpful, even if it could be more concise.
- 1 more if it fits the question without a flaw: nothing superfluous, expert knowledge, a high-quality answer.

User: {prompt}

<response>{response}</response>

First justify the points in at most 100 words. Then end with the sum in this form: "Score: <total points>"
"""
MOST = 5
_SCORE = re.compile(r"score\s*[:=]\s*\**\s*<?\s*(\d+(?:\.\d+)?)\s*>?\s*(/\s*5)?(?!\d|\.\d|\s*/)", re.IGNORECASE)


def additive_score(text: str) -> float | None:
    """The points that a judgement ends in, 0 to 5; None for a malformed one.

    The last "Score: n" counts, also "score: 4/5", "Score: <3>", "Score: **4**" and "Score: 3.5". Malformed: no such
    words, a number over 5, or another denominator than 5.
    """
    found = _SCORE.findall(text)
    last = text.lower().rpartition("score")[2]
    if not found or not _SCORE.match("score" + last):  # the last mention is no score that can be read
        return None
    points = float(found[-1][0])
    return points if points <= MOST else None


class AdditiveJudge:
    """Rewards a response by the mean of several sampled judgements on the additive 5-point scale.

    policy: the judge, in self-rewarding the policy that answered. samples: judgements a response, of which the mean
    counts; malformed ones are left out. malformed: the reward of a response without a readable judgement, by default
    the lowest, so that what cannot be judged is never chosen. template: a text with {prompt} and {response}.
    `asked` and `unread` count judgements, and those that were malformed.

    Source: Yuan et al. 2024, arXiv 2401.10020, the LLM-as-a-Judge prompt; criteria and form of the answer are theirs,
    the wording is ours. The reward of the plain self-rewarding baseline of CREAM (arXiv 2410.12735).
    Raises ValueError for less than one sample, and for a template that lacks one of the two places.
    """

    def __init__(
        self,
        policy: "Policy",
        *,
        samples: int = 3,
        temperature: float = 0.7,
        top_p: float = 0.9,
        max_new_tokens: int = 160,
        malformed: float = 0.0,
        template: str = ADDITIVE_PROMPT,
    ) -> None:
        if samples < 1:
            raise ValueError(f"samples={samples} must be at least 1")
        for place in ("{prompt}", "{response}"):
            if place not in template:
                raise ValueError(f"template lacks {place}; it begins {template[:40]!r}")
        self.policy, self.samples, self.malformed, self.template = policy, samples, malformed, template
        self.options = {"temperature": temperature, "top_p": top_p, "max_new_tokens": max_new_tokens}
        self.asked = self.unread = 0

    def rewards(
        self, prompts: Sequence[str], responses: Sequence[Sequence[str]], rng: np.random.Generator
    ) -> np.ndarray:
        """Mean points of every response, (prompts, N), 0 to 5; `malformed` where no judgement could be read.

        prompts: texts. responses: N for every prompt. Raises ValueError where the two differ in number.
        """
        if len(prompts) != len(responses):
            raise ValueError(f"prompts and responses must be as many: {len(prompts)} and {len(responses)} were given")
        asked = [self._question(x, y) for x, row in zip(prompts, responses, strict=True) for y in row]
        judged = self.policy.generate(asked, self.samples, rng=rng, **self.options)
        points = [[additive_score(sample.text) for sample in row] for row in judged]
        self.asked += sum(map(len, points))
        self.unread += sum(value is None for row in points for value in row)
        read = [[value for value in row if value is not None] for row in points]
        means = iter([float(np.mean(row)) if row else self.malformed for row in read])
        return np.array([[next(means) for _ in row] for row in responses])

    def _question(self, prompt: str, response: str) -> str:
        """The template filled in; braces within the texts stay as they are."""
        before, _, rest = self.template.partition("{prompt}")
        return before + prompt + rest.replace("{response}", response)
