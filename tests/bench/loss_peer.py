#!/usr/bin/python3
"""The kernel's ends of the wire with losses:

  loss_peer.py send ADDRESS PORT CONTROLLER     sends to whoever connects, for as long as they listen
  loss_peer.py receive ADDRESS PORT STREAMS S   receives on so many connections for S seconds, checks every byte, and
                                                prints what came, as JSON
"""
import errno
import json
import select
import socket
import sys
import threading
import time

CHUNK = 1 << 16
PATIENCE = 20  # seconds to connect


def stream_bytes():
    """What goes round and round, twice, so that no piece of it is cut; as chargen.c."""
    return bytes((i * 31 + i // 256) % 256 for i in range(CHUNK)) * 2


def send(address, port, controller):
    chunk = stream_bytes()[:CHUNK]
    listener = socket.socket()
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_CONGESTION, controller.encode())
    listener.bind((address, port))
    listener.listen(64)
    print("ready", flush=True)

    def pour(stream):
        try:
            while True:
                stream.sendall(chunk)
        except OSError:
            stream.close()

    while True:
        threading.Thread(target=pour, args=(listener.accept()[0],), daemon=True).start()


def connect(address, port):
    """The other end may not be up yet, nor the wire."""
    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            return socket.create_connection((address, port), timeout=PATIENCE)
        except OSError as error:
            if error.errno not in (errno.ECONNREFUSED, errno.EHOSTUNREACH, errno.ENETUNREACH) or \
                    time.monotonic() > deadline:
                raise
            time.sleep(0.05)


def receive(address, port, streams, seconds):
    expected = stream_bytes()
    heard = {}
    poll = select.epoll()
    start = time.monotonic()
    for _ in range(streams):
        stream = connect(address, port)
        stream.setblocking(False)
        heard[stream.fileno()] = [stream, 0]
        poll.register(stream, select.EPOLLIN)
    end = time.monotonic() + seconds
    while (left := end - time.monotonic()) > 0:
        for descriptor, _ in poll.poll(left):
            stream, count = heard[descriptor]
            data = stream.recv(CHUNK)
            at = count % CHUNK
            if not data or data != expected[at:at + len(data)]:
                sys.exit(f"after byte {count} of a stream: {'its end' if not data else 'other bytes than were sent'}")
            heard[descriptor][1] += len(data)
    counts = [count for _, count in heard.values()]
    print(json.dumps({"rate": sum(counts) / seconds, "least": min(counts), "most": max(counts),
                      "connected": time.monotonic() - start - seconds}), flush=True)
    for stream, _ in heard.values():
        stream.close()


if sys.argv[1] == "send":
    send(sys.argv[2], int(sys.argv[3]), sys.argv[4])
else:
    receive(sys.argv[2], int(sys.argv[3]), int(sys.argv[4]), float(sys.argv[5]))
