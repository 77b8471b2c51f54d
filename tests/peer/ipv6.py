#!/usr/bin/env python3
"""Weir's echo against the Linux kernel's IPv6, over a TAP in a network namespace: neighbour discovery, ICMPv6, TCP, UDP.
Each test ends by stopping weir with Ctrl-C, and fails unless every packet is back in its pool."""
import contextlib
import errno
import re
import socket
import struct

from world import PATIENCE, Weir, check, client, main, run, wait_for

STACK, KERNEL, ROUTER = "2001:db8::2", "2001:db8::1", "fe80::1"


@contextlib.contextmanager
def echo():
    """`weir run echo` on a TAP whose kernel's end has an address on the same network."""
    with Weir("run", "echo", "--device", "tap:weir0", "--address", f"{STACK}/64") as weir:
        weir.wait_ready()
        run("ip", "address", "add", f"{KERNEL}/64", "dev", "weir0", "nodad")
        yield weir
        weir.stop()


def link_local_of(weir):
    return re.search(r"fe80::[0-9a-f:]+", weir.said())[0] + "%weir0"


def ping_answers():
    with echo() as weir:
        print(run("ping", "-6", "-c", "20", "-i", "0.02", "-W", "5", STACK))
        run("ping", "-6", "-c", "3", "-i", "0.02", "-s", "1400", "-W", "5", STACK)
        wait_for(lambda: "tentative" not in run("ip", "-6", "address", "show", "dev", "weir0"),
                 "the kernel's link-local address")
        run("ping", "-6", "-c", "3", "-i", "0.02", "-W", "5", link_local_of(weir))


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


def fragments_are_put_together():
    """The answer to what nobody wants tells that all of it has come."""
    with echo(), socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as udp:
        udp.settimeout(30)
        udp.connect((STACK, 8))
        udp.send(bytes(4000))
        try:
            udp.recv(10)
            check(False, "UDP port 8 answered")
        except ConnectionRefusedError:
            pass


def router_advertisement(prefix):
    """RFC 4861 section 4.2: a router for half an hour, and a network with addresses to be made on it for as long."""
    return (struct.pack(">BBHBBHII", 134, 0, 0, 64, 0, 1800, 0, 0) +
            struct.pack(">BBBBIII", 3, 4, 64, 0xc0, 1800, 1800, 0) + socket.inet_pton(socket.AF_INET6, prefix))


def answer_routers_solicitation(prefix, interface):
    """Plays the router, once; the kernel writes the checksum. RFC 3542 section 3.1."""
    index = socket.if_nametoindex(interface)
    group = socket.inet_pton(socket.AF_INET6, "ff02::2") + struct.pack("@I", index)
    with socket.socket(socket.AF_INET6, socket.SOCK_RAW, socket.IPPROTO_ICMPV6) as router:
        router.settimeout(30)
        router.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_JOIN_GROUP, group)
        router.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_HOPS, 255)
        while router.recv(2048)[0] != 133:
            pass
        router.bind((ROUTER, 0, 0, index))
        router.sendto(router_advertisement(prefix), ("ff02::1", 0, 0, index))


def addresses_come_from_routers():
    with Weir("run", "echo", "--device", "tap:weir0", "--slaac") as weir:
        wait_for(lambda: "weir0" in run("ip", "-o", "link", "show", "up") or weir.process.poll() is not None, "the TAP")
        run("ip", "address", "add", f"{ROUTER}/64", "dev", "weir0", "nodad")
        run("ip", "address", "add", "2001:db8:5::1/64", "dev", "weir0", "nodad")
        answer_routers_solicitation("2001:db8:5::", "weir0")
        weir.wait_ready()
        address = re.search(r"2001:db8:5:0?:[0-9a-f:]+", weir.said())
        check(address, f"no address of the router's: {weir.said()}")
        run("ping", "-6", "-c", "3", "-i", "0.02", "-W", "5", address[0])
        print(client("--connections", 8, "--bytes", 10000, stack=address[0]))
        run("ping", "-6", "-c", "3", "-i", "0.02", "-W", "5", link_local_of(weir))
        weir.stop()


def anothers_address_is_not_taken():
    run("ip", "link", "add", "weirtest0", "up", "type", "veth", "peer", "name", "weirtest1")
    run("ip", "link", "set", "weirtest1", "up")
    run("ip", "address", "add", f"{STACK}/64", "dev", "weirtest1", "nodad")
    with Weir("run", "echo", "--device", "af_packet:weirtest0", "--address", f"{STACK}/64") as weir:
        check(weir.process.wait(PATIENCE) != 0, "weir has the address, too")
        check(f"another host has {STACK}" in weir.complained(), f"weir does not say so: {weir.complained()}")


main({test.__name__: test for test in (ping_answers, neighbours_find_each_other, every_byte_of_64_connections,
                                       datagrams_come_back, closed_ports_refuse, fragments_are_put_together,
                                       addresses_come_from_routers, anothers_address_is_not_taken)})
