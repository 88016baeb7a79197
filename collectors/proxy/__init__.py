"""The recording proxy: it passes HTTP on, and writes down what happened.

It listens twice: for the platform (outbound requests and webhooks to partners) and for partners
(inbound requests to the platform). Each message is read into its parts, decided on by pure
functions (`routes`, `admission`, `head`, `framing`), written anew from its parts, and
recorded by `tap` before the last byte of the answer is handed to the caller.

It never dials an address that the routing table does not name, never relays bytes it has not
parsed, never waits for a database, and keeps no more of a body in memory than one read and the
transport's buffer, plus the first 8 KiB as evidence.

Overloaded or without a disk it still passes traffic: an exchange that the journal does not take
is counted as shed, and the count is journaled as soon as there is room. A caller that reads or
sends slowly slows its own exchange only, and loses it when it stops for longer than the route
allows.
"""
