"""The science of each recipe as settings: the same in a project file and for `normwright learn`.

Hardware is no setting: it is resolved where a run takes place and written beside the weights.
"""

from normwright.flow.tunings.cost import Cost
from normwright.flow.tunings.imitation import Imitation
from normwright.flow.tunings.preference import Preference, Robust
from normwright.flow.tunings.pretraining import Pretraining
from normwright.flow.tunings.reinforcement import Controller, Divergence, HeldNorm, Reinforcement
from normwright.flow.tunings.reward import Reward
from normwright.flow.tunings.tuning import Adapters, Tuning
from normwright.flow.tunings.unlearning import Unlearning

__all__ = [
    "Adapters",
    "Controller",
    "Cost",
    "Divergence",
    "HeldNorm",
    "Imitation",
    "Preference",
    "Pretraining",
    "Reinforcement",
    "Reward",
    "Robust",
    "Tuning",
    "Unlearning",
]
