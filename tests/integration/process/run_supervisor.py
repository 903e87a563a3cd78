"""Run a supervisor over the sample app: ``python -m tests.integration.process.run_supervisor OPTIONS-JSON``.

``activated``: open the sockets here and hand them over as systemd would, as descriptors 3 and 4.
"""

import os
import socket
import sys
from pathlib import Path

import msgspec

from shared.errors import OperatorError
from shared.process import Timing, Wanted, supervise


class Options(msgspec.Struct):
    """What a test chooses."""

    folder: str
    listen: str = "127.0.0.1:0"
    private_listen: str = "127.0.0.1:0"
    app: str = "tests.integration.process.sample_app:open_node"
    timing: Timing = Timing()
    activated: bool = False


def hand_over() -> None:
    """Bind two sockets and announce them in the environment, in the opposite order to show that names count."""
    socks = [socket.create_server(("127.0.0.1", 0)) for _ in range(2)]
    spare = [os.dup2(sock.fileno(), 100 + place) for place, sock in enumerate(socks)]
    for sock in socks:
        sock.close()
    for place, fd in enumerate(spare):
        os.dup2(fd, 3 + place)
        os.close(fd)
    os.environ.update(LISTEN_PID=str(os.getpid()), LISTEN_FDS="2", LISTEN_FDNAMES="private:public")


def main() -> int:
    options = msgspec.json.decode(sys.argv[1], type=Options)
    folder = Path(options.folder)
    if options.activated:
        hand_over()
    try:
        supervise(
            folder / "settings",
            app=options.app,
            listen=[
                Wanted("public", options.listen, "listen", 0o660),
                Wanted("private", options.private_listen, "private_listen"),
            ],
            pid_file=folder / "node.pid",
            timing=options.timing,
        )
    except OperatorError as error:
        print(f"{error.code}: {error}", flush=True)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
