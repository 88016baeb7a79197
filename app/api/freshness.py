"""ETags: an answer that the caller has already is told in a line."""

from flask import Flask, Response, request


def install_etags(app: Flask) -> None:
    """Mark every good answer below `/api/` with a digest of its body, and answer 304 to a caller
    that names it in `If-None-Match`."""

    def mark(response: Response) -> Response:
        readable = request.method in {"GET", "HEAD"} and response.status_code == 200
        if readable and request.path.startswith("/api/"):
            response.add_etag()
            response.make_conditional(request)
        return response

    app.after_request(mark)
