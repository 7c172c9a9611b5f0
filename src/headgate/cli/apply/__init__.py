"""`headgate apply`: a whole set-up, declared in one file.

`command` reads the file (`source`, `platform`), asks the server what is there (`live`), works out what differs
(`plan`, by the readers of `fields`), shows it (`shown`) and carries it out (`carrying`). All of it over HTTP, so that
every change is authorised, validated and audited as any other.
"""
