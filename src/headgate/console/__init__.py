"""The web console: pages made on the server, on the control plane's services and nothing else.

`pages` has the table of all pages; `visit` is what a page gets: who has signed in, and what he may. Every page works
without JavaScript; with it, lists are searched as one types and figures become charts.
"""
