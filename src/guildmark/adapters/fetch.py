"""The guarded way outside: what a stranger's document names is fetched without opening a door inside.

Rules:

1. https only, no user name in the address, no cookies, no proxy from the environment;
2. a name is resolved here, every address that it has must be public, and the connection is made to one of
   these addresses, so that a name which answers differently a moment later (DNS rebinding) gains nothing;
3. at most three redirects, each checked like the first address;
4. one deadline covers names, handshake, headers, redirects and body, however slowly a server drips;
5. a body, packed and unpacked, has at most LARGEST bytes; only gzip and deflate are
   unpacked, and no further than that.

What is sent goes the same way: `GuardedPoster` follows no redirect at all and reads the beginning of the answer.

httpcore, on which httpx stands, is used directly, because httpx lets nobody choose the address that it
connects to.
"""

from __future__ import annotations

import ipaddress
import socket
import ssl
import threading
import time
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from typing import Any

import httpcore
import httpx

from guildmark.core.doors import Answer, Document
from guildmark.core.errors import OutsideFailure

LARGEST = 20_000_000
"""Bytes of one document; a status list of 16 million entries takes a tenth of it."""

SECONDS = 10.0
"""From the first question to the last byte; a page waits for this."""

MOST_REDIRECTS = 3

_LONGEST_URL = 2048
_MOST_ADDRESSES = 4
"""Addresses of one name that are tried in turn, so that a machine without IPv6 still gets through."""

Resolve = Callable[[str, int], Iterable[str]]
"""The IP addresses of a host name, as text."""


class GuardedFetcher:
    """A `core.doors.Fetcher` over https that reaches public addresses only (rules above).

    `resolve`, `backend`, `clock` (monotonic seconds) and `trust` are the world: tests hand in their own.
    """

    def __init__(
        self,
        *,
        resolve: Resolve | None = None,
        backend: httpcore.NetworkBackend | None = None,
        clock: Callable[[], float] = time.monotonic,
        trust: ssl.SSLContext | None = None,
        largest: int = LARGEST,
        seconds: float = SECONDS,
    ) -> None:
        self._resolve = resolve or _resolve
        self._backend = backend or httpcore.SyncBackend()
        self._clock = clock
        self._trust = trust or _trusted()
        self._largest = largest
        self._seconds = seconds

    def fetch(self, url: str) -> Document:
        """The document, under the address that was asked for; OutsideFailure says why it cannot be had."""
        deadline = self._clock() + self._seconds
        place = _checked(url)
        for _ in range(MOST_REDIRECTS + 1):
            answer = self._ask(place, deadline)
            if isinstance(answer, Document):
                return Document(url, answer.body, answer.media_type)
            place = answer
        raise OutsideFailure(f"{_short(url)} was redirected more than {MOST_REDIRECTS} times")

    def _ask(self, place: httpx.URL, deadline: float) -> Document | httpx.URL:
        """One request: the document, or where it says that the document is."""
        guard = _Guard(self._resolve, self._backend, self._clock, deadline)
        with _asked(guard, self._trust, "GET", place, _headers(place), None, self._seconds) as response:
            return self._read(place, response)

    def _read(self, place: httpx.URL, response: httpcore.Response) -> Document | httpx.URL:
        headers = httpx.Headers(response.headers)
        if response.status in (301, 302, 303, 307, 308):
            try:
                target = place.join(headers.get("location", ""))
            except (httpx.InvalidURL, ValueError) as problem:
                raise OutsideFailure(f"{_short(place)} redirects to what is no address") from problem
            if target == place:
                raise OutsideFailure(f"{_short(place)} redirects to itself")
            return _checked(str(target), found_at=place)
        if response.status != 200:
            raise OutsideFailure(f"{_short(place)} answered {response.status}")
        too_large = OutsideFailure(f"{_short(place)} is larger than {self._largest:,} bytes")
        length = headers.get("content-length", "")
        if length.isascii() and length.isdigit() and (len(length) > 15 or int(length) > self._largest):
            raise too_large
        packing = headers.get("content-encoding", "identity").strip().lower()
        body = bytearray()
        for part in _unpacked(_bounded(response.iter_stream(), self._largest, too_large), packing, place):
            body += part
            if len(body) > self._largest:
                raise too_large
        media_type = headers.get("content-type", "").partition(";")[0].strip().lower()
        return Document(str(place), bytes(body), media_type)


