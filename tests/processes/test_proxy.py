"""The proxy of deploy/ before the running product: slow clients, large bodies, what is logged, a web that is away."""

from __future__ import annotations

import shutil
import socket
import ssl
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import requests

from project import embedded
from project.embedded.files import free_port
from tests.processes.theatre import Theatre

NGINX = shutil.which("nginx", path="/usr/sbin:/usr/local/sbin:/usr/bin")
SHIPPED = embedded.BASE_DIR / "deploy" / "nginx" / "hromada.conf"
HOST = "support.example.org"
MAIN = """
pid {folder}/nginx.pid;
error_log {folder}/main.error.log;
worker_processes 1;
events {{ worker_connections 512; }}
http {{
    client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy; fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;
    include {folder}/hromada.conf;
}}
"""
pytestmark = [
    pytest.mark.processes,
    pytest.mark.skipif(NGINX is None, reason="no nginx on this machine (Debian: apt install nginx-light)"),
]


@dataclass
class Proxy:
    folder: Path
    port: int

    def get(self, path: str, **given: object) -> requests.Response:
        return self._ask("GET", path, **given)

    def post(self, path: str, **given: object) -> requests.Response:
        return self._ask("POST", path, **given)

    def _ask(self, method: str, path: str, headers: dict[str, str] | None = None, **given: object) -> requests.Response:
        url, ours = f"https://127.0.0.1:{self.port}{path}", {"Host": HOST, **(headers or {})}
        given |= {"headers": ours, "verify": f"{self.folder}/cert.pem", "timeout": 20, "allow_redirects": False}
        return requests.request(method, url, **given)  # type: ignore[arg-type] # noqa: S113 - has a timeout

    def open(self) -> ssl.SSLSocket:
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        plain = socket.create_connection(("127.0.0.1", self.port), 10)
        return context.wrap_socket(plain, server_hostname=HOST)

    @property
    def logged(self) -> str:
        time.sleep(0.2)
        return "".join(each.read_text() for each in self.folder.glob("*.log"))


@pytest.fixture
def proxy(theatre: Theatre, tmp_path: Path) -> Iterator[Proxy]:
    """The shipped file with this test's ports and paths, before a web process that counts one proxy."""
    port, plain, web = free_port(), free_port(), free_port()
    site = {"SITE_URL": f"https://{HOST}", "ALLOWED_HOSTS": HOST, "SECURE_SSL_REDIRECT": "1", "DEBUG": "1"}
    theatre.start("web", under="proxied", PORT=str(web), TRUSTED_PROXY_COUNT="1", **site)
    words = SHIPPED.read_text()
    for ours, theirs in {
        "127.0.0.1:8000": f"127.0.0.1:{web}",
        "    listen [::]:443 ssl http2;\n": "",
        "    listen [::]:80;\n": "",
        "listen 443 ": f"listen 127.0.0.1:{port} ",
        "listen 80;": f"listen 127.0.0.1:{plain};",
        "/var/log/nginx/": f"{tmp_path}/",
        f"/etc/letsencrypt/live/{HOST}/fullchain.pem": f"{tmp_path}/cert.pem",
        f"/etc/letsencrypt/live/{HOST}/privkey.pem": f"{tmp_path}/key.pem",
    }.items():
        assert ours in words, ours
        words = words.replace(ours, theirs)
    (tmp_path / "hromada.conf").write_text(words)
    (tmp_path / "nginx.conf").write_text(MAIN.format(folder=tmp_path))
    subject = ["-subj", f"/CN={HOST}", "-keyout", f"{tmp_path}/key.pem", "-out", f"{tmp_path}/cert.pem"]
    subject += ["-addext", f"subjectAltName=DNS:{HOST},IP:127.0.0.1"]
    make = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", *subject]
    subprocess.run(make, check=True, capture_output=True)
    nginx = subprocess.Popen([str(NGINX), "-c", f"{tmp_path}/nginx.conf", "-g", "daemon off;"])
    try:
        one = Proxy(tmp_path, port)
        theatre.until("the proxied website answers", lambda: _answers(one))
        yield one
    finally:
        nginx.terminate()
        nginx.wait(10)
        if theatre.programs.is_running("proxied"):
            theatre.kill("proxied")


def _answers(proxy: Proxy) -> bool:
    try:
        return proxy.get("/healthz").status_code == 200
    except requests.RequestException:
        return False


def test_slow_clients_hold_up_nobody(proxy: Proxy) -> None:
    """Sixty clients that send a form one byte at a time, ten times as many as the web process has threads."""
    head = f"POST /support/details/ HTTP/1.1\r\nHost: {HOST}\r\nContent-Length: 5000\r\n"
    head += "Content-Type: application/x-www-form-urlencoded\r\n\r\nemail="
    slow = [proxy.open() for _ in range(60)]
    try:
        for each in slow:
            each.sendall(head.encode())
        for _ in range(3):
            for each in slow:
                each.sendall(b"x")
            began = time.monotonic()
            assert proxy.get("/support/").status_code == 200
            assert time.monotonic() - began < 3
    finally:
        for each in slow:
            each.close()


def test_a_large_body_is_refused_before_it_is_passed_on(proxy: Proxy) -> None:
    for path in ("/webhooks/stripe/", "/support/details/"):
        assert proxy.post(path, data=b"x" * 1_100_000).status_code == 413


def test_no_log_holds_a_link_a_search_or_a_whole_address(proxy: Proxy, theatre: Theatre) -> None:
    secrets = ["kateryna%40example.org", "SECRETTOKEN", "kateryna@example.org"]
    asked = [
        "/admin/members/supporter/?q=kateryna%40example.org",
        "/stop/SECRETTOKEN/",
        "/support/return/SECRETTOKEN/",
        "/preferences/SECRETTOKEN/?lang=uk",
        "/support/?again=SECRETTOKEN",
    ]
    for path in asked:
        assert proxy.get(path).status_code < 500
    theatre.kill("proxied")
    for path in asked:
        answer = proxy.get(path)
        assert (answer.status_code, answer.headers["Retry-After"]) == (503, "30")
        assert "Nothing was charged" in answer.text
    logged = proxy.logged
    assert "GET /stop/-" in logged
    assert "127.0.0.0 [" in logged
    assert [secret for secret in [*secrets, "127.0.0.1 ["] if secret in logged] == []


def test_a_claimed_address_or_host_gains_nothing(proxy: Proxy, theatre: Theatre) -> None:
    """Sixty wrong links from one network are slowed, whatever address each claims to come from."""
    statuses = set()
    for number in range(70):
        claimed = {"X-Forwarded-For": f"203.0.{number}.9", "X-Forwarded-Host": "evil.example"}
        answer = proxy.get(f"/stop/wrong{number}/", headers=claimed)
        statuses.add(answer.status_code)
        assert "evil.example" not in answer.text
    assert statuses == {404, 429}


def test_plain_http_leads_to_https_and_a_strange_host_nowhere(proxy: Proxy) -> None:
    assert proxy.get("/support/").headers["Strict-Transport-Security"].startswith("max-age=31536000")
    assert proxy.get("/support/", headers={"Host": "evil.example"}).status_code == 400
