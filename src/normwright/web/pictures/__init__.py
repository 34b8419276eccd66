"""Pictures that stand alone: one SVG file each, readable in both languages, in light and dark.

Each is given what it draws as plain numbers and names; nothing is estimated here.
"""

from normwright.web.pictures.agreement import agreement
from normwright.web.pictures.curves import Curve, curves
from normwright.web.pictures.frontier import Spot, frontier
from normwright.web.pictures.margins import margins
from normwright.web.pictures.opinions import OpinionGroup, opinion_map
from normwright.web.pictures.ranks import RankRow, rank_intervals
from normwright.web.pictures.slates import Bar, slate
from normwright.web.pictures.turning import Panel, Stretch, turning

__all__ = [
    "Bar",
    "Curve",
    "OpinionGroup",
    "Panel",
    "RankRow",
    "Spot",
    "Stretch",
    "agreement",
    "curves",
    "frontier",
    "margins",
    "opinion_map",
    "rank_intervals",
    "slate",
    "turning",
]
