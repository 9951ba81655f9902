"""Where an app's artifact comes from: resolving, verifying and remembering, so that what is known is not asked again.

| module | question |
|---|---|
| `supplier` | what may this app run? |
| `wanted` | what does it ask for, and what was it given before? |
| `demands`, `policy` | whose signatures must its artifact have? |
| `pull_secrets` | who are we at its registry? |
| `inputs`, `refresh` | is what the status remembers still the answer? |
| `look`, `layout`, `binary`, `scratch` | what is at the reference? Blocking, in a thread |
| `desk`, `hosts`, `backoff`, `flight`, `memory` | who may ask a registry now, and who waits for whose answer? |
| `verdicts` | how is it told? |

Uses `wherry.oci`, in threads, because its transfers block; knows neither kopf nor the Kubernetes client.
"""
