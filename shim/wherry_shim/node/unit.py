"""The zygote as a service of the host's systemd."""

from __future__ import annotations

from collections.abc import Mapping

NAME = "wherry-zygote.service"
PATH = f"/etc/systemd/system/{NAME}"

# Shims and workers live in this unit's cgroup until they move to their pods': only the zygote itself is ever stopped.
# No RuntimeDirectory, because systemd empties it and running pods have their state there. No OOMScoreAdjust, because
# a node that may not lower it (one in a container) would not start the unit at all.
_UNIT = """\
# wherry-node wrote this; `wherry-node uninstall` removes it. Change it with `systemctl edit {name}`.
[Unit]
Description=Wherry: the process that containerd's Wasm pods are forked from
After=local-fs.target
Before={containerd} kubelet.service
StartLimitIntervalSec=0

[Service]
Type=exec
{environment}ExecStart={prefix}/current/bin/python -P -m wherry_shim.zygote
ExecStartPost=-/bin/sh -c 'echo -999 2>/dev/null >/proc/$MAINPID/oom_score_adj'
KillMode=process
Restart=always
RestartSec=100ms
WatchdogSec=10
WatchdogSignal=SIGKILL
Delegate=yes
TasksMax=infinity
LimitNOFILE=1048576
LimitCORE=0

[Install]
WantedBy=multi-user.target
"""


def unit(prefix: str, containerd: str, environment: Mapping[str, str]) -> str:
    """The unit file. containerd: the unit that runs it, whose first pods are to find the zygote up.

    environment: what the zygote must know of this node (`wherry_shim.settings`).
    """
    lines = "".join(f'Environment="{name}={value}"\n' for name, value in sorted(environment.items()))
    return _UNIT.format(name=NAME, prefix=prefix, containerd=containerd, environment=lines)
