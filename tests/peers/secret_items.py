"""MSAL Extensions for Python, unmodified, with its cache in the keyring (libsecret).

    python3 secret_items.py FOLDER save TEXT | load | count | add NAME

`save` and `load` are those of its persistence; `count` prints the number of items under its attributes; `add` adds an
access token to its cache and prints which are in it. It runs on the Python of the system, which has PyGObject.
"""

import os
import sys

from msal_extensions import LibsecretPersistence, PersistedTokenCache
from gi.repository import Secret

FOLDER, COMMAND, *WORDS = sys.argv[1:]
SCHEMA, ATTRIBUTES = "com.contoso.app", {"app": "contoso"}


def count():
    service = Secret.Service.get_sync(Secret.ServiceFlags.NONE, None)
    return len(service.search_sync(None, {"xdg:schema": SCHEMA, **ATTRIBUTES}, Secret.SearchFlags.ALL, None))


def add(persistence, name):
    cache = PersistedTokenCache(persistence)
    cache.add(
        {
            "client_id": "c0ffee00-0000-4000-8000-000000000008",
            "scope": [name],
            "token_endpoint": "https://login.microsoftonline.com/common/oauth2/v2.0/token",
            "response": {"access_token": f"token {name}", "expires_in": 3600, "token_type": "Bearer"},
        }
    )
    entries = PersistedTokenCache(persistence).search(cache.CredentialType.ACCESS_TOKEN)
    return " ".join(sorted(entry["target"] for entry in entries))


def main():
    persistence = LibsecretPersistence(os.path.join(FOLDER, "msal.cache"), schema_name=SCHEMA, attributes=ATTRIBUTES)
    if COMMAND == "save":
        persistence.save(WORDS[0])
        print("saved")
    elif COMMAND == "load":
        print(persistence.load())
    elif COMMAND == "count":
        print(count())
    else:
        print(add(persistence, WORDS[0]))


if __name__ == "__main__":
    main()
