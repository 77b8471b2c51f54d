#!/usr/bin/env python3
"""Talks to an echo server through the kernel's TCP, over many connections at once, and checks every byte.

Modes: echo        tells and hears at the same time; closes when all has come back
       half-close  the same, but says that it is done (SHUT_WR) as soon as it is, and reads on to the end
       hold        opens all connections first, and keeps them all open until each has had its bytes echoed

Prints one line; the exit status is 0 only if every byte of every connection came back."""
import argparse
import errno
import random
import resource
import select
import socket
import sys
import time

CHUNK = 1 << 16
PATTERN = 1 << 20
STEP = 4099  # where the next connection enters the pattern


class Failed(Exception):
    pass


class Connection:
    def __init__(self, index, options, pattern):
        self.index = index
        self.options = options
        self.pattern = pattern
        self.start = index * STEP % PATTERN
        self.connected = self.eof_sent = self.done = False
        self.told = self.heard = 0
        self.socket = socket.socket(socket.AF_INET6 if ":" in options.address else socket.AF_INET, socket.SOCK_STREAM)
        self.socket.setblocking(False)
        if options.congestion:
            self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_CONGESTION, options.congestion.encode())
        code = self.socket.connect_ex((options.address, options.port))
        if code not in (0, errno.EINPROGRESS):
            raise Failed(f"connection {index}: {errno.errorcode.get(code, code)}")

    def bytes_at(self, offset, most):
        at = (self.start + offset) % PATTERN
        return self.pattern[at:at + min(most, CHUNK)]

    def fail(self, what):
        raise Failed(f"connection {self.index}: {what} (told {self.told}, heard {self.heard} of {self.options.bytes})")

    def finish_connecting(self):
        code = self.socket.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        if code != 0:
            self.fail(f"could not connect: {errno.errorcode.get(code, code)}")
        self.connected = True

    def tell(self):
        while self.told < self.options.bytes:
            try:
                self.told += self.socket.send(self.bytes_at(self.told, self.options.bytes - self.told))
            except BlockingIOError:
                return
        if self.options.mode == "half-close" and not self.eof_sent:
            self.socket.shutdown(socket.SHUT_WR)
            self.eof_sent = True

    def hear(self):
        while True:
            try:
                data = self.socket.recv(CHUNK)
            except BlockingIOError:
                return
            if not data:
                break
            if data != self.bytes_at(self.heard, len(data)) or self.heard + len(data) > self.options.bytes:
                self.fail("a byte came back changed")
            self.heard += len(data)
            if self.heard == self.options.bytes and self.options.mode != "half-close":
                self.done = True
                return
        if self.heard < self.options.bytes:
            self.fail("the stream ended early")
        self.done = True

    def wants(self):
        telling = not self.connected or self.told < self.options.bytes
        return select.EPOLLIN | (select.EPOLLOUT if telling else 0)


def talk(options):
    pattern = random.Random(1).randbytes(PATTERN)
    pattern += pattern[:CHUNK]
    poll = select.epoll()
    connections = {}
    waiting = options.connections  # to be connected
    open_now = peak = finished = 0
    deadline = time.monotonic() + options.timeout
    pending = list(range(options.connections))
    pending.reverse()
    opening = 0

    def start_some():
        nonlocal opening
        while pending and opening < options.opening:
            connection = Connection(pending.pop(), options, pattern)
            connections[connection.socket.fileno()] = connection
            poll.register(connection.socket, select.EPOLLOUT)
            opening += 1

    start_some()
    while finished < options.connections:
        left = deadline - time.monotonic()
        if left <= 0:
            raise Failed(f"{finished} of {options.connections} connections were done after {options.timeout} s")
        for fd, _ in poll.poll(left):
            connection = connections[fd]
            try:
                if not connection.connected:
                    connection.finish_connecting()
                    waiting -= 1
                    opening -= 1
                    open_now += 1
                    peak = max(peak, open_now)
                    start_some()
                    if options.mode == "hold":
                        if waiting > 0:
                            poll.modify(fd, 0)
                            continue
                        for other in connections.values():  # all are open: now they may talk
                            poll.modify(other.socket, other.wants())
                        continue
                connection.tell()
                connection.hear()
            except OSError as error:
                connection.fail(error.strerror)
            if not connection.done:
                poll.modify(fd, connection.wants())
                continue
            poll.unregister(fd)
            finished += 1
            if options.mode != "hold":
                open_now -= 1
                connection.socket.close()
                del connections[fd]
    for connection in connections.values():
        connection.socket.close()
    return peak


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("address")
    parser.add_argument("port", type=int)
    parser.add_argument("--connections", type=int, default=4)
    parser.add_argument("--bytes", type=int, default=1 << 22, help="of each connection, each way")
    parser.add_argument("--mode", choices=["echo", "half-close", "hold"], default="echo")
    parser.add_argument("--opening", type=int, default=512, help="handshakes under way at once")
    parser.add_argument("--congestion", help="the kernel's congestion control, such as reno; default: its own default")
    parser.add_argument("--timeout", type=float, default=120)
    options = parser.parse_args()

    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    begin = time.monotonic()
    try:
        peak = talk(options)
    except Failed as failure:
        sys.exit(f"kernel client: {failure}")
    taken = time.monotonic() - begin
    total = options.connections * options.bytes
    print(f"kernel client: {options.connections} connections ({peak} open at once), {options.bytes} bytes each: "
          f"all {total} bytes came back equal, in {taken:.2f} s ({total * 8e-6 / taken:.0f} Mbit/s each way)")


try:
    main()
except KeyboardInterrupt:
    sys.exit(130)
