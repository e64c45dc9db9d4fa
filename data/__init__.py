"""What happened? Canonical tables, contracts, sources and the ledger."""

import ctypes
import os
import sys

# Arrow's own pool hands large columns back to the system after each file, which costs more than reading them.
os.environ.setdefault("ARROW_DEFAULT_MEMORY_POOL", "system")

_TRIM, _BY_ITSELF = -1, -3
"""Of glibc's mallopt: how much free memory is kept, and from which size on an array is asked for from the system by itself."""

# So does glibc, and memory that comes anew is slow to touch: a tenth of what a day's features cost. What parts of a book
# are made of (32 MiB is the most glibc can keep) is used again by the next part.
if sys.platform == "linux" and hasattr(libc := ctypes.CDLL(None), "mallopt"):
    libc.mallopt(_BY_ITSELF, 32 << 20)
    libc.mallopt(_TRIM, 512 << 20)
