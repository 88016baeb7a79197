"""A platform and eight partners on loopback, each with behaviour one can recognise.

`python -m demo` starts all of Midspan in a throw-away home, the simulated services beside it, and
a driver that sends real requests through the real proxy; `python -m demo run` starts Midspan alone
on the user's own home. `cast` says who plays, `model` how they behave at a moment: a pure function
of seed, partner and time, which the live services and the back-filled history both ask, so that
two runs with one seed agree. `stage` sets everything up, `supervise` keeps and ends the processes.

It never touches a home or a database that is not its own, sends nothing beyond loopback, and is
never imported by the product. Overloaded, the driver skips calls and counts them; the back-fill
waits for the store; a process that dies is started again, ever more slowly.
"""
