"""Losses on preferences as pure functions of tensors, each with what minimises it.

Notation: `h(y) = log pi(y|x) - log pi_ref(y|x)` summed over an answer with its stop token, in nats;
`z = beta (h(a) - h(b))` is the margin of a pair; `p` is the share of people who prefer `a`. All
losses are a row's own, unweighted, so that rows can be weighted by people, questions or groups.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F


def bernoulli_losses(z: torch.Tensor, p: torch.Tensor) -> torch.Tensor:
    """Return the cross-entropy between shares and a Bradley-Terry margin, in nats.

    Minimiser: `sigma(z) = p` for a single pair; over many, the Bradley-Terry projection of the
    shares, which is the maximum-likelihood fit of the votes if rows weigh by their number. With p
    in {0, 1} it is DPO (Rafailov et al. 2023), which on separable data has no finite minimiser.
    """
    return -(p * F.logsigmoid(z) + (1 - p) * F.logsigmoid(-z))


def entropies(p: torch.Tensor) -> torch.Tensor:
    """Return the entropy of each share in nats: the least that `bernoulli_losses` can reach."""
    return -(torch.xlogy(p, p) + torch.xlogy(1 - p, 1 - p))


def borda_losses(z: torch.Tensor, p: torch.Tensor) -> torch.Tensor:
    """Return the squared error of a margin against `p - 1/2`: IPO with soft labels.

    This is `beta^2 (h_a - h_b - (2p - 1) / (2 beta))^2`, over whole answers, not per token.
    Minimiser, where all pairs of candidates weigh alike: `pi = pi_ref exp(Borda / beta) / Z` with
    Borda the mean share a candidate wins (Azar et al. 2023, arXiv 2310.12036).
    """
    return (z - (p - 0.5)) ** 2


def majority_shares(p: torch.Tensor, sharpness: float) -> torch.Tensor:
    """Return `sigma(sharpness (p - 1/2))`: shares moved towards the side of the majority.

    As sharpness grows `bernoulli_losses` of these sees the majority graph alone (soft Copeland).
    """
    return torch.sigmoid(sharpness * (p - 0.5))


def misorder_losses(z: torch.Tensor, p: torch.Tensor, width: float) -> torch.Tensor:
    """Return the smoothed count of people a margin's order goes against (soft Kemeny).

    `|2p - 1| sigma(-sign(2p - 1) z / width)`: as width falls to 0, the weighted number of pairs
    ordered against their majority, which Kemeny's order minimises. Bounded, not convex.
    """
    lean = 2 * p - 1
    return lean.abs() * torch.sigmoid(-torch.sign(lean) * z / width)


def listwise_losses(
    logits: torch.Tensor, target: torch.Tensor, present: torch.Tensor
) -> torch.Tensor:
    """Return the cross-entropy between target distributions and candidates' softmax, in nats.

    Minimiser with `logits = beta h` and `target = softmax(s / T)`: on the candidates
    `pi ~ pi_ref exp(s / (T beta))`, whatever rule gave the scores s.

    Args:
        logits: shape (rows, most candidates).
        target: probabilities, each row sums to 1, the same shape.
        present: true where there is a candidate, the same shape.
    """
    scores = torch.log_softmax(logits.masked_fill(~present, -torch.inf), -1)
    return -(target * scores.masked_fill(~present, 0.0)).sum(-1)


def multi_objective(
    z: torch.Tensor, others: torch.Tensor, weights: torch.Tensor, own: float
) -> torch.Tensor:
    """Return the margin of one objective when fixed rewards stand for the others (MODPO).

    `(z - sum_j w_j d_j) / w_0`: fitting it to people's shares of this objective makes
    `pi ~ pi_ref exp((w_0 r_0 + sum_j w_j r_j) / beta)` (Zhou et al. 2023, arXiv 2310.03708).

    Args:
        z: margins, shape (pairs,).
        others: differences chosen - rejected of the fixed rewards, shape (pairs, objectives).
        weights: what each of them weighs, shape (objectives,).
        own: what this objective weighs, above 0.
    """
    return (z - others @ weights) / own


def lengthened(z: torch.Tensor, longer: torch.Tensor, alpha: float) -> torch.Tensor:
    """Return `z + alpha (|a| - |b|)`: length pays `alpha` a token of the reward (R-DPO).

    The minimiser becomes `pi ~ pi_ref exp((r - alpha length) / beta)` (Park et al. 2024, arXiv
    2403.19159).

    Args:
        z: margins, shape (pairs,).
        longer: tokens by which the first answer is longer, shape (pairs,).
        alpha: price of a token, in units of reward.
    """
    return z + alpha * longer


def guarded_losses(
    z: torch.Tensor, p: torch.Tensor, lost: torch.Tensor, lost_other: torch.Tensor
) -> torch.Tensor:
    """Return `bernoulli_losses` in which a side counts less where its own likelihood has fallen.

    With p = 1 it is DPO-Positive (Pal et al. 2024, arXiv 2402.13228): z falls by what the chosen
    answer lost. With shares each side carries its own loss. Where nothing is lost, nothing changes.

    Args:
        z: margins, shape (pairs,).
        p: shares.
        lost: beta lambda max(0, log pi_ref - log pi) of the first answer, shape (pairs,).
        lost_other: the same of the second.
    """
    return -(p * F.logsigmoid(z - lost) + (1 - p) * F.logsigmoid(-z - lost_other))


def shortfall(logprobs: torch.Tensor, reference: torch.Tensor) -> torch.Tensor:
    """Return the log-probability each answer has lost against the reference; 0 where it gained."""
    return (reference - logprobs).clamp_min(0.0)


def hidden_similarity(
    first: torch.Tensor, second: torch.Tensor, lengths: tuple[torch.Tensor, torch.Tensor]
) -> torch.Tensor:
    """Return the centred hidden embedding similarity (CHES) of pairs, by length.

    `<s_a, s_b> / (|a| |b|) - |s_a|^2 / |a|^2`, with s the sum of last-layer states that predict an
    answer's tokens. High where raising a over b lowers a itself, because their states nearly agree
    (Razin et al. 2024, arXiv 2410.08847).

    Args:
        first: sums of hidden states of preferred answers, shape (pairs, width).
        second: the same of the others.
        lengths: tokens of both, each of shape (pairs,).
    """
    a, b = first / lengths[0][:, None], second / lengths[1][:, None]
    return (a * b).sum(-1) - (a * a).sum(-1)
