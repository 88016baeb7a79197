"""Everything that brings facts in. `proxy` records, `journal` keeps, `loader` loads."""
