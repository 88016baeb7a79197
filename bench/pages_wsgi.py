"""The web application of `bench.pages`: that of `wsgi.py` with the clock of the filled store."""

import os
import time

from flask import Flask

from app import settings as settings_module
from app.factory import create_app, settle
from bench.store_fill import END_US
from dashboards.mount import mount


def build() -> Flask:
    """Time goes on from the end of the store's thirty days, from when the server was started."""
    begun_us = int(os.environ["BENCH_PAGES_BEGUN_US"])
    settings = settings_module.load()
    made = create_app(settings, clock=lambda: END_US + time.time_ns() // 1000 - begun_us)
    mount(made, settings)
    made.test_client().get("/login")
    settle()
    return made


app = build()
