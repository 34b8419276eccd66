"""Attack a model: templated dialogues around scenes, each with a benign twin, counted with bounds.

Attacks are data; one small engine plays them. The judge is passed in and is never the model that
rewarded.
"""

from normwright.redteam.attacks import Attack, load_attacks
from normwright.redteam.campaign import Judging, campaign
from normwright.redteam.rates import rates

__all__ = ["Attack", "Judging", "campaign", "load_attacks", "rates"]
