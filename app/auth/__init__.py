"""Who is asking: log-in, sessions, tokens, and the scope that comes of them.

Every request passes one guard before anything else sees it. It lets through the log-in page and
the probes, and otherwise finds a caller by session cookie or `Authorization: Bearer` token, or
refuses. `current_scope()` is the only way to a `Scope`, and this package the only maker of one:
role and partners are read from the registry at each request, so a user disabled or moved is out
or moved at once.

Sessions live in the registry under the digest of a 256-bit id that only the cookie holds. They are
new at every log-in, end at log-out, with another role or password, after 12 hours of silence and
after 7 days.

There are three ways in. By password (`login`): argon2id; an unknown address, a wrong password and
a disabled user get the same answer after the same work. By a mailed link (`links`): for the browser
that asked, for 10 minutes, once; known and unknown addresses get the same answer at once, and the
mail is written behind its back (`postroom`). By an OpenID provider, where one is set (`oidc`): it
vouches for the e-mail of somebody who is here already. Tries are counted per address and per e-mail
(`throttle`).

A state-changing request from another site is refused by `Sec-Fetch-Site` or `Origin`. When the
registry is away nobody can be recognised: every guarded request is `RegistryUnavailable`, 503.
"""

from app.auth.caller import Caller, current_actor, current_caller, current_scope
from app.auth.install import install

__all__ = ["Caller", "current_actor", "current_caller", "current_scope", "install"]
