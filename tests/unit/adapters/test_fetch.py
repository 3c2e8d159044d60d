"""The guarded way outside, with a name service and servers of our own: no socket is opened here."""

from __future__ import annotations

import gzip
import threading
import zlib

import httpcore
import pytest
from hypothesis import given
from hypothesis import strategies as st

from guildmark.adapters.fetch import GuardedFetcher, is_public
from guildmark.core.errors import OutsideFailure

PUBLIC = "93.184.215.14"


class Web:
    """Servers by address, each with the answers it gives in turn; remembers who was asked what."""

    def __init__(self, names=None, answers=None, *, peer=None, drip=0.0, wait=0.0):
        self.names = {"a.example": [PUBLIC], **(names or {})}
        self.answers = {key: list(value) for key, value in (answers or {}).items()}
        self.peer, self.drip, self.wait = peer, drip, wait
        self.now, self.resolved, self.connected, self.sent = 0.0, [], [], []

    def clock(self):
        return self.now

    def resolve(self, host, port):
        self.resolved.append(host)
        self.now += self.wait
        if host not in self.names:
            raise OSError("unknown name")
        found = self.names[host]
        return found.pop(0) if found and isinstance(found[0], list) else found

    def fetcher(self, **limits):
        limits = {"seconds": 10, **limits}
        return GuardedFetcher(resolve=self.resolve, backend=Backend(self), clock=self.clock, **limits)


class Backend(httpcore.NetworkBackend):
    def __init__(self, web):
        self.web = web

    def connect_tcp(self, host, port, timeout=None, local_address=None, socket_options=None):
        self.web.connected.append((host, port))
        if host not in self.web.answers or not self.web.answers[host]:
            raise httpcore.ConnectError("refused")
        return Stream(self.web, self.web.answers[host].pop(0), (self.web.peer or host, port))


class Stream(httpcore.MockStream):
    def __init__(self, web, answer, peer):
        parts = [answer[i : i + 1] for i in range(len(answer))] if web.drip else [answer]
        super().__init__(parts)
        self.web, self.peer, self.secured = web, peer, None

    def read(self, max_bytes, timeout=None):
        self.web.now += self.web.drip
        return super().read(max_bytes, timeout)

    def write(self, buffer, timeout=None):
        self.web.sent.append(buffer)

    def start_tls(self, ssl_context, server_hostname=None, timeout=None):
        self.secured = server_hostname
        self.web.sent.append(f"tls for {server_hostname}".encode())
        return self

    def get_extra_info(self, info):
        return self.peer if info == "server_addr" else super().get_extra_info(info)


def answer(body=b"{}", *, status="200 OK", **headers):
    lines = [f"HTTP/1.1 {status}"]
    headers = {"content-length": str(len(body)), **headers}
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items() if value is not None]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def moved(to, status="302 Found"):
    return answer(b"", status=status, location=to)


# --- What comes back ------------------------------------------------------------------------------------


def test_a_document_comes_back_byte_for_byte_with_its_media_type():
    web = Web(answers={PUBLIC: [answer(b'{"id": 1}\n', content_type="application/json; charset=utf-8")]})
    found = web.fetcher().fetch("https://a.example/x?y=1#key-1")
    assert (found.body, found.media_type) == (b'{"id": 1}\n', "application/json")
    assert found.url == "https://a.example/x?y=1#key-1"
    assert web.connected == [(PUBLIC, 443)]


def test_the_connection_is_secured_for_the_name_and_nothing_personal_is_sent():
    web = Web(answers={PUBLIC: [answer(set_cookie="id=1")]})
    web.fetcher().fetch("https://a.example:8443/x?y=1#key-1")
    request = b"".join(web.sent).lower()
    assert request.startswith(b"tls for a.example")
    assert b"get /x?y=1 http/1.1\r\nhost: a.example:8443\r\n" in request
    for word in (b"cookie", b"authorization", b"referer", b"key-1"):
        assert word not in request
    assert web.connected == [(PUBLIC, 8443)]


