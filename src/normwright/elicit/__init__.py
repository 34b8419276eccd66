"""Read what people said: files in, checked records and an integrity report out, or one error.

Nothing is half imported: either every row has a place in the records or in the report, or one
`InputError` names every fault by file and line.
"""

from normwright.elicit.consulted import Consulted, receipt
from normwright.elicit.read import read_consultation
from normwright.elicit.withdrawing import Taken, take_out, without

__all__ = ["Consulted", "Taken", "read_consultation", "receipt", "take_out", "without"]
