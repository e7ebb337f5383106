"""Who is answered, and what a browser may do with the answers."""

import socket
import subprocess

import httpx2
import pytest
from looking import COMMAND, Asker, served, viewing

from longtake.viewer import address
from longtake.viewer.security import MOST_BYTES, is_loopback

TOKEN = "a-token-for-tests"


@pytest.fixture(scope="module")
def guarded(made) -> Asker:
    """A server as it is where others can reach it."""
    with served(made, token=TOKEN) as opened:
        yield opened


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "LOCALHOST", "[::1]", "localhost:9000", "127.0.0.1:80"])
def test_it_answers_to_its_own_names_whatever_port_is_forwarded(asker, host):
    assert asker.client.get("api/stamp", headers={"Host": host}).status_code == 200


@pytest.mark.parametrize(
    "host",
    ["evil.example", "127.0.0.1.evil.example", "evil@127.0.0.1", "localhost.", "127.0.0.1:80:80", "", "[", "x y"],
)
def test_it_answers_to_no_other_name(asker, host):
    for path in ("", "app.js", "api/set", "media/clip/x"):
        answer = asker.client.get(path, headers={"Host": host})
        assert answer.status_code in (400, 421)
    assert "localhost" in asker.client.get("", headers={"Host": "evil.example"}).json()["error"]


def test_every_answer_says_what_a_browser_may_do(asker):
    for path, status in (("", 200), ("app.js", 200), ("api/set", 200), ("nothing", 404), ("api/compare", 400)):
        answer = asker.client.get(path)
        assert answer.status_code == status
        policy = dict(part.split(" ", 1) for part in answer.headers["content-security-policy"].split("; "))
        assert policy["default-src"] == policy["frame-ancestors"] == policy["form-action"] == "'none'"
        assert policy["script-src"] == policy["style-src"] == policy["connect-src"] == "'self'"
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["referrer-policy"] == "no-referrer"
        assert answer.headers["cross-origin-resource-policy"] == "same-origin"
        assert "server" not in answer.headers
    assert asker.client.get("", headers={"Host": "evil.example"}).headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 200),
        ({"Origin": "OWN"}, 200),
        ({"Sec-Fetch-Site": "same-origin"}, 200),
        ({"Origin": "http://evil.example"}, 403),
        ({"Origin": "null"}, 403),
        ({"Origin": "http://localhost:1"}, 403),
        ({"Sec-Fetch-Site": "cross-site"}, 403),
        ({"Sec-Fetch-Site": "same-site"}, 403),
        ({"Content-Type": "text/plain"}, 415),
        ({"Content-Type": "application/x-www-form-urlencoded"}, 415),
        ({"Content-Type": ""}, 415),
        ({"Content-Type": "application/json; charset=utf-8"}, 200),
    ],
)
def test_only_the_page_itself_may_send(asker, headers, status):
    own = {"Content-Type": "application/json", **headers}
    if own.get("Origin") == "OWN":
        own["Origin"] = asker.url.rstrip("/")
    answer = asker.client.post("api/select", content=b'{"rules": []}', headers=own)
    assert answer.status_code == status, answer.text


def test_another_page_may_link_here_and_no_more(asker):
    linked = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate"}
    assert asker.client.get("", headers=linked).status_code == 200
    embedded = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "no-cors"}
    assert asker.client.get("api/set", headers=embedded).status_code == 403
    posted = {**linked, "Content-Type": "application/json"}
    assert asker.client.post("api/select", content=b'{"rules": []}', headers=posted).status_code == 403


@pytest.mark.parametrize("body", [b"", b"[]", b"nothing", b'{"rules": 3}', b'{"rules": [1]}', b'{"rules": [], "x": 1}'])
def test_what_is_no_question_is_said(asker, body):
    answer = asker.client.post("api/select", content=body, headers={"Content-Type": "application/json"})
    assert answer.status_code == 400
    assert answer.json()["error"]


def test_nobody_can_send_without_end(asker):
    json_type = {"Content-Type": "application/json"}
    long = b'{"rules": ["' + b"x" * MOST_BYTES + b'"]}'
    assert asker.client.post("api/select", content=long, headers=json_type).status_code == 413
    pieces = asker.client.post("api/select", content=iter([b'{"rules": []}']), headers=json_type)
    assert pieces.status_code == 413