def test_a_cookie_that_was_set_is_not_sent_to_the_next_address():
    web = Web(answers={PUBLIC: [moved("/y").replace(b"\r\n\r\n", b"\r\nset-cookie: id=1\r\n\r\n"), answer()]})
    web.fetcher().fetch("https://a.example/x")
    assert b"cookie" not in b"".join(web.sent).lower()


def test_a_proxy_in_the_environment_is_not_used(monkeypatch):
    for name in ("HTTPS_PROXY", "https_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://10.0.0.9:3128")
    web = Web(answers={PUBLIC: [answer()]})
    web.fetcher().fetch("https://a.example/x")
    assert web.connected == [(PUBLIC, 443)]


def test_a_second_address_is_tried_when_the_first_cannot_be_reached():
    web = Web({"a.example": ["2606:4700::1", PUBLIC]}, {PUBLIC: [answer()]})
    assert web.fetcher().fetch("https://a.example/x").body == b"{}"
    assert [host for host, _ in web.connected] == ["2606:4700::1", PUBLIC]


@pytest.mark.parametrize("status", ["404 Not Found", "500 Oops", "204 No Content", "206 Partial Content"])
def test_anything_but_200_is_a_failure_that_names_the_number(status):
    web = Web(answers={PUBLIC: [answer(b"", status=status)]})
    with pytest.raises(OutsideFailure, match=rf"^https://a\.example/x answered {status[:3]}$"):
        web.fetcher().fetch("https://a.example/x")


# --- Addresses that are not fetched ---------------------------------------------------------------------


@pytest.mark.parametrize(
    "url",
    [
        "http://a.example/x",
        "ftp://a.example/x",
        "file:///etc/passwd",
        "data:application/json,{}",
        "did:web:a.example",
        "//a.example/x",
        "a.example/x",
        "",
        "https://",
        "https:///x",
        "https://user@a.example/",
        "https://user:secret@a.example/",
        "https://a.example:0/",
        "https://a.example:99999/",
        "https://a.example:x/",
        "https://a.example/\r\nHost: b.example",
        "https://a.example/\x00",
        "https://[::1",
        "https://a.example/" + "x" * 3000,
    ],
)
def test_an_address_of_another_kind_is_refused_before_any_name_is_looked_up(url):
    web = Web(answers={PUBLIC: [answer()]})
    with pytest.raises(OutsideFailure) as refused:
        web.fetcher().fetch(url)
    assert web.resolved == []
    said = str(refused.value)
    assert "secret" not in said
    assert "\n" not in said
    assert len(said) < 400


INSIDE = [
    *("127.0.0.1", "127.9.9.9", "0.0.0.0", "10.1.2.3", "172.16.0.1", "172.31.255.255", "192.168.1.1"),
    *("169.254.169.254", "100.64.0.1", "100.127.255.255", "192.0.0.8", "192.0.2.1", "198.18.0.1"),
    *("198.51.100.7", "203.0.113.7", "192.88.99.1", "224.0.0.1", "239.255.255.250", "240.0.0.1"),
    *("255.255.255.255", "::", "::1", "fe80::1", "fe80::1%eth0", "fec0::1", "fc00::1", "fd12::1", "ff02::1"),
    *("::ffff:127.0.0.1", "::ffff:93.184.215.14", "::ffff:a00:1", "::127.0.0.1", "64:ff9b::7f00:1"),
    *("64:ff9b::5db8:d70e", "64:ff9b:1::a00:1", "2002:7f00:1::", "2001:0:7f00:1::", "2001:db8::1"),
    *("2001:10::1", "2001:20::1", "3fff::1", "100::1", "5f00::1", "2606:4700::1%2"),
]


@pytest.mark.parametrize("address", INSIDE)
def test_a_name_that_leads_inside_is_refused_and_nothing_is_connected(address):
    web = Web({"a.example": [address]}, {address: [answer()]})
    with pytest.raises(OutsideFailure, match="not on the public internet"):
        web.fetcher().fetch("https://a.example/x")
    assert web.connected == []


