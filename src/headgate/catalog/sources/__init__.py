"""Where `headgate prices build` reads: two public collections of facts, neither of which the server ever imports."""