class GuardedPoster:
    """A `core.doors.Poster` over https that reaches public addresses only (rules above).

    `inside` opens plain http and this machine's own network, for a site in development and for nothing else.
    """

    def __init__(
        self,
        *,
        resolve: Resolve | None = None,
        backend: httpcore.NetworkBackend | None = None,
        clock: Callable[[], float] = time.monotonic,
        trust: ssl.SSLContext | None = None,
        seconds: float = SECONDS,
        inside: bool = False,
    ) -> None:
        self._resolve = resolve or _resolve
        self._backend = backend or httpcore.SyncBackend()
        self._clock = clock
        self._trust = trust or _trusted()
        self._seconds = seconds
        self._inside = inside

    def post(self, url: str, body: bytes, headers: Mapping[str, str]) -> Answer:
        """The answer to `body`, whatever its status, a redirect too; OutsideFailure says why there is none."""
        place = _checked(url, inside=self._inside)
        deadline = self._clock() + self._seconds
        guard = _Guard(self._resolve, self._backend, self._clock, deadline, inside=self._inside)
        given = [(name.encode("ascii"), value.encode("ascii")) for name, value in headers.items()]
        length = (b"Content-Length", str(len(body)).encode())
        with _asked(
            guard, self._trust, "POST", place, [*_headers(place), *given, length], body, self._seconds
        ) as response:
            return Answer(response.status, _beginning(response))


def check_address(url: str, *, inside: bool = False) -> None:
    """Return only if `GuardedPoster` would try this address; OutsideFailure says why not.

    A name is looked up only when something is sent; an address in numbers is judged here.
    """
    place = _checked(url, inside=inside)
    numbers = place.host.strip("[]")
    try:
        ipaddress.ip_address(numbers)
    except ValueError:
        named_inside = numbers.rstrip(".").rpartition(".")[2].lower() in ("localhost", "local", "internal")
    else:
        named_inside = not is_public(numbers)
    if named_inside and not inside:
        raise OutsideFailure(f"{place.host} is not on the public internet, and nothing else is reached")


_ANSWER = 4_096
"""Bytes of an answer to what was sent; the rest is left unread."""


def _beginning(response: httpcore.Response) -> bytes:
    body = bytearray()
    for part in response.iter_stream():
        body += part
        if len(body) >= _ANSWER:
            break
    return bytes(body[:_ANSWER])


@contextmanager
def _asked(
    guard: _Guard,
    trust: ssl.SSLContext,
    method: str,
    place: httpx.URL,
    headers: list[tuple[bytes, bytes]],
    body: bytes | None,
    seconds: float,
) -> Iterator[httpcore.Response]:
    """The answer to one request, open for reading; whatever goes wrong on the way is an OutsideFailure."""
    left = max(guard.left_over(), 0.001)
    try:
        with (
            httpcore.ConnectionPool(ssl_context=trust, network_backend=guard, max_connections=1) as pool,
            pool.stream(
                method,
                httpcore.URL(scheme=place.raw_scheme, host=place.raw_host, port=place.port, target=place.raw_path),
                headers=headers,
                content=body,
                extensions={"timeout": dict.fromkeys(("connect", "read", "write", "pool"), left)},
            ) as response,
        ):
            yield response
    except httpcore.TimeoutException as problem:
        raise OutsideFailure(f"{_short(place)} did not answer within {seconds:g} seconds") from problem
    except httpcore.ConnectError as problem:
        if "CERTIFICATE_VERIFY_FAILED" in str(problem):
            raise OutsideFailure(f"{_short(place)} did not show a valid certificate") from problem
        raise OutsideFailure(f"{_short(place)} cannot be reached") from problem
    except (httpcore.NetworkError, httpcore.ProtocolError, httpcore.UnsupportedProtocol) as problem:
        raise OutsideFailure(f"{_short(place)} did not answer as a web server does") from problem


