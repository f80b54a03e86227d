// MSAL Node, unmodified, as a peer of the token cache.
//
//   node msal_node.mjs silent  --cache FILE AUTHORITY --client-id ID --scope S --ca FILE [--proxy URL]
//   node msal_node.mjs sign-in --cache FILE AUTHORITY --client-id ID --scope S --ca FILE --cert FILE
//
// AUTHORITY is `--authority URL` (Entra) or `--oidc-authority URL` (any OpenID provider). `silent` reads the file, and
// writes it if the cache has changed; `sign-in` signs in through `browser.mjs` and writes it. Each prints one line of
// JSON: "accounts", "result" (never a token, but the SHA-256 of the access token in hex), "token_requests" and
// "requests". It exits with 0 even without a token: the caller judges the line. Environment variables:
//
//   AUTH_TEST_NODE_MODULES   where the packages are (required)
//
// `sign-in` passes its environment on to `browser.mjs`, which reads AUTH_TEST_CHROMIUM.
import { spawn } from 'node:child_process';
import crypto from 'node:crypto';
import fs from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { load } from './load.mjs';
import { Network } from './network.mjs';

const { AuthError, ProtocolMode, PublicClientApplication } = await load('@azure/msal-node');

const { values: args, positionals: [command] } = parseArgs({
  allowPositionals: true,
  options: Object.fromEntries(['cache', 'authority', 'oidc-authority', 'client-id', 'scope', 'ca', 'proxy', 'cert']
    .map((name) => [name, { type: 'string' }])),
});
const scopes = [args.scope];
// MSAL Node itself asks Entra which hosts belong to it.
const ENTRA = /^login\.microsoftonline\./;

function application(network) {
  const oidc = args['oidc-authority'];
  const authority = oidc ?? args.authority;
  const { host } = new URL(authority);
  return new PublicClientApplication({
    auth: { clientId: args['client-id'], authority, knownAuthorities: ENTRA.test(host) ? [] : [host] },
    system: {
      networkClient: network,
      protocolMode: oidc ? ProtocolMode.OIDC : ProtocolMode.AAD,
      disableInternalRetries: true,
    },
  });
}

/** The token of the only account, or why there is none. */
async function silent(app) {
  const accounts = await app.getTokenCache().getAllAccounts();
  if (accounts.length !== 1) return { error: accounts.length ? 'several_accounts' : 'no_account' };
  return app.acquireTokenSilent({ account: accounts[0], scopes });
}

/** The token after a sign-in in the browser. A browser that fails ends the program: no response will come. */
function signIn(app) {
  const browser = fileURLToPath(new URL('browser.mjs', import.meta.url));
  const openBrowser = async (url) => {
    const environment = { ...process.env, AUTH_TEST_CERT: args.cert };
    const child = spawn(process.execPath, [browser, url], { env: environment, stdio: ['ignore', 'ignore', 'inherit'] });
    child.on('exit', (code) => code && process.exit(1));
  };
  return app.acquireTokenInteractive({ scopes, openBrowser });
}

/** The fields of a result that may be printed. */
function withoutSecrets(result) {
  const token = result.accessToken;
  return {
    token_source: token ? (result.fromCache ? 'cache' : 'identity_provider') : null,
    error: result.error ?? null,
    error_description: result.error_description ?? null,
    access_token_sha256: token ? crypto.createHash('sha256').update(token).digest('hex') : null,
  };
}

const network = new Network(args.ca, args.proxy);
const app = application(network);
const cache = app.getTokenCache();
if (command === 'silent') cache.deserialize(fs.readFileSync(args.cache, 'utf8'));
let result;
try {
  result = command === 'silent' ? await silent(app) : await signIn(app);
} catch (error) {
  if (!(error instanceof AuthError)) throw error;
  result = { error: error.errorCode, error_description: error.errorMessage };
}
if (cache.hasChanged()) fs.writeFileSync(args.cache, cache.serialize(), { mode: 0o600 });
console.log(JSON.stringify({
  accounts: (await cache.getAllAccounts()).map((account) => ({
    home_account_id: account.homeAccountId, environment: account.environment, username: account.username,
  })),
  result: withoutSecrets(result),
  token_requests: network.requests.filter((request) => request.grant_type).length,
  requests: network.requests,
}));
