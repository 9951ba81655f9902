"""The operator: WasmApp → running, pinned, honest. Read `reconcile` first: it is one sentence that the rest spells out.

| package | what it may do |
|---|---|
| `conditions`, `labels` | names that users and other programs see |
| `desired` | pure: a WasmApp and its artifact → Kubernetes objects |
| `status` | pure: what was found → a WasmApp's status |
| `supply` | artifacts: resolve, verify, remember; asks registries |
| `cluster` | the API server, by way of `wherry.cluster` |
| `reconcile` | one pass over one app, whatever the reason for it |
| `handlers` | the only importer of kopf |
"""
