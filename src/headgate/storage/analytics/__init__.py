"""Analytics on SQL: cells of sums that are kept in the transaction that writes the records, and what is read of them.

labels.py   who and what, each set of labels once, as a small number
cells.py    the sums: written
"""
