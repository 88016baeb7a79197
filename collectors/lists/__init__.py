"""Pulling partners' own lists of installations from where the registry says, page by page.

`walk` decides what a page says and where the next one is; `fetch` gets one page; `pull` goes from
page to page, and hands the list over when it is whole and true. Nothing of a list that is not is
taken, and why is kept by name, beside the list before.

It trusts nobody: it connects to addresses that were checked, shows the token to the host that the
registry names and to no other, follows no redirect, and stops at limits of bytes, pages and time.
A page is read up to 8 MiB, so memory stays flat whatever comes. It runs in a few threads of its
own, each of which claims a list before it pulls it, those that wait longest first.
"""
