"""Lists the keyring: the schema and the length of the secret of each item, one per line.

    python3 keyring_items.py

It runs on the Python of the system, which has PyGObject.
"""

import gi

gi.require_version("Secret", "1")
from gi.repository import Secret  # noqa: E402

FLAGS = Secret.ServiceFlags.OPEN_SESSION | Secret.ServiceFlags.LOAD_COLLECTIONS
for collection in Secret.Service.get_sync(FLAGS, None).get_collections():
    for item in collection.get_items():
        item.load_secret_sync(None)
        print(item.get_attributes()["xdg:schema"], len(item.get_secret().get()))