@cache
def _trusted() -> ssl.SSLContext:
    """The authorities whose certificates are believed; read once, since that takes a twentieth of a second."""
    return httpx.create_ssl_context()


def _headers(place: httpx.URL) -> list[tuple[bytes, bytes]]:
    return [
        (b"Host", place.netloc),
        (b"User-Agent", b"guildmark"),
        (b"Accept", b"application/did+json, application/vc, application/json, */*;q=0.1"),
        (b"Accept-Encoding", b"identity"),
        (b"Connection", b"close"),
    ]


# --- Addresses in the web ---


def _checked(url: str, *, found_at: httpx.URL | None = None, inside: bool = False) -> httpx.URL:
    """The address without its fragment (rule 1); OutsideFailure says what is wrong with it."""
    source = f"{_short(found_at)} redirects to {_short(url)}, which" if found_at else _short(url)
    broken = OutsideFailure(f"{source} is not an address that can be fetched")
    try:
        place = httpx.URL(url.partition("#")[0])
    except (httpx.InvalidURL, ValueError) as problem:
        raise broken from problem
    if place.scheme != "https" and not (inside and place.scheme == "http"):
        raise OutsideFailure(f"{source} is not an https address, and no other is fetched")
    port = 443 if place.port is None else place.port  # whichever scheme: only its bounds are looked at
    if len(url) > _LONGEST_URL or not place.raw_host or not 0 < port < 65536:
        raise broken
    if place.userinfo:
        raise OutsideFailure(f"{source} has a user name in it, and such addresses are not fetched")
    return place


def _short(url: httpx.URL | str) -> str:
    """The address for a sentence: without user name, query and line breaks, and not too long."""
    text = str(url).partition("?")[0].partition("#")[0]
    scheme, mark, rest = text.partition("://")
    host, slash, path = rest.partition("/")
    text = f"{scheme}{mark}{host.rpartition('@')[2]}{slash}{path}" if mark else text
    text = "".join(letter for letter in text if letter.isprintable())
    return text if len(text) <= 200 else text[:199] + "…"


# --- Addresses of machines ---

_NOT_PUBLIC = [
    ipaddress.ip_network(text)
    for text in (
        *("0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12"),
        *("192.0.0.0/24", "192.0.2.0/24", "192.88.99.0/24", "192.168.0.0/16", "198.18.0.0/15"),
        *("198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4"),
        # Teredo, benchmarks, ORCHID and the rest of 2001::/23; examples; 6to4, which holds an IPv4 address.
        *("2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20"),
    )
]
"""IANA's special-purpose address registries (RFC 6890 and later), multicast and reserved space."""

_GLOBAL_UNICAST = ipaddress.ip_network("2000::/3")
"""All that is public in IPv6. Outside it: IPv4-mapped, NAT64, link-local, unique local, multicast."""


def is_public(address: str) -> bool:
    """Whether an IP address may be connected to: one that anybody on the internet could reach.

    >>> is_public("93.184.215.14"), is_public("127.0.0.1"), is_public("::ffff:93.184.215.14")
    (True, False, False)
    """
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return False  # a name, or an IPv6 address with a zone
    if isinstance(found, ipaddress.IPv6Address) and (found.scope_id or found not in _GLOBAL_UNICAST):
        return False
    return not any(found in network for network in _NOT_PUBLIC if network.version == found.version)


def _resolve(host: str, port: int) -> list[str]:
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, proto=socket.IPPROTO_TCP)
    return [str(row[4][0]) for row in found]


