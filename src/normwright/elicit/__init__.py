"""Read what people said: files in, checked records and an integrity report out, or one error.

Nothing is half imported: either every row has a place in the records or in the report, or one
`InputError` names every fault by file and line.
"""

from normwright.elicit.consulted import Consulted, Ratings, receipt
from normwright.elicit.exports import Exported, export
from normwright.elicit.importers import Importer, Option, PairsImporter, Question
from normwright.elicit.importers.judged_pairs import read_judged_pairs
from normwright.elicit.judged import JudgedPairs
from normwright.elicit.read import every_format, fitting_of, formats, read_consultation
from normwright.elicit.source import Source, read_source
from normwright.elicit.tables import read_table
from normwright.elicit.tongue import language_of
from normwright.elicit.withdrawing import Taken, take_out, without

__all__ = [
    "Consulted",
    "Exported",
    "Importer",
    "JudgedPairs",
    "Option",
    "PairsImporter",
    "Question",
    "Ratings",
    "Source",
    "Taken",
    "every_format",
    "export",
    "fitting_of",
    "formats",
    "language_of",
    "read_consultation",
    "read_judged_pairs",
    "read_source",
    "read_table",
    "receipt",
    "take_out",
    "without",
]
