"""Pages for people: the release report and the charter, in every language that has a locale."""

from normwright.web.charter import CharterPage, write_charter
from normwright.web.choosing import choice_picture
from normwright.web.counted import (
    agreement_picture,
    curves_picture,
    margins_picture,
    opinion_picture,
    ranking_picture,
    slate_picture,
)
from normwright.web.examples import Example, pick_examples
from normwright.web.frontiers import frontier_picture, write_frontiers
from normwright.web.morals import write_moral_page
from normwright.web.publish import publish, report_data
from normwright.web.report import ReportData, write_report
from normwright.web.scores import write_scores_page
from normwright.web.words import shipped
from normwright.web.written import write_written_page

__all__ = [
    "CharterPage",
    "Example",
    "ReportData",
    "agreement_picture",
    "choice_picture",
    "curves_picture",
    "frontier_picture",
    "margins_picture",
    "opinion_picture",
    "pick_examples",
    "publish",
    "ranking_picture",
    "report_data",
    "shipped",
    "slate_picture",
    "write_charter",
    "write_frontiers",
    "write_moral_page",
    "write_report",
    "write_scores_page",
    "write_written_page",
]