class _Guard(httpcore.NetworkBackend):
    """Connects to public addresses only (rule 2), and lets nothing last beyond the deadline (rule 4)."""

    def __init__(
        self,
        resolve: Resolve,
        backend: httpcore.NetworkBackend,
        clock: Callable[[], float],
        deadline: float,
        *,
        inside: bool = False,
    ) -> None:
        self._resolve, self._backend = resolve, backend
        self._clock, self._deadline = clock, deadline
        self._inside = inside

    def left_over(self) -> float:
        """Seconds until the deadline, fewer than none once it has passed."""
        return self._deadline - self._clock()

    def left(self, timeout: float | None = None) -> float:
        """Seconds that a wait may take; a time-out once the deadline has passed."""
        left = self.left_over()
        if left <= 0:
            raise httpcore.ReadTimeout("the deadline has passed")
        return left if timeout is None else min(left, timeout)

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        failure: Exception | None = None
        for address in self._addresses(host, port)[:_MOST_ADDRESSES]:
            try:
                stream = self._backend.connect_tcp(address, port, self.left(timeout), local_address, socket_options)
            except httpcore.ConnectError as problem:
                failure = problem
                continue
            # What was connected to is asked of the connection itself, not taken from the plan.
            peer = stream.get_extra_info("server_addr")
            if not peer or ipaddress.ip_address(peer[0]) != ipaddress.ip_address(address):
                stream.close()
                raise OutsideFailure(f"{host} was reached at another address than its own")
            return _TimedStream(stream, self)
        raise failure or httpcore.ConnectError(f"{host} has no address")

    def _addresses(self, host: str, port: int) -> list[str]:
        found: list[str] = []
        failures: list[Exception] = []

        def ask() -> None:
            try:
                found.extend(dict.fromkeys(self._resolve(host, port)))
            except (OSError, ValueError, OverflowError) as problem:
                failures.append(problem)

        # The system's resolver takes no time limit, so it is left behind if it has not answered by then.
        asking = threading.Thread(target=ask, daemon=True)
        asking.start()
        asking.join(self.left())
        if asking.is_alive():
            raise httpcore.ConnectTimeout(f"{host} was not resolved in time")
        if failures or not found:
            raise OutsideFailure(f"{host} is not a name that can be found") from (failures[0] if failures else None)
        if not self._inside and not all(is_public(address) for address in found):
            raise OutsideFailure(f"{host} is not on the public internet, and nothing else is fetched")
        return found


class _TimedStream(httpcore.NetworkStream):
    """A connection on which every wait ends at the deadline, so that a dripping server cannot stretch it."""

    def __init__(self, stream: httpcore.NetworkStream, guard: _Guard) -> None:
        self._stream, self._guard = stream, guard

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._stream.read(max_bytes, self._guard.left(timeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._stream.write(buffer, self._guard.left(timeout))

    def close(self) -> None:
        self._stream.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        return _TimedStream(
            self._stream.start_tls(ssl_context, server_hostname, self._guard.left(timeout)), self._guard
        )

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)


# --- Bodies ---


def _bounded(parts: Iterable[bytes], largest: int, too_large: OutsideFailure) -> Iterator[bytes]:
    count = 0
    for part in parts:
        count += len(part)
        if count > largest:
            raise too_large
        yield part


_STEP = 65_536


def _unpacked(parts: Iterator[bytes], packing: str, place: httpx.URL) -> Iterator[bytes]:
    """The body unpacked in pieces of at most 64 KiB, so that a bomb is noticed while it is small."""
    if packing in ("", "identity"):
        yield from parts
        return
    if packing not in ("gzip", "x-gzip", "deflate"):
        raise OutsideFailure(f"{_short(place)} is packed as {packing[:40]!r}, which is not read")
    unpacker = zlib.decompressobj(wbits=15 if packing == "deflate" else 31)
    broken = OutsideFailure(f"{_short(place)} is not packed as it says ({packing})")
    for part in parts:
        waiting = part
        while waiting:
            if unpacker.eof:
                raise broken
            try:
                yield unpacker.decompress(waiting, _STEP)
            except zlib.error as problem:
                raise broken from problem
            waiting = unpacker.unconsumed_tail or unpacker.unused_data
    # What was held back for want of room comes out with no more input.
    while not unpacker.eof:
        try:
            rest = unpacker.decompress(b"", _STEP)
        except zlib.error as problem:
            raise broken from problem
        if not rest:
            raise broken
        yield rest
