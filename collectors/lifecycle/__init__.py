"""Reading installs off the wire: exchanges that mean a step become lifecycle events.

`meaning` decides, by the rules of the registry, which step an exchange of an installation means;
`follow` reads the exchanges that the metrics store has new, behind a cursor that the registry keeps
in the same transaction as the events, so that nothing is missed and nothing told twice, whatever is
killed when. It reads what is a minute old, when no exchange of that time is still under way.

It never slows loading: it reads in a thread of its own, a few thousand rows at a time. With the
registry or the store away it waits, says so, and goes on where it was.
"""
