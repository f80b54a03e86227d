// MSAL Node Extensions, unmodified, as another writer of a cache file.
//
//   node extensions.mjs FILE WRITER
//
// Says `ready`, then obeys each line of its standard input and answers with one: `store N` writes access token number N of
// this writer (`ack N`, or `failed N: why`); `hold` takes the lock (`held`) and `release` releases it (`released`).
//
// The entry point of the package also loads the key stores of the desktop, which are native code. This imports the same
// code without them: the lock, the file, and the plug-in that connects them to MSAL.
import path from 'node:path';
import readline from 'node:readline';
import { pathToFileURL } from 'node:url';
import { load, required } from './load.mjs';

const part = (file) => import(pathToFileURL(
  path.resolve(required('AUTH_TEST_NODE_MODULES'), '@azure/msal-node-extensions/dist', file)));
const { CrossPlatformLock } = await part('lock/CrossPlatformLock.mjs');
const { FilePersistence } = await part('persistence/FilePersistence.mjs');
const { PersistenceCachePlugin } = await part('persistence/PersistenceCachePlugin.mjs');
const { Logger } = await load('@azure/msal-node');

const [file, writer] = process.argv.slice(2);
const plugin = new PersistenceCachePlugin(await FilePersistence.create(file));
const lock = new CrossPlatformLock(`${file}.lockfile`, new Logger({}));

// What MSAL Node would keep in memory.
let document = {};
const context = {
  cacheHasChanged: true,
  tokenCache: {
    deserialize: (text) => { document = JSON.parse(text); },
    serialize: () => JSON.stringify(document),
  },
};

/** As MSAL Node stores tokens through a plug-in: whatever went wrong before, it writes and unlocks. */
async function store(number) {
  try {
    await plugin.beforeCacheAccess(context);
    const now = Math.floor(Date.now() / 1000);
    const [environment, realm] = ['login.microsoftonline.com', 'aaaabbbb-0000-cccc-1111-dddd2222eeee'];
    const client = 'c0ffee00-0000-4000-8000-000000000008';
    (document.AccessToken ??= {})[`${writer}.${realm}-${environment}-accesstoken-${client}-${realm}-scope${number}`] = {
      home_account_id: `${writer}.${realm}`, environment, credential_type: 'AccessToken', client_id: client, realm,
      secret: `${writer}-${number}`, target: `scope${number}`, token_type: 'Bearer',
      cached_at: `${now}`, expires_on: `${now + 3600}`, extended_expires_on: `${now + 3600}`,
    };
  } finally {
    await plugin.afterCacheAccess(context);
  }
}

const answers = {
  hold: async () => { await lock.lock(); return 'held'; },
  release: async () => { await lock.unlock(); return 'released'; },
  store: async (number) => store(number).then(() => `ack ${number}`, (error) => `failed ${number}: ${error.name}`),
};
console.log('ready');
for await (const line of readline.createInterface({ input: process.stdin })) {
  const [command, number] = line.split(' ');
  console.log(await answers[command](number));
}
