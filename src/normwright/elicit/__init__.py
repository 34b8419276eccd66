"""Read what people said: files in, checked records and an integrity report out, or one error.

Nothing is half imported: either every row has a place in the records or in the report, or one
`InputError` names every fault by file and line.
"""

from normwright.elicit.consulted import Consulted, receipt
from normwright.elicit.importers.judged_pairs import read_judged_pairs
from normwright.elicit.judged import JudgedPairs
from normwright.elicit.read import read_consultation

__all__ = ["Consulted", "JudgedPairs", "read_consultation", "read_judged_pairs", "receipt"]
