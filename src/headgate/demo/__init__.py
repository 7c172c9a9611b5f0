"""`headgate demo`: the whole thing at work, on this machine, without a provider's bill.

It starts the simulator and the gateway as a newcomer would, sets up three tiers and a dozen customers through the
gateway's own door, sends calls of every format, and lays the simulator's books beside the gateway's.

    world.py      who there is: tiers, customers, providers and their prices
    calls.py      what they ask
    client.py     the plain HTTP client they ask with
    processes.py  simulator and gateway as child processes
    setup.py      administration over HTTP
    join.py       the two books, side by side
    report.py     what is printed
    run.py        all of it, in order
"""
