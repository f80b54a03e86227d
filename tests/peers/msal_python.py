"""MSAL Python, unmodified, as a peer of the token cache.

    python msal_python.py silent  --cache FILE AUTHORITY --client-id ID --scope S --ca FILE [--proxy URL]
    python msal_python.py sign-in --cache FILE AUTHORITY --client-id ID --scope S --ca FILE --cert FILE

AUTHORITY is `--authority URL` (Entra) or `--oidc-authority URL` (any OpenID provider); MSAL Python requires https and one
path segment in both. `silent` reads the file, and writes it if the cache has changed; `sign-in` signs in through
`browser.mjs` and writes it. Each prints one line of JSON: "accounts", "result" (never a token, but the SHA-256 of the
access token in hex), "token_requests" and "requests". It exits with 0 even without a token: the caller judges the line.
`sign-in` passes its environment on to `browser.mjs`, which reads AUTH_TEST_NODE_MODULES and AUTH_TEST_CHROMIUM.
"""

import argparse
import hashlib
import json
import os
import pathlib
import subprocess
import threading
import webbrowser

import msal
import requests

HERE = pathlib.Path(__file__).resolve().parent


class CountingClient:
    """The HTTP client that MSAL would have used, with a list of the requests."""

    def __init__(self, ca, proxy):
        self.session = requests.Session()
        self.session.trust_env = False  # no proxy and no other roots than the ones named here
        self.session.verify = ca
        self.session.proxies = {"https": proxy} if proxy else {}
        self.requests = []

    def get(self, url, **kwargs):
        return self.send("GET", url, **kwargs)

    def post(self, url, **kwargs):
        return self.send("POST", url, **kwargs)

    def send(self, method, url, *, params=None, data=None, headers=None, **kwargs):
        seen = {"method": method, "url": url}
        if isinstance(data, dict) and "grant_type" in data:
            seen["grant_type"] = data["grant_type"]
        self.requests.append(seen)
        return self.session.request(method, url, params=params, data=data, headers=headers, timeout=20)

    def close(self):
        self.session.close()


class Chromium(webbrowser.BaseBrowser):
    """The browser that `webbrowser.open` finds."""

    def __init__(self, cert):
        super().__init__("chromium of the tests")
        self.environment = dict(os.environ, AUTH_TEST_CERT=cert)

    def open(self, url, new=0, autoraise=True):
        threading.Thread(target=self.walk, args=(url,)).start()
        return True

    def walk(self, url):
        """Signs in; a browser that fails ends the program at once, because no response will reach the listener."""
        command = ["node", str(HERE / "browser.mjs"), url]
        if subprocess.run(command, env=self.environment, stdout=subprocess.DEVNULL).returncode:
            os._exit(1)


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    commands = parser.add_subparsers(dest="command", required=True)
    for name in ("silent", "sign-in"):
        command = commands.add_parser(name)
        authority = command.add_mutually_exclusive_group(required=True)
        authority.add_argument("--authority")
        authority.add_argument("--oidc-authority")
        command.add_argument("--cache", required=True, type=pathlib.Path)
        command.add_argument("--client-id", required=True)
        command.add_argument("--scope", required=True, action="append")
        command.add_argument("--ca", required=True)
    commands.choices["silent"].add_argument("--proxy")
    commands.choices["sign-in"].add_argument("--cert", required=True)
    return parser.parse_args()


def silent(app, args):
    """The token of the only account, or why there is none."""
    accounts = app.get_accounts()
    if len(accounts) != 1:
        return {"error": "no_account" if not accounts else "several_accounts"}
    result = app.acquire_token_silent_with_error(args.scope, account=accounts[0])
    return result or {"error": "no_token"}


def sign_in(app, args):
    """The token after a sign-in in the browser."""
    webbrowser.register("chromium-of-the-tests", None, Chromium(args.cert), preferred=True)
    return app.acquire_token_interactive(args.scope, timeout=60)


def save(cache, path):
    """Writes the cache file."""
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
        file.write(cache.serialize())


def without_secrets(result):
    """The fields of a result that may be printed."""
    token = result.get("access_token")
    shown = {
        name: result.get(name)
        for name in ("token_source", "token_type", "expires_in", "scope", "error", "error_description")
    }
    shown["access_token_sha256"] = hashlib.sha256(token.encode()).hexdigest() if token else None
    return shown


def main():
    args = arguments()
    client = CountingClient(args.ca, getattr(args, "proxy", None))
    cache = msal.SerializableTokenCache()
    if args.command == "silent":
        cache.deserialize(args.cache.read_text(encoding="utf-8"))
    app = msal.PublicClientApplication(
        args.client_id,
        authority=args.authority,
        oidc_authority=args.oidc_authority,
        http_client=client,
        token_cache=cache,
        # Other providers are not asked which hosts form a cloud.
        instance_discovery=None if args.authority else False,
    )
    result = silent(app, args) if args.command == "silent" else sign_in(app, args)
    if cache.has_state_changed:
        save(cache, args.cache)
    accounts = [
        {name: account.get(name) for name in ("home_account_id", "environment", "username", "authority_type")}
        for account in app.get_accounts()
    ]
    print(
        json.dumps(
            {
                "accounts": accounts,
                "result": without_secrets(result),
                "token_requests": sum("grant_type" in seen for seen in client.requests),
                "requests": client.requests,
            }
        )
    )


if __name__ == "__main__":
    main()
