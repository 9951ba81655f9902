"""What a process in a cluster has: the API server, a log, a page of metrics. The operator and the node's agent use it.

| module | what it knows |
|---|---|
| `names` | labels and reasons on which the operator and the agent agree |
| `resources`, `request`, `failures` | which paths there are, one question, and what can be wrong with its answer |
| `credentials`, `connection` | the only two that import the client: who we are, and bytes over HTTP |
| `patience` | how often and how long something is tried again |
| `feed`, `informer` | list and watch, for ever |
| `telling` | Events |
| `logs`, `serving` | the log; /metrics, /healthz and /readyz |
"""
