"""The demo lender: a microfinance lender that does not exist and whose truth is known.

`simulate` writes its exports, `living` lives it on day by day under other policies. Everything else here is how.
"""
