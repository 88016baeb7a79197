"""The registry's migrations: `env` runs them, `versions` holds them, numbered."""
