"""What is sent goes the guarded way: public addresses over https, no redirect, the beginning of the answer."""

from __future__ import annotations

import pytest
from tests.unit.adapters.test_fetch import PUBLIC, Backend, Web, answer, moved

from guildmark.adapters.fetch import GuardedPoster, check_address
from guildmark.core.doors import Answer
from guildmark.core.errors import OutsideFailure

URL = "https://a.example/hooks"


def poster(web, **limits):
    return GuardedPoster(resolve=web.resolve, backend=Backend(web), clock=web.clock, **{"seconds": 10, **limits})


def test_the_body_arrives_with_its_headers_over_a_connection_secured_for_the_name():
    web = Web(answers={PUBLIC: [answer(b"thanks", status="202 Accepted")]})
    assert poster(web).post(URL, b'{"a":1}', {"webhook-id": "7"}) == Answer(202, b"thanks")
    sent = b"".join(web.sent)
    assert sent.startswith(b"tls for a.examplePOST /hooks HTTP/1.1\r\n")
    assert b"webhook-id: 7\r\n" in sent
    assert b"Content-Length: 7\r\n" in sent
    assert sent.endswith(b'\r\n\r\n{"a":1}')


@pytest.mark.parametrize("status", ["301 Moved", "302 Found", "303 See Other", "307 Again", "308 For Good"])
def test_a_redirect_is_the_answer_and_nobody_else_is_asked(status):
    web = Web(names={"b.example": [PUBLIC]}, answers={PUBLIC: [moved("https://b.example/", status), answer()]})
    assert poster(web).post(URL, b"{}", {}).status == int(status[:3])
    assert web.resolved == ["a.example"]


@pytest.mark.parametrize("status", ["400 Bad", "410 Gone", "500 Broken"])
def test_a_refusal_is_an_answer_too(status):
    web = Web(answers={PUBLIC: [answer(b"no", status=status)]})
    assert poster(web).post(URL, b"{}", {}) == Answer(int(status[:3]), b"no")


def test_the_beginning_of_a_long_answer_is_enough():
    web = Web(answers={PUBLIC: [answer(b"x" * 1_000_000)]})
    assert poster(web).post(URL, b"{}", {}).body == b"x" * 4096


@pytest.mark.parametrize("address", ["127.0.0.1", "10.1.2.3", "169.254.169.254", "::1", "fd00::1"])
def test_a_name_that_leads_inside_is_refused_before_anything_is_sent(address):
    web = Web(names={"a.example": [address]}, answers={address: [answer()]})
    with pytest.raises(OutsideFailure, match="not on the public internet"):
        poster(web).post(URL, b"{}", {})
    assert (web.connected, web.sent) == ([], [])


def test_in_development_this_machine_is_reached_by_plain_http():
    web = Web(names={"localhost": ["127.0.0.1"]}, answers={"127.0.0.1": [answer(status="200 OK")]})
    assert poster(web, inside=True).post("http://localhost:8000/", b"{}", {}).status == 200
    assert web.connected == [("127.0.0.1", 8000)]


def test_a_receiver_that_drips_is_left_at_the_deadline():
    web = Web(answers={PUBLIC: [answer()]}, drip=1.0)
    with pytest.raises(OutsideFailure, match="did not answer within 10 seconds"):
        poster(web).post(URL, b"{}", {})


@pytest.mark.parametrize(
    "url",
    [
        "http://a.example/", "ftp://a.example/", "https://me@a.example/", "https:///", "", "https://127.0.0.1/",
        "https://[::1]/", "https://10.0.0.1:8443/", "https://localhost/", "https://a.localhost/", "https://printer.local",
        "https://metadata.google.internal/", "https://LOCALHOST./",
    ],
)  # fmt: skip
def test_an_address_that_would_never_be_reached_is_known_before_anything_is_sent(url):
    with pytest.raises(OutsideFailure):
        check_address(url)


@pytest.mark.parametrize("url", ["https://a.example/", "https://a.example:8443/x?y=z", f"https://{PUBLIC}/"])
def test_an_ordinary_address_is_fine(url):
    check_address(url)


def test_in_development_an_address_inside_is_fine():
    check_address("http://127.0.0.1:8000/", inside=True)
