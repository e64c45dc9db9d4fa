"""What happened? Canonical tables, contracts, sources and the ledger."""
