"""What exists in the world: providers and models as data files, their prices, what a usage costs.

`data/providers/*.toml` is one file per provider: where it lives, how it takes credentials, which formats it speaks.
`data/prices.json` is compiled by `headgate prices build`, reviewed, and loaded as integers.
"""
