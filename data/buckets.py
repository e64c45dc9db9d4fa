"""Where a borrower lives in the ledger: one of 64 buckets, by BLAKE2b of its id.

All that is known of a borrower and of its loans lies in one bucket, so a bucket is read and written by itself, and a
book of any size is worked through some buckets at a time.
"""

import hashlib

BUCKETS = 64


def bucket_of(borrower_id: str) -> int:
    """The bucket (0 to 63) of a borrower: BLAKE2b of its id."""
    return int.from_bytes(hashlib.blake2b(borrower_id.encode(), digest_size=8).digest()) % BUCKETS
