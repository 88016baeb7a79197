"""The other proxies that `bench.proxy` measures beside Midspan, each as its makers ship it.

Every peer is one process tree on one port in front of the same upstream, told to keep its
connections alive and to write one JSON line (or its own form of record) per request. A peer that
cannot be had on this machine is named with the reason; it is never left out silently.
"""
