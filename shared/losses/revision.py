r"""Losses of a policy that also revises: it is scored with a draft in its prompt, too."""

from torch import Tensor

from autodidact.losses.shapes import positive, same_shape


def srpo(
    chosen: Tensor,
    rejected: Tensor,
    ref_chosen: Tensor,
    ref_rejected: Tensor,
    w_given_l: Tensor,
    l_given_l: Tensor,
    w_given_w: Tensor,
    l_given_w: Tensor,
    ref_w_given_l: Tensor,
    ref_l_given_l: Tensor,
    ref_w_given_w: Tensor,
    ref_l_given_w: Tensor,
    p: Tensor | None = None,
    *,
    alpha: float = 0.8,
    beta: float = 0.01,
) -> Tensor:
    r"""Self-improving robust preference optimisation: a generator and its own improver, each regressed on the other.

        L   = (1 - alpha) L_g + alpha L_d
        L_g = [ 2p - 1 - beta (A(w|l) + R(w) - A(l|w) - R(l)) ]^2
        L_d = [ p - 1/2 - beta (A(w|l) - A(l|l)) ]^2 + [ p - 1/2 - beta (A(w|w) - A(l|w)) ]^2
        R(y) = log pi(y|x) - log ref(y|x),    A(b|a) = log pi(b|a,x) - log ref(b|a,x)

    w is the chosen response, l the rejected one; pi(b|a,x) answers b to a prompt that shows x and the draft a. A plain
    label is p = 1, with targets 1 (generator) and 1/2 (improver). With exact p, or with labels drawn from it, the
    minimum over all policies is the solution of the game, y1 ~ pi(.|x) and y2 ~ pi'(.|y1,x),

        min_pi max_pi' E[ p(y2 beats y1|x) - beta KL(pi'(.|y1,x) || ref) + beta KL(pi(.|x) || ref) ]
        pi'(b|a,x) = ref(b|a,x) exp(p(b beats a|x) / beta) / Z(a,x),   pi(y|x) ~ ref(y|x) / Z(y,x)

    whoever wrote the pairs, as long as every response occurs.

    chosen, rejected: (batch,), nats a sequence, log pi under the plain prompt. w_given_l, l_given_l: of the same two
    responses under the prompt with the rejected one as its draft; w_given_w, l_given_w: with the chosen one. ref_*: the
    same six under the frozen reference, with the draft wherever the policy has one. p: (batch,), in [0, 1], the
    probability that chosen beats rejected (None: 1, a label). alpha: weight of the improver, in [0, 1]; 0 trains the
    generator's identity alone, 1 the improver alone. beta: 1/nats; targets lie 1 / (2 beta) and 1 / beta nats away.
    Returns (batch,); 1 - alpha / 2 where policy and reference agree and p is 1. Gradients flow into all six terms.
    Raises ValueError for shapes that differ, an alpha or a p outside [0, 1] and a beta that is not positive.

    Source: Choi et al. 2024, arXiv 2406.01660, the sample loss of its algorithm. No code of the authors is known; the
    only other implementation (huggingface/trl pull request 1772, closed) has labels only, and the defaults used here.
    """
    scores = {
        "chosen": chosen,
        "rejected": rejected,
        "ref_chosen": ref_chosen,
        "ref_rejected": ref_rejected,
        "w_given_l": w_given_l,
        "l_given_l": l_given_l,
        "w_given_w": w_given_w,
        "l_given_w": l_given_w,
        "ref_w_given_l": ref_w_given_l,
        "ref_l_given_l": ref_l_given_l,
        "ref_w_given_w": ref_w_given_w,
        "ref_l_given_w": ref_l_given_w,
    }
    same_shape(**scores, **({} if p is None else {"p": p}))
    positive(beta=beta)
    if not 0 <= alpha <= 1:
        raise ValueError(f"alpha={alpha!r} must lie in [0, 1]: the weight of the improver")
    outside = [] if p is None else p[~((p >= 0) & (p <= 1))]
    if len(outside):
        raise ValueError(f"p={outside[0].item()!r} must lie in [0, 1]: the probability that chosen beats rejected")
    target = 0.5 if p is None else p.detach() - 0.5
    w_l, l_l = w_given_l - ref_w_given_l, l_given_l - ref_l_given_l
    w_w, l_w = w_given_w - ref_w_given_w, l_given_w - ref_l_given_w
    generator = (2 * target - beta * (w_l + (chosen - ref_chosen) - l_w - (rejected - ref_rejected))) ** 2
    improver = (target - beta * (w_l - l_l)) ** 2 + (target - beta * (w_w - l_w)) ** 2
    return (1 - alpha) * generator + alpha * improver
