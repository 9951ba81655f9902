"""The node's agent: one Pod on each node, which keeps Wherry installed there and tells the cluster what happens there.

| module | what it knows |
|---|---|
| `names`, `post` | annotations; which node, which Pod, which folders |
| `decision` | pure: what is known → what to do next |
| `keeper`, `progress` | looks, decides, acts; what is remembered meanwhile |
| `installation` | what is on the node, looked at without asking anybody |
| `programs` | wherry-node and our own commands as processes, which end when the agent has to |
| `node_object` | the node's label and annotation, the Pod's answer |
| `probe_pod`, `probing` | the Pod that must answer before the node counts; install's proof |
| `pods` | which Pods are here, by uid; what the DaemonSet orders |
| `warming` | code for pods that wait |
| `trap_files`, `trap_events` | traps of guests → Events |
| `ledger`, `node_metrics` | counters of guests, the node's own → one page for Prometheus |
| `uninstalling` | the hook's side of an uninstall: ask every node, wait, give up |
| `agent`, `cli` | all of that put together; commands |

It is never a parent of the zygote or of a guest: those are the host's, and nothing ends with the agent.
"""
