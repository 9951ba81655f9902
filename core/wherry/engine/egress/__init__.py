"""The way out: a proxy on loopback through which every outbound HTTP request of a guest goes.

The native outgoing handler takes no policy. So the adapter sends a guest's requests here (adapter/README.md, Outbound
HTTP), and here is decided, resolved, connected and encrypted. Bodies stream both ways; nothing is kept.
"""

from wherry.engine.egress.proxy import Egress
from wherry.engine.egress.thread import egress_thread

__all__ = ["Egress", "egress_thread"]
