// A certified OpenID provider (the npm package oidc-provider) for the end-to-end tests, on loopback only.
//
//   node op.mjs
//
// Prints one line of JSON when it is ready, {"issuer", "port", "client_id", "scopes"}, and stops when its standard
// input is closed or on SIGTERM, so that a killed test leaves nothing behind. Environment variables:
//
//   AUTH_TEST_NODE_MODULES   where the packages are (required)
//   OP_HOST                  host of the issuer, default `localhost`; it always listens on 127.0.0.1
//   OP_PREFIX                path of the issuer, such as `/contoso`; default none
//   OP_CERT, OP_KEY          PEM files; if set, it serves https
//   OP_ACCESS_TOKEN_TTL      seconds, default 3600
//   OP_REFRESH_TOKEN_TTL     seconds, default 86400
//   OP_ROTATE                `0` keeps the refresh token; otherwise each use returns a new one
//   OP_PAR                   `offered` or `required`: pushed authorization requests (RFC 9126); otherwise none
//   OP_LOG                   file that gets one line of JSON per request: {"method", "path", "status", "grant_type"}
import crypto from 'node:crypto';
import fs from 'node:fs';
import http from 'node:http';
import https from 'node:https';
import { load } from './load.mjs';

const { Provider, errors } = await load('oidc-provider');
const env = process.env;
const prefix = env.OP_PREFIX ?? '';
const accessTokenTTL = Number(env.OP_ACCESS_TOKEN_TTL ?? 3600);
const refreshTokenTTL = Number(env.OP_REFRESH_TOKEN_TTL ?? 86400);

const CLIENT_ID = 'native-public';

// Two protected APIs. A scope of one selects it as the audience of a signed access token, as at Entra.
const RESOURCES = {
  'https://orders.example/': ['https://orders.example/read', 'https://orders.example/write'],
  'https://files.example/': ['https://files.example/read'],
};

const signingKey = crypto.generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey.export({ format: 'jwk' });

const configuration = {
  clients: [{
    client_id: CLIENT_ID,
    application_type: 'native', // any port is accepted for a loopback redirect
    token_endpoint_auth_method: 'none',
    grant_types: ['authorization_code', 'refresh_token', 'urn:ietf:params:oauth:grant-type:device_code'],
    response_types: ['code'],
    redirect_uris: [
      'http://localhost', 'http://localhost/', 'http://127.0.0.1', 'http://127.0.0.1/', 'http://[::1]/',
      'http://127.0.0.1/signed-in',
    ],
  }],
  jwks: { keys: [{ ...signingKey, alg: 'RS256', use: 'sig', kid: 'test' }] },
  cookies: { keys: [crypto.randomBytes(32).toString('hex')] },
  responseTypes: ['code'],
  pkce: { required: () => true },
  scopes: ['openid', 'offline_access', 'profile', 'email'],
  claims: { openid: ['sub'], profile: ['name', 'preferred_username'], email: ['email'] },
  conformIdTokenClaims: false, // the ID token contains the profile
  findAccount: (ctx, sub) => ({
    accountId: sub,
    claims: () => ({
      sub, name: `Test user ${sub}`, preferred_username: `${sub}@contoso.example`, email: `${sub}@contoso.example`,
    }),
  }),
  features: {
    devInteractions: { enabled: true },
    deviceFlow: { enabled: true },
    pushedAuthorizationRequests: {
      enabled: Boolean(env.OP_PAR), requirePushedAuthorizationRequests: env.OP_PAR === 'required',
    },
    resourceIndicators: {
      enabled: true,
      defaultResource: (ctx, client, oneOf) => oneOf ?? resourceOf(ctx.oidc.params?.scope),
      useGrantedResource: () => true,
      getResourceServerInfo: (ctx, resource) => {
        const scopes = RESOURCES[resource];
        if (!scopes) throw new errors.InvalidTarget();
        return { scope: scopes.join(' '), audience: resource, accessTokenFormat: 'jwt', accessTokenTTL };
      },
    },
  },
  issueRefreshToken: (ctx, client) => client.grantTypeAllowed('refresh_token'),
  expiresWithSession: () => false,
  rotateRefreshToken: env.OP_ROTATE !== '0',
  ttl: {
    AccessToken: accessTokenTTL, RefreshToken: refreshTokenTTL, AuthorizationCode: 60, IdToken: 3600,
    DeviceCode: 600, Interaction: 600, Session: 3600, Grant: 86400,
  },
};

function resourceOf(scope = '') {
  const asked = scope.split(' ');
  return Object.keys(RESOURCES).find((resource) => RESOURCES[resource].some((known) => asked.includes(known)));
}

// Puts the provider under the prefix; `undefined` for a path outside it.
function route(raw) {
  const url = new URL(raw, 'http://localhost');
  if (url.pathname !== prefix && !url.pathname.startsWith(`${prefix}/`)) return undefined;
  const path = url.pathname.slice(prefix.length) || '/';
  if (path === '/auth') url.searchParams.set('prompt', promptFor(url.searchParams));
  return { outer: url.pathname + url.search, inner: path + url.search };
}

// Translates requests of Entra clients to the standard: `offline_access` requires `consent`, and without an account
// picker `select_account` is a new login. Pushed requests are left unchanged.
function promptFor(query) {
  const prompt = (query.get('prompt') ?? '').split(' ').filter(Boolean);
  if (prompt.includes('none')) return 'none';
  const words = new Set(prompt.map((word) => (word === 'select_account' ? 'login' : word)));
  return [...words.add('consent')].join(' ');
}

const server = env.OP_CERT
  ? https.createServer({ cert: fs.readFileSync(env.OP_CERT), key: fs.readFileSync(env.OP_KEY) })
  : http.createServer();
await new Promise((resolve, reject) => {
  server.once('error', reject);
  server.listen(0, '127.0.0.1', resolve);
});
const { port } = server.address();
const issuer = `${env.OP_CERT ? 'https' : 'http'}://${env.OP_HOST ?? 'localhost'}:${port}${prefix}`;

const provider = new Provider(issuer, configuration);
provider.use(async (ctx, next) => {
  await next();
  if (env.OP_LOG) {
    const line = {
      method: ctx.method,
      path: new URL(ctx.req.originalUrl, issuer).pathname,
      status: ctx.status,
      grant_type: ctx.oidc?.params?.grant_type,
    };
    fs.appendFileSync(env.OP_LOG, `${JSON.stringify(line)}\n`);
  }
  // The built-in pages request a font from the internet.
  if (typeof ctx.body === 'string') ctx.body = ctx.body.replace(/@import url\([^)]*\);?/g, '');
});
const answer = provider.callback();
server.on('request', (request, response) => {
  const routed = route(request.url);
  if (!routed) {
    response.writeHead(404).end();
    return;
  }
  request.originalUrl = routed.outer;
  request.url = routed.inner;
  answer(request, response);
});

const stop = () => process.exit(0);
process.stdin.resume().on('end', stop).on('close', stop);
process.on('SIGTERM', stop);
console.log(JSON.stringify({ issuer, port, client_id: CLIENT_ID, scopes: Object.values(RESOURCES).flat() }));
