"""containerd's main files as they are found on nodes, and as nobody should write them."""

from __future__ import annotations

KIND = """\
# Version 2 of the format.
version = 2

[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "registry.k8s.io/pause:3.10"
[plugins."io.containerd.grpc.v1.cri".containerd]
  discard_unpacked_layers = true
  snapshotter = "overlayfs"
  default_runtime_name = "runc"
[plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
  runtime_type = "io.containerd.runc.v2"
[plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc.options]
  SystemdCgroup = true
"""
IMPORTING = 'version = 2\nimports = ["/etc/containerd/extra.toml"] # ours\n' + KIND.split("version = 2\n")[1]
MANY_LINES = """\
version = 2
imports = [
    "/etc/containerd/one.toml",  # first, "quoted"
    '/etc/containerd/two.toml',
]
oom_score = -5
"""
GLOB = 'version = 2\nimports = ["conf.d/*.toml"]\n'
EMPTY_IMPORTS = "version = 2\nimports = [ ]\n"
QUOTED = """\
"version"   =   2 # two
'root' = \"""
[plugins]
imports = [""]
\"""
[ "plugins" . 'x.y' ]
imports = ["a"]
"""
THREE = "version = 3\n\n[plugins.'io.containerd.cri.v1.runtime']\n  enable_selinux = false\n"
UNDECLARED = 'root = "/data"\n[debug]\n  level = "info"\n'
UNDECLARED_TWO = '[plugins."io.containerd.grpc.v1.cri"]\n  stream_server_port = "1234"\n'
UNDECLARED_THREE = "[plugins.'io.containerd.cri.v1.runtime']\n  enable_selinux = true\n"
ONLY_TABLES = '  # nothing above\n  [debug]\n  level = "info"\n'
NO_LAST_END = 'version = 2\n[debug]\n  level = "info"'
ONE_LINE = "version = 2"
INLINE = 'version = 2\nplugins = {"io.containerd.internal.v1.opt" = {path = "/opt"}}\n'
DOTTED = 'version = 2\nplugins."io.containerd.grpc.v1.cri".containerd.default_runtime_name = "runc"\n'

RIGHT = {
    "kind": KIND,
    "importing": IMPORTING,
    "many lines": MANY_LINES,
    "glob": GLOB,
    "no imports yet": EMPTY_IMPORTS,
    "exotic quotes": QUOTED,
    "version 3": THREE,
    "nothing declared": UNDECLARED,
    "tables of version 2 and nothing declared": UNDECLARED_TWO,
    "tables of version 3 and nothing declared": UNDECLARED_THREE,
    "only tables": ONLY_TABLES,
    "no end of the last line": NO_LAST_END,
    "one line": ONE_LINE,
    "dotted": DOTTED,
    "empty": "",
    "comments only": "# nothing\n",
    "Windows line ends": KIND.replace("\n", "\r\n"),
    "several lines with Windows line ends": MANY_LINES.replace("\n", "\r\n"),
}
