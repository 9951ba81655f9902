"""What the kernel offers, typed: system calls, namespaces, mounts, privileges, cgroups, seccomp.

All of it is used in processes that were forked from a zygote, some of it after pivot_root: importing a module here
opens, starts and caches nothing that a fork would break, and no function imports.
"""
