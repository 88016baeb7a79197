"""Alembic's environment and the numbered versions of the metrics store, for both dialects.

Versions are only ever added, each runs in one transaction and never touches rows it does not have
to. `app.store.schema` runs them; nothing else imports this package.
"""
