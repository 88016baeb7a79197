"""The write side of the registry: one function, one change, one transaction.

A command takes a session that its caller opened with `app.db.transaction`, and `now_us`; it
changes rows, writes the audit log in the same transaction and returns what it did. What cannot be
done as asked raises `Refused`, and nothing is changed. Doing a thing twice equals doing it once,
or says that it is done already.

`registry_file` reads a registry file whole and judges it before anything is written;
`registry_import` and `registry_export` are each other's inverse; `routing` publishes what the
proxy and the loader need to know, so that they need no database.
"""