@pytest.mark.parametrize("address", ["127.0.0.1", "[::1]", "[::ffff:10.0.0.1]", "169.254.169.254", "10.0.0.1"])
def test_an_address_written_as_a_number_is_checked_like_a_name(address):
    bare = address.strip("[]")
    web = Web({bare: [bare]}, {bare: [answer()]})
    with pytest.raises(OutsideFailure, match="not on the public internet"):
        web.fetcher().fetch(f"https://{address}/")
    assert web.connected == []


@pytest.mark.parametrize("spelling", ["2130706433", "0x7f000001", "127.1", "0177.0.0.1"])
def test_other_spellings_of_an_inside_address_are_judged_by_what_they_resolve_to(spelling):
    web = Web({spelling: ["127.0.0.1"]}, {"127.0.0.1": [answer()]})
    with pytest.raises(OutsideFailure, match=r"not on the public internet|not an address that can be fetched"):
        web.fetcher().fetch(f"https://{spelling}/")
    assert web.connected == []


def test_one_inside_address_among_public_ones_spoils_the_name():
    web = Web({"a.example": [PUBLIC, "10.0.0.1"]}, {PUBLIC: [answer()]})
    with pytest.raises(OutsideFailure, match="not on the public internet"):
        web.fetcher().fetch("https://a.example/x")
    assert web.connected == []


def test_a_name_that_answers_differently_a_moment_later_gains_nothing():
    web = Web({"a.example": [[PUBLIC], ["127.0.0.1"]]}, {PUBLIC: [answer()], "127.0.0.1": [answer(b"secret")]})
    assert web.fetcher().fetch("https://a.example/x").body == b"{}"
    assert web.resolved == ["a.example"]  # asked once, and connected to that answer
    assert web.connected == [(PUBLIC, 443)]


@pytest.mark.parametrize("peer", ["127.0.0.1", "93.184.215.15", "::1"])
def test_a_connection_that_ended_up_elsewhere_is_closed_unread(peer):
    web = Web(answers={PUBLIC: [answer()]}, peer=peer)
    with pytest.raises(OutsideFailure, match="another address than its own"):
        web.fetcher().fetch("https://a.example/x")
    assert web.sent == []


@given(st.ip_addresses(v=6))
def test_ipv6_outside_global_unicast_is_never_public(address):
    if address.packed[0] >> 5 != 1:
        assert not is_public(str(address))


@given(st.ip_addresses(v=4))
def test_what_python_calls_private_is_never_public(address):
    if address.is_private or address.is_loopback or address.is_link_local or address.is_multicast:
        assert not is_public(str(address))


@pytest.mark.parametrize("address", [PUBLIC, "8.8.8.8", "100.63.255.255", "2606:4700::1", "2a00:1450:4001::8a"])
def test_ordinary_addresses_are_public(address):
    assert is_public(address)


# --- Redirects ------------------------------------------------------------------------------------------


def test_three_redirects_are_followed_and_the_document_keeps_the_address_that_was_asked_for():
    web = Web(
        {"b.example": ["8.8.4.4"]},
        {
            PUBLIC: [moved("/2"), moved("https://b.example/3", "308 Moved")],
            "8.8.4.4": [moved("4", "301 M"), answer(b"4")],
        },
    )
    found = web.fetcher().fetch("https://a.example/1")
    assert (found.url, found.body) == ("https://a.example/1", b"4")
    assert [host for host, _ in web.connected] == [PUBLIC, PUBLIC, "8.8.4.4", "8.8.4.4"]


def test_a_fourth_redirect_is_not_followed():
    web = Web(answers={PUBLIC: [moved(f"/{n}") for n in range(9)]})
    with pytest.raises(OutsideFailure, match=r"^https://a.example/x was redirected more than 3 times$"):
        web.fetcher().fetch("https://a.example/x")
    assert len(web.connected) == 4


