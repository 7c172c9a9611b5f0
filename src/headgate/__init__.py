"""Headgate: a gateway between a SaaS product's customers and large language models, each within their own budget.

The map of the house, from the roof down; a file imports only from its own floor or below:

    cli            headgate serve | demo | check | migrate | keys | usage ...
    embed          the gateway inside another application: mounted under a path, or called without a socket
    process        what a running process owes its machine: directory, lock, keys, logs, signals, drain
    bootstrap      the composition root: settings -> stores -> services -> one ASGI app
    console        the web console: server-rendered pages on the control plane's services
    telemetry      what an operator's tools see: Prometheus metrics, OpenTelemetry traces
    controlplane   administration over HTTP: one small router per resource, on services; no SQL, no rules in routes
    dataplane      pipeline.py is the page to read first: one call in nine steps
    upstream       the only outbound HTTP: pooled, with deadlines, to vetted addresses
    storage        SQL tables and migrations (SQLite, PostgreSQL), the journal, the usage writer
    routing        model name + policy -> plan
    tenancy        organization, workspace, tenant, key, integration; policy.py is what the data plane sees of them
    ledger         allowances and holds: the one decision maker; pure
    catalog        providers, models and prices as data; the cost of a usage
    wire           the languages, sans-io: OpenAI, Anthropic, Gemini; bytes in, bytes out
    settings       one frozen object, read once
    base           money, usage, time, identifiers, errors
"""