@pytest.mark.parametrize("method", ["PUT", "DELETE", "OPTIONS", "PATCH"])
def test_only_asking_and_sending(asker, method):
    assert asker.client.request(method, "api/set").status_code == 405


@pytest.mark.parametrize(
    "path", ["%2e%2e/recipe.toml", "../recipe.toml", "recipe.toml", "previews/../recipe.toml", "%00"]
)
def test_no_file_is_reached_by_its_path(asker, path):
    host, port = asker.url.removeprefix("http://").rstrip("/").split(":")
    with socket.create_connection((host, int(port))) as line:  # as it is: clients tidy paths up
        line.sendall(f"GET /{path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n".encode())
        answer = b"".join(iter(lambda: line.recv(65536), b""))
    assert answer.split()[1] in (b"404", b"400")
    assert b"[select]" not in answer


def test_without_the_token_there_is_no_answer(guarded):
    for path in ("", "app.js", "api/set", "?token=", "?token=wrong", f"api/set?token={TOKEN}"):
        answer = guarded.client.get(path)
        assert answer.status_code == 401, path
        assert "longtake view" in answer.json()["error"]
        assert "set-cookie" not in answer.headers
    assert guarded.client.get("api/set", headers={"Cookie": "longtake-1=x; =; ;;"}).status_code == 401


def test_the_token_becomes_a_cookie_that_no_other_site_sends(guarded):
    opened = guarded.client.get("", params={"token": TOKEN})
    assert opened.status_code == 200
    cookie = opened.headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=Strict" in cookie
    name, _, value = cookie.partition(";")[0].partition("=")
    with httpx2.Client(base_url=guarded.url) as other:
        for host in ("gpu-box.example:8000", "192.0.2.7"):
            answer = other.get("api/stamp", headers={"Cookie": f"{name}={value}", "Host": host})
            assert answer.status_code == 200
        assert other.get("api/stamp", headers={"Cookie": f"{name}={value}x"}).status_code == 401
        assert other.get("api/stamp", headers={"Cookie": f"{name}x={value}"}).status_code == 401


@pytest.mark.parametrize(
    ("host", "alone"),
    [
        *((host, True) for host in ("127.0.0.1", "127.9.9.9", "::1", "localhost")),
        *((host, False) for host in ("0.0.0.0", "::", "192.168.1.5", "gpu-box", "127.0.0.1.evil.example")),
    ],
)
def test_what_only_this_machine_reaches(host, alone):
    assert is_loopback(host) is alone


def test_addresses():
    assert address("127.0.0.1", 8000, None) == "http://127.0.0.1:8000/"
    assert address("::1", 8000, None) == "http://[::1]:8000/"
    assert address("192.168.1.5", 80, "a/b") == "http://192.168.1.5:80/?token=a%2Fb"
    assert address("0.0.0.0", 80, "t") == f"http://{socket.gethostname()}:80/?token=t"


def test_bound_elsewhere_the_address_has_a_token(made):
    with viewing(made, "--host", "0.0.0.0") as (_, asker):
        token = asker.url.partition("?token=")[2]
        port = asker.url.partition("/?")[0].rpartition(":")[2]
        assert len(token) >= 20
        with httpx2.Client(base_url=f"http://127.0.0.1:{port}/") as client:
            assert client.get("api/stamp").status_code == 401
            assert client.get("", params={"token": token}).status_code == 200
            assert client.get("api/stamp").status_code == 200


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["{empty}"], "is no set: it has no recipe.toml"),
        (["{made}", "--with", "{empty}"], "is no set: it has no recipe.toml"),
        (["{made}", "--host", "192.0.2.1"], "192.0.2.1:0 can't be served"),
    ],
)
def test_what_cannot_be_served_is_one_line(made, tmp_path, arguments, words):
    named = [argument.format(made=made, empty=tmp_path) for argument in arguments]
    done = subprocess.run([*COMMAND, *named, "--no-open"], capture_output=True, text=True)
    assert done.returncode == 1
    assert done.stderr.startswith("longtake: ")
    assert words in done.stderr
    assert done.stderr.count("\n") == 1