@pytest.mark.parametrize(
    ("target", "says"),
    [
        ("http://a.example/y", "not an https address"),
        ("file:///etc/passwd", "not an https address"),
        ("https://user:secret@a.example/", "user name"),
        ("https://inside.example/", "not on the public internet"),
        ("https://127.0.0.1/", "not on the public internet"),
        ("https://[::ffff:127.0.0.1]/", "not on the public internet"),
        ("/x", "redirects to itself"),
        ("https://a.example:x/", "no address"),
    ],
)
def test_a_redirect_is_checked_like_the_first_address(target, says):
    inside = "127.0.0.1"
    names = {"inside.example": [inside], inside: [inside], "::ffff:127.0.0.1": ["::ffff:127.0.0.1"]}
    web = Web(names, {PUBLIC: [moved(target)], inside: [answer(b"secret")]})
    with pytest.raises(OutsideFailure, match=says) as refused:
        web.fetcher().fetch("https://a.example/x")
    assert [host for host, _ in web.connected] == [PUBLIC]
    assert "secret" not in str(refused.value)


def test_a_redirect_without_a_target_is_a_failure():
    web = Web(answers={PUBLIC: [answer(b"", status="302 Found")]})
    with pytest.raises(OutsideFailure, match="redirects to itself"):
        web.fetcher().fetch("https://a.example/x")


# --- Size -----------------------------------------------------------------------------------------------


def test_a_body_of_exactly_the_largest_size_is_read_and_one_byte_more_is_not():
    web = Web(answers={PUBLIC: [answer(b"x" * 100), answer(b"x" * 101)]})
    assert len(web.fetcher(largest=100).fetch("https://a.example/x").body) == 100
    with pytest.raises(OutsideFailure, match="larger than 100 bytes"):
        web.fetcher(largest=100).fetch("https://a.example/x")


@pytest.mark.parametrize("length", ["101", "9" * 400])
def test_a_size_that_is_announced_too_large_is_not_read(length):
    web = Web(answers={PUBLIC: [answer(b"x", content_length=length)]})
    with pytest.raises(OutsideFailure, match=r"larger than 100 bytes|as a web server does"):
        web.fetcher(largest=100).fetch("https://a.example/x")


def test_a_body_without_an_announced_size_is_bounded_too():
    web = Web(answers={PUBLIC: [answer(b"x" * 101, content_length=None)]})
    with pytest.raises(OutsideFailure, match="larger than 100 bytes"):
        web.fetcher(largest=100).fetch("https://a.example/x")


def test_a_body_that_ends_early_is_no_document():
    web = Web(answers={PUBLIC: [answer(b"half", content_length="8")]})
    with pytest.raises(OutsideFailure, match="not answer as a web server does"):
        web.fetcher().fetch("https://a.example/x")


@pytest.mark.parametrize(
    ("name", "pack"), [("gzip", gzip.compress), ("GZIP", gzip.compress), ("deflate", zlib.compress)]
)
@pytest.mark.parametrize("size", [0, 1, 65_536, 65_537, 500_000])
def test_a_packed_body_is_unpacked(name, pack, size):
    body = bytes(n % 251 for n in range(size))
    web = Web(answers={PUBLIC: [answer(pack(body), content_encoding=name)]})
    assert web.fetcher().fetch("https://a.example/x").body == body


def test_a_bomb_is_noticed_while_it_is_small():
    bomb = gzip.compress(b"\0" * 50_000_000)
    web = Web(answers={PUBLIC: [answer(bomb, content_encoding="gzip")]})
    with pytest.raises(OutsideFailure, match="larger than 100,000 bytes"):
        web.fetcher(largest=100_000).fetch("https://a.example/x")


@pytest.mark.parametrize("packing", ["br", "zstd", "gzip, gzip", "compress", "\x01"])
def test_other_packings_are_not_read(packing):
    web = Web(answers={PUBLIC: [answer(b"x", content_encoding=packing)]})
    with pytest.raises(OutsideFailure, match=r"which is not read|as a web server does"):
        web.fetcher().fetch("https://a.example/x")


@pytest.mark.parametrize(
    "body",
    [
        b"no gzip",
        b"",
        gzip.compress(b"x" * 99, mtime=0)[:-5],
        gzip.compress(b"x", mtime=0) + b"more",
        gzip.compress(b"x", mtime=0) * 2,
    ],
)
def test_a_body_that_is_not_packed_as_it_says_is_no_document(body):
    web = Web(answers={PUBLIC: [answer(body, content_encoding="gzip")]})
    with pytest.raises(OutsideFailure, match=r"not packed as it says \(gzip\)"):
        web.fetcher().fetch("https://a.example/x")


