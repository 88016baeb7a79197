"""Rules, their evaluation, and telling the right person once.

The way of an alert is four steps, each in its own file: *measure* what rules ask about
(`measures`), *decide* what holds (`conditions`, `evaluate`, and `app.domain.alert` for the life of
an instance), pass the *stages* that say who is told and why or why not (`stages`), and *send*
(`dispatch`, `notifiers`). Deciders take values and `now_us` and return values.

It never loses an alert and never repeats one without a reason: a change of state, the incident and
its notifications are one transaction, and a message that is sent again carries the same id. It
never resolves what it cannot see: while the store is away, what fires goes on firing. One broken
rule stops no other, and is itself an alert.

When it is overloaded or late, it evaluates the newest complete minute and says how late it was
(`midspan-evaluation-late`); it skips no instance. When nobody can be reached, messages wait in the
outbox; after a long outage only the newest word on each incident is sent.
"""
