"""The tenant portal: what a customer sees of his own slice, on the console's foundation.

`app` has the table of all pages; `visit` is what a page gets: whose slice it is, and what the visitor may.
"""
