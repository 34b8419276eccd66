"""Where a project's records, rows, results and bytes are kept, and the receipts over them."""

from normwright.store.consultations import (
    PreparedImport,
    Rows,
    import_digest,
    import_of,
    prepare,
)
from normwright.store.database import (
    FOLDER,
    KeyedRow,
    RunStep,
    StageResult,
    Store,
    StoredImport,
    StoredRecord,
    import_payload,
    record_digest,
    result_payload,
)
from normwright.store.ledger import (
    BACKWARDS,
    GENESIS,
    Entry,
    clock_fault,
    clock_payload,
    first_break,
    link,
    set_back,
)
from normwright.store.merkle import Inclusion, included, leaf, prove, random_key, root, seeded_key
from normwright.store.objects import HALF_WRITTEN, ObjectStore, file_digest, write_whole
from normwright.store.trouble import plainly, trouble_of

__all__ = [
    "BACKWARDS",
    "FOLDER",
    "GENESIS",
    "HALF_WRITTEN",
    "Entry",
    "Inclusion",
    "KeyedRow",
    "ObjectStore",
    "PreparedImport",
    "Rows",
    "RunStep",
    "StageResult",
    "Store",
    "StoredImport",
    "StoredRecord",
    "clock_fault",
    "clock_payload",
    "file_digest",
    "first_break",
    "import_digest",
    "import_of",
    "import_payload",
    "included",
    "leaf",
    "link",
    "plainly",
    "prepare",
    "prove",
    "random_key",
    "record_digest",
    "result_payload",
    "root",
    "seeded_key",
    "set_back",
    "trouble_of",
    "write_whole",
]
