"""The proxy process: one worker, or a parent of several."""

from app.settings import Settings


def main(settings: Settings) -> int:
    """Serve until told to stop; the exit code. `MidspanError` if it cannot begin."""
    if settings.proxy_workers == 1:
        from collectors.proxy.worker import run_worker

        return run_worker(settings)
    from collectors.proxy.supervisor import supervise

    return supervise(settings)
