"""ttrpc: calls between containerd and a shim over a Unix socket. Unary calls only.

frames      bytes <-> frames: a header of 10 bytes, a limit of 4 MiB           pure
connection  frames <-> calls and answers: which streams are open               pure
codes       faults -> the status that is answered                             pure
server      many clients on asyncio, each call its own task
client      one connection, many calls at once
publisher   events to containerd: in order, none lost while containerd is away

The protocol: PROTOCOL.md of github.com/containerd/ttrpc, version 1.2.
"""
