#!/usr/bin/env python3
"""Weir's echo against the Linux kernel's IPv6, over a TAP in a network namespace: neighbour discovery, ICMPv6, TCP, UDP.
Each test ends by stopping weir with Ctrl-C, and fails unless every packet is back in its pool."""
import contextlib
import errno
import re
import socket

from world import Weir, check, client, main, run, wait_for

STACK, LINK_LOCAL, KERNEL = "2001:db8::2", "fe80::2", "2001:db8::1"


@contextlib.contextmanager
def echo():
    """`weir run echo` of two addresses, on a TAP whose kernel's end has one on the same network."""
    with Weir("run", "echo", "--device", "tap:weir0", "--address", f"{STACK}/64", "--address",
              f"{LINK_LOCAL}/64") as weir:
        weir.wait_ready()
        run("ip", "address", "add", f"{KERNEL}/64", "dev", "weir0", "nodad")
        yield weir
        weir.stop()


def ping_answers():
    with echo():
        print(run("ping", "-6", "-c", "20", "-i", "0.02", "-W", "5", STACK))
        run("ping", "-6", "-c", "3", "-i", "0.02", "-s", "1400", "-W", "5", STACK)
        wait_for(lambda: "tentative" not in run("ip", "-6", "address", "show", "dev", "weir0"),
                 "the kernel's link-local address")
        run("ping", "-6", "-c", "3", "-i", "0.02", "-W", "5", f"{LINK_LOCAL}%weir0")


def neighbours_find_each_other():
    with echo():
        run("ping", "-6", "-c", "1", "-W", "5", STACK)
        known = run("ip", "-6", "neighbour", "show", STACK, "dev", "weir0")
        check(re.search("lladdr .* (REACHABLE|DELAY|STALE)", known), f"the kernel does not know us: {known}")
        run("ip", "-6", "neighbour", "flush", "dev", "weir0")
        run("ping", "-6", "-c", "1", "-W", "5", STACK)


def every_byte_of_64_connections():
    with echo():
        print(client("--connections", 64, "--bytes", 100000, stack=STACK))
        print(client("--connections", 8, "--bytes", 100000, "--mode", "half-close", stack=STACK))


def datagrams_come_back():
    with echo(), socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as udp:
        udp.settimeout(30)
        for size in (0, 1, 100, 1452):
            for number in range(20):
                udp.sendto(bytes([number]) * size, (STACK, 7))
                heard, sender = udp.recvfrom(2048)
                check(heard == bytes([number]) * size and sender[:2] == (STACK, 7), f"{size} bytes: {sender} {heard}")


def closed_ports_refuse():
    with echo():
        with socket.socket(socket.AF_INET6, socket.SOCK_STREAM) as tcp:
            tcp.settimeout(30)
            check(tcp.connect_ex((STACK, 8)) == errno.ECONNREFUSED, "TCP port 8 accepted")
        with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as udp:
            udp.settimeout(30)
            udp.connect((STACK, 8))
            udp.send(b"anybody?")
            try:
                udp.recv(10)
                check(False, "UDP port 8 answered")
            except ConnectionRefusedError:
                pass


main({test.__name__: test for test in (ping_answers, neighbours_find_each_other, every_byte_of_64_connections,
                                       datagrams_come_back, closed_ports_refuse)})
