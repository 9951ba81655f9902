"""What should be: pure functions from a WasmApp and its artifact to Kubernetes objects. `render.render` is the way in.

No client, no clock, no environment; the command line uses it offline. Builders return fresh data.

| module | what it answers |
|---|---|
| `render` | which objects, in which order |
| `run` | how the artifact is run |
| `pod`, `container`, `runner` | what a Pod is, before the user's `podTemplate` |
| `template`, `strategic`, `guard` | what it is afterwards, and what must not have changed |
| `workload`, `batch`, `service`, `exposure`, `scaling` | the objects around it |
| `sources` | which ConfigMaps and Secrets an app reads |
| `drift`, `prune` | what is not as rendered, and what is too much |
"""
