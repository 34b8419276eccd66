"""Where a project's records, rows, results and bytes are kept, and the receipts over them."""

from normwright.store.address import Address, address_faults, masked, read_address
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
from normwright.store.envelopes import (
    PAYLOAD_TYPE,
    SignedStatement,
    envelope_of,
    sign_statement,
    signature_payload,
    signed_by,
)
from normwright.store.keys import KeyHome, PublicKey, passphrase_of_environment
from normwright.store.ledger import GENESIS, Entry, first_break, link
from normwright.store.merkle import Inclusion, included, leaf, prove, random_key, root, seeded_key
from normwright.store.objects import HALF_WRITTEN, ObjectStore, file_digest, write_whole

__all__ = [
    "FOLDER",
    "GENESIS",
    "HALF_WRITTEN",
    "PAYLOAD_TYPE",
    "Address",
    "Entry",
    "Inclusion",
    "KeyHome",
    "KeyedRow",
    "ObjectStore",
    "PreparedImport",
    "PublicKey",
    "Rows",
    "RunStep",
    "SignedStatement",
    "StageResult",
    "Store",
    "StoredImport",
    "StoredRecord",
    "address_faults",
    "envelope_of",
    "file_digest",
    "first_break",
    "import_digest",
    "import_of",
    "import_payload",
    "included",
    "leaf",
    "link",
    "masked",
    "passphrase_of_environment",
    "prepare",
    "prove",
    "random_key",
    "read_address",
    "record_digest",
    "result_payload",
    "root",
    "seeded_key",
    "sign_statement",
    "signature_payload",
    "signed_by",
    "write_whole",
]
