// The INetworkModule of MSAL Node: https to the servers of the tests, through their proxy if there is one, with a list
// of the requests.
import fs from 'node:fs';
import http from 'node:http';
import https from 'node:https';
import tls from 'node:tls';

const TIMEOUT = 20_000;

export class Network {
  /** `ca`: file of the only root to trust. `proxy`: URL of the only way out. */
  constructor(ca, proxy) {
    this.ca = fs.readFileSync(ca);
    this.proxy = proxy && new URL(proxy);
    this.requests = [];
  }

  sendGetRequestAsync(url, options) {
    return this.#send('GET', url, options);
  }

  sendPostRequestAsync(url, options) {
    return this.#send('POST', url, options);
  }

  async #send(method, url, { headers = {}, body = '' } = {}) {
    const grantType = method === 'POST' ? new URLSearchParams(body).get('grant_type') : null;
    this.requests.push({ method, url, ...(grantType ? { grant_type: grantType } : {}) });
    const connection = this.proxy && await this.#tunnel(new URL(url).hostname);
    const way = connection ? { createConnection: () => connection, defaultPort: 443 } : { agent: false, ca: this.ca };
    const answer = await new Promise((resolve, reject) => {
      const options = { method, headers, timeout: TIMEOUT, ...way };
      const request = https.request(url, options, resolve);
      request.on('error', reject).on('timeout', () => request.destroy(new Error(`${url} does not answer`)));
      request.end(body);
    });
    let text = '';
    for await (const part of answer.setEncoding('utf8')) text += part;
    return { status: answer.statusCode, headers: answer.headers, body: JSON.parse(text) };
  }

  /** A connection to `host` through the proxy. */
  #tunnel(host) {
    const { hostname, port } = this.proxy;
    return new Promise((resolve, reject) => {
      const request = http.request({ hostname, port, method: 'CONNECT', path: `${host}:443`, timeout: TIMEOUT });
      request.on('connect', (answer, socket) => {
        if (answer.statusCode !== 200) reject(new Error(`the proxy answers ${answer.statusCode}`));
        const secured = tls.connect({ socket, servername: host, ca: this.ca }, () => resolve(secured));
        secured.on('error', reject);
      });
      request.on('error', reject).end();
    });
  }
}
