"""The API server: reading by watches, writing by server-side apply. Nothing else imports the Kubernetes client.

| module | what it knows |
|---|---|
| `resources`, `request`, `failures` | which paths there are, one question, and what can be wrong with its answer |
| `credentials`, `connection` | the only two that import the client: who we are, and bytes over HTTP |
| `patience` | how often and how long something is tried again |
| `writing`, `telling` | server-side apply, deletion, status; Events |
| `informer`, `feeds` | list and watch, for ever; what is watched |
| `packing`, `objects`, `sources`, `traps` | what is remembered of it, small |
| `observed` | all of that as one view, by app |
| `election`, `inputs_key` | which replica acts; the key of the checksums |
"""