# --- Time and broken servers ----------------------------------------------------------------------------


def test_a_server_that_drips_its_headers_is_left_at_the_deadline():
    web = Web(answers={PUBLIC: [answer(b"x" * 50)]}, drip=1.0)
    with pytest.raises(OutsideFailure, match=r"^https://a.example/x did not answer within 10 seconds$"):
        web.fetcher().fetch("https://a.example/x")
    assert web.now <= 12


def test_the_deadline_is_one_for_all_redirects():
    web = Web(answers={PUBLIC: [moved("/2"), moved("/3"), answer()]}, wait=6.0)
    with pytest.raises(OutsideFailure, match="did not answer within 10 seconds"):
        web.fetcher().fetch("https://a.example/x")


def test_a_name_service_that_never_answers_is_left_behind():
    done = threading.Event()
    fetcher = GuardedFetcher(resolve=lambda host, port: done.wait(30) and [], backend=Backend(Web()), seconds=0.05)
    with pytest.raises(OutsideFailure, match=r"did not answer within 0\.05 seconds"):
        fetcher.fetch("https://a.example/x")
    done.set()


def test_an_unknown_name_says_so():
    with pytest.raises(OutsideFailure, match=r"^nowhere\.example is not a name that can be found$"):
        Web().fetcher().fetch("https://nowhere.example/x")
    with pytest.raises(OutsideFailure, match="not a name that can be found"):
        Web({"a.example": []}).fetcher().fetch("https://a.example/x")


def test_a_server_that_is_down_says_so():
    with pytest.raises(OutsideFailure, match=r"^https://a.example/x cannot be reached$"):
        Web().fetcher().fetch("https://a.example/x")


def test_a_certificate_that_is_not_valid_says_so():
    class BadCertificate(Backend):
        def connect_tcp(self, host, port, timeout=None, local_address=None, socket_options=None):
            stream = super().connect_tcp(host, port, timeout)

            def start_tls(*_arguments, **_named):
                raise httpcore.ConnectError("[SSL: CERTIFICATE_VERIFY_FAILED] self-signed certificate")

            stream.start_tls = start_tls
            return stream

    web = Web(answers={PUBLIC: [answer()]})
    fetcher = GuardedFetcher(resolve=web.resolve, backend=BadCertificate(web), clock=web.clock)
    with pytest.raises(OutsideFailure, match=r"^https://a.example/x did not show a valid certificate$"):
        fetcher.fetch("https://a.example/x")


@pytest.mark.parametrize(
    "noise", [b"", b"SSH-2.0-OpenSSH_9\r\n", b"HTTP/1.1 abc\r\n\r\n", b"HTTP/1.1 200 OK\r\nx" * 40_000]
)
def test_what_does_not_speak_http_is_no_document(noise):
    web = Web(answers={PUBLIC: [noise]})
    with pytest.raises(OutsideFailure, match="did not answer as a web server does"):
        web.fetcher().fetch("https://a.example/x")


def outcome(web, url):
    """The document, or the sentence that stands for it."""
    try:
        return web.fetcher().fetch(url).body
    except OutsideFailure as problem:
        return str(problem)


@given(st.binary(max_size=300))
def test_whatever_a_server_sends_is_a_document_or_one_sentence(noise):
    web = Web(answers={PUBLIC: [b"HTTP/1.1 200 OK\r\n" + noise, b"HTTP/1.1 200 OK\r\n\r\n" + noise]})
    found = outcome(web, "https://a.example/x")
    assert isinstance(found, bytes) or "\n" not in found
    assert outcome(web, "https://a.example/x") == noise


@given(st.text(max_size=60))
def test_whatever_address_is_asked_for_is_refused_in_one_sentence(text):
    for url in (text, f"https://{text}", f"https://a.example/{text}"):
        found = outcome(Web(answers={PUBLIC: [answer()]}), url)
        assert found == b"{}" or "\n" not in found
