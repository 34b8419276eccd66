"""Losses of heads on pairs: shares, ties with a learned parameter, and a head that knows its spread.

All take margins or scores and shares in one layout and return a loss for each cell, in nats; a
recipe weighs and adds them.
"""  # noqa: E501

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import nn

from normwright.models.scorers import SMALLEST_SPREAD


class TiedHead(nn.Module):
    """A linear head with a tie parameter a row, while it is trained.

    The parameter lives in the head so that optimizers, checkpoints and adapters carry it; what is
    exported is the linear layer alone.
    """

    def __init__(self, linear: nn.Linear) -> None:
        super().__init__()
        self.linear = linear
        self.tie = nn.Parameter(torch.zeros(linear.out_features, device=linear.weight.device))

    def forward(self, states: torch.Tensor) -> torch.Tensor:
        """Return the linear layer's scores."""
        scores: torch.Tensor = self.linear(states)
        return scores


def shares_loss(margin: torch.Tensor, shares: torch.Tensor) -> torch.Tensor:
    """Return the cross-entropy of shares under Bradley and Terry, whose minimiser is their logit.

    Args:
        margin: score of the chosen answer less that of the rejected, any shape.
        shares: for the chosen answer, for neither, and for the rejected, shape (*margin, 3); a tie
            counts half for each.
    """
    p = shares[..., 0] + shares[..., 1] / 2
    return -(p * F.logsigmoid(margin) + (1 - p) * F.logsigmoid(-margin))


def davidson_loss(margin: torch.Tensor, shares: torch.Tensor, tie: torch.Tensor) -> torch.Tensor:
    """Return the cross-entropy of shares with ties under Davidson (1970).

    `P(a) : P(tie) : P(b) = e^(m/2) : nu : e^(-m/2)` with `nu = e^tie`. Arguments as in
    `shares_loss`; `tie` broadcasts to `margin`.
    """
    outcomes = torch.stack([margin / 2, tie.expand_as(margin), -margin / 2], -1)
    return -(shares * F.log_softmax(outcomes, -1)).sum(-1)


def rao_kupper_loss(margin: torch.Tensor, shares: torch.Tensor, tie: torch.Tensor) -> torch.Tensor:
    """Return the cross-entropy of shares with ties under Rao and Kupper (1967).

    `P(a) = s(m - eta)`, `P(b) = s(-m - eta)`, with `eta = softplus(tie) > 0`: what is nearer than
    a threshold is not told apart.
    """
    eta = F.softplus(tie).expand_as(margin)
    first, last = F.logsigmoid(margin - eta), F.logsigmoid(-margin - eta)
    between = torch.log(torch.expm1(2 * eta)) + first + last
    return -(shares * torch.stack([first, between, last], -1)).sum(-1)


def spread_of(raw: torch.Tensor) -> torch.Tensor:
    """Return the standard deviation that a spread head's second output stands for, above zero."""
    return F.softplus(raw) + SMALLEST_SPREAD


def spread_loss(scores: torch.Tensor, shares: torch.Tensor) -> torch.Tensor:
    """Return the cross-entropy of shares where each answer's utility is normal among people.

    `P(a) = Phi((mu_a - mu_b) / sqrt(s_a^2 + s_b^2))` (Siththaranjan et al. 2024, arXiv
    2312.08358), exactly, by `log_ndtr`. Multiplying all means and spreads alike changes no
    probability, so a weak pull draws the log spread of a pair to that of unit variances.

    Args:
        scores: mean and raw spread of the chosen and the rejected, shape (pairs, 2, 2).
        shares: shape (pairs, 3).
    """
    mean, spread = scores[..., 0], spread_of(scores[..., 1])
    z = (mean[:, 0] - mean[:, 1]) / (spread**2).sum(1).sqrt()
    p = shares[..., 0] + shares[..., 1] / 2
    losses = -(p * torch.special.log_ndtr(z) + (1 - p) * torch.special.log_ndtr(-z))
    loss: torch.Tensor = losses + 0.01 * spread.log().mean(1) ** 2
    return loss


def cost_loss(scores: torch.Tensor, unsafe: torch.Tensor) -> torch.Tensor:
    """Return the cross-entropy of labels with the sign of a cost: above 0 is unsafe.

    Args:
        scores: cost of each answer, shape (rows,).
        unsafe: share of people who find it unsafe, in [0, 1].
    """
    return -(unsafe * F.logsigmoid(scores) + (1 - unsafe) * F.logsigmoid(-scores))
