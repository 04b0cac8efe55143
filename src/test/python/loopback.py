"""HTTP servers on loopback."""
import http.server
import threading


def serve(handler):
    """Serves on a free port until the process ends, and returns the address."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return f"http://127.0.0.1:{server.server_address[1]}"
