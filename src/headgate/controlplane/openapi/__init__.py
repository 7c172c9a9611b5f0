"""`/openapi.json`: what the framework knows of the routes, and what it cannot know.

`document` puts it together: `answers` says what each operation answers (the shapes beside it), `errors` how it refuses,
`examples` what both look like. Tests hold every answer of every test against it.
"""
