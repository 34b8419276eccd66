"""Studies with people: planned and sealed beforehand, blinded, analysed over raters and items.

A plan and two systems' answers go in; sheets for raters, a key and a registration come out. Ratings
go in; a share with an interval comes out that holds for other raters and other items.
"""

from normwright.evaluate.human.analysing import analyse, compare_systems, study_power
from normwright.evaluate.human.planning import (
    Prepared,
    items_needed,
    key_file,
    open_key,
    prepare,
    read_items,
    read_plan,
    register,
    sheets_of,
)
from normwright.evaluate.human.reading import FORMATS, Judged, read_judged, read_ratings, sheet_csv
from normwright.evaluate.human.simulating import Population, Recovered, recover

__all__ = [
    "FORMATS",
    "Judged",
    "Population",
    "Prepared",
    "Recovered",
    "analyse",
    "compare_systems",
    "items_needed",
    "key_file",
    "open_key",
    "prepare",
    "read_items",
    "read_judged",
    "read_plan",
    "read_ratings",
    "recover",
    "register",
    "sheet_csv",
    "sheets_of",
    "study_power",
]
