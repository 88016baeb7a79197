"""The proxy process: one worker, or a parent of several."""

from app.settings import Settings
from collectors.proxy.hub import boards_folder
from collectors.proxy.metrics import forget_boards


def main(settings: Settings) -> int:
    """Serve until told to stop; the exit code. `MidspanError` if it cannot begin."""
    forget_boards(boards_folder(settings))
    if settings.proxy_workers == 1:
        from collectors.proxy.worker import run_worker

        return run_worker(settings)
    from collectors.proxy.supervisor import supervise

    return supervise(settings)
