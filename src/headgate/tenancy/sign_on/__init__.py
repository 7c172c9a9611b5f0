"""Single sign-on with an issuer of identities (OpenID Connect, authorization code flow with PKCE).

`issuer` asks the issuer; `id_token` checks what it signed; `matching` says which user that is; `service` is the two
steps of signing in, before and after the browser went there.
"""
