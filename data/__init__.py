"""What happened? Canonical tables, contracts, sources and the ledger."""

import os

# Arrow's own pool hands large columns back to the system after each file, which costs more than reading them.
os.environ.setdefault("ARROW_DEFAULT_MEMORY_POOL", "system")
