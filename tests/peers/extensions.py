"""MSAL Extensions for Python, unmodified, as another writer of a cache file.

    python extensions.py FILE WRITER

Says `ready`, then obeys each line of its standard input and answers with one: `store N` writes access token number N of
this writer (`ack N`, or `failed N: why`); `hold` takes the lock (`held`) and `release` releases it (`released`).
"""

import sys
import time

from msal_extensions import FilePersistence, PersistedTokenCache
from msal_extensions.cache_lock import CrossPlatLock

FILE, WRITER = sys.argv[1:]
ENTRY = {
    "environment": "login.microsoftonline.com",
    "client_id": "c0ffee00-0000-4000-8000-000000000008",
    "realm": "aaaabbbb-0000-cccc-1111-dddd2222eeee",
    "token_type": "Bearer",
}


def store(cache, number):
    now = int(time.time())
    entry = {
        **ENTRY,
        "credential_type": "AccessToken",
        "home_account_id": f"{WRITER}.aaaabbbb-0000-cccc-1111-dddd2222eeee",
        "target": f"scope{number}",
        "secret": f"{WRITER}-{number}",
        "cached_at": str(now),
        "expires_on": str(now + 3600),
        "extended_expires_on": str(now + 3600),
    }
    cache.modify(cache.CredentialType.ACCESS_TOKEN, entry, entry)


def main():
    cache = PersistedTokenCache(FilePersistence(FILE))
    lock = CrossPlatLock(FILE + ".lockfile")
    print("ready", flush=True)
    for line in sys.stdin:
        command, *words = line.split()
        if command == "hold":
            lock.__enter__()
            answer = "held"
        elif command == "release":
            lock.__exit__(None, None, None)
            answer = "released"
        else:
            number = words[0]
            try:
                store(cache, number)
                answer = f"ack {number}"
            except Exception as error:  # a peer continues, whatever happens
                answer = f"failed {number}: {type(error).__name__}"
        print(answer, flush=True)


if __name__ == "__main__":
    main()
