"""The cluster as the operator sees and changes it: reading by watches, writing by server-side apply.

How bytes get there and back is `wherry.cluster`.

| module | what it knows |
|---|---|
| `writing` | server-side apply, deletion, status |
| `feeds` | what is watched |
| `packing`, `objects`, `sources`, `traps` | what is remembered of it, small |
| `observed` | all of that as one view, by app |
| `election`, `inputs_key` | which replica acts; the key of the checksums |
"""
